//! `hold` and `release`: the files of a feed wait in the ledger until an operator releases the feed.
//!
//! ```text
//! hold:     one item in the ledger ─▶ the processor notes each file of the feed as HELD, and acknowledges its message
//! release:  the item is deleted ─▶ files that wait are sent to the inbox queue, the oldest first, a few at a time
//! ```
//!
//! The hold ends before the first file is sent: from then on no file begins to wait, so that none is left behind. The
//! state is the ledger: a release that is interrupted is run again and goes on, and the watcher sends what is left.

mod release;
mod view;

use std::fmt;

use ledger::{Hold, HoldPut, is_name};
use store::{
    ActDetail, ActReason, ActSubject, CallerIdentity, DetailName, DetailValue, HoldFeeds, SendToQueue, Verb,
    WriteAudit,
};

use crate::arguments::HoldArguments;
use crate::audited::{Audited, Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::feeds;
use crate::names;
use crate::reading::{HoldView, Readable, StackView};

pub use view::{HoldReport, ReleaseReport};

/// What the commands reach.
pub trait CanHold: Readable + HoldFeeds + SendToQueue {}

impl<T: Readable + HoldFeeds + SendToQueue> CanHold for T {}

/// A feed of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFeed {
    pub(crate) partner: String,
    pub(crate) feed: String,
}

impl fmt::Display for HeldFeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.partner, self.feed)
    }
}

impl HeldFeed {
    /// Reads `<partner>/<feed>`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = text.split_once('/').filter(|(partner, feed)| is_name(partner) && is_name(feed));
        let Some((partner, feed)) = named else {
            return Err("expected <partner>/<feed>, for example north/labs".to_owned());
        };
        if partner == runtime::HEARTBEAT {
            return Err("the stack's own heartbeat cannot be held".to_owned());
        }
        Ok(Self { partner: partner.to_owned(), feed: feed.to_owned() })
    }

    fn subject(&self) -> ActSubject {
        ActSubject { feed: ActSubject::feed(&self.feed).feed, ..ActSubject::partner(&self.partner) }
    }

    fn planned(&self, verb: Verb, reason: Option<ActReason>) -> PlannedAct {
        PlannedAct { verb, subject: self.subject(), reason }
    }
}

/// Returns what the audit trail keeps of a feed that is held or released.
fn changed(word: &str) -> ActDetail {
    ActDetail::new(DetailName::Hold, DetailValue::word(word))
}

impl<S: CanHold> StackView<S> {
    /// Holds a feed. A feed that is held stays held by its first hold.
    pub async fn hold_feed<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &HoldArguments,
        auditor: &Auditor<T>,
    ) -> Result<Audited<HoldReport>, CommandError> {
        let feed = &arguments.feed;
        self.must_be_registered(feed).await?;
        let by = auditor.caller().await?.clone();
        let effect = async {
            let wanted = Hold {
                partner: feed.partner.clone(),
                feed: feed.feed.clone(),
                since_ms: self.host.now(),
                by,
                reason: arguments.reason.as_str().to_owned(),
            };
            let put = self.store.put_hold(&wanted).await.map_err(CommandError::NotHeld)?;
            let (hold, before) = match put {
                HoldPut::Made => (wanted, false),
                HoldPut::Before(hold) => (hold, true),
            };
            let report = HoldReport {
                before,
                no_contract: self.has_no_contract(&feed.feed).await,
                release: self.stack.command(&format!("release {feed}")),
                hold: HoldView::of(&hold, None),
            };
            Ok(Effect::new(report, (!before).then(|| changed("held"))))
        };
        auditor.audited(feed.planned(Verb::Hold, Some(arguments.reason.clone())), effect).await
    }

    /// Rejects a partner that is not registered: its files are not held.
    async fn must_be_registered(&self, feed: &HeldFeed) -> Result<(), CommandError> {
        if self.store.partner(&feed.partner).await.map_err(CommandError::Read)?.is_some() {
            return Ok(());
        }
        let known = self.store.all_partners().await.map_err(CommandError::Read)?;
        let hint = names::hint(&feed.partner, known.iter().map(|partner| partner.name.as_str()));
        Err(CommandError::NotRegistered { partner: feed.partner.clone(), hint })
    }

    /// Returns whether the feed has no contract, which a typing error may be the reason of. Contracts that cannot be
    /// listed say nothing.
    async fn has_no_contract(&self, feed: &str) -> bool {
        matches!(feeds::without_contract(&self.store, [feed]).await, Ok(Some(_)))
    }
}
