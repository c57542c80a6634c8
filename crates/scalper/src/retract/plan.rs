//! What hiding or showing a load changes, computed from the ledger and nothing else.

use checker::{Receipt, later_receipt};
use contract::OnSameName;
use ledger::{
    ContentClaim, DeadLoad, Entry, FileId, FileVersion, Head, HeadMove, Reversal, State, StateChange,
    receipt_key,
};
use runtime::Terms;

use super::{CanRetract, RetractResult};
use crate::error::CommandError;
use crate::reading::StackView;

/// Older versions of a name that are looked at.
const MOST_VERSIONS: usize = 50;

/// What the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Hide,
    Show,
}

/// What is to be written.
pub(super) struct ReversalPlan {
    pub(super) result: RetractResult,
    /// Receipts by their keys, written before.
    pub(super) receipts: Vec<(String, Receipt)>,
    /// The transaction; `None`: it was made before.
    pub(super) reversal: Option<Reversal>,
    /// Files whose outcome is to be announced.
    pub(super) announce: Vec<Entry>,
    /// The other version of the name that is shown or hidden in its place.
    pub(super) other: Option<Entry>,
    /// The older version that is to be loaded again.
    pub(super) replay: Option<Entry>,
    /// Now, milliseconds since the epoch.
    now_ms: u64,
    /// The loads that are hidden.
    dead: Vec<DeadLoad>,
}

/// The contract's rules on names and contents; those of a feed without a contract let every load stand by itself.
struct NameRules {
    on_same_name: OnSameName,
    takes_content: bool,
}

impl<S: CanRetract> StackView<S> {
    pub(super) async fn reversal_plan(
        &self,
        file: &FileId,
        entry: &Entry,
        wanted: Direction,
    ) -> Result<ReversalPlan, CommandError> {
        let head = self.store.head(&entry.file.key).await.map_err(CommandError::Read)?;
        match (wanted, entry.state) {
            (Direction::Hide, State::Complete | State::Superseded | State::Retracted) => {
                let older = match &head {
                    Some(head) if head.file == *file => self.newest_older(entry).await?,
                    _ => None,
                };
                Ok(hide(entry, head, older, self.host.now()))
            }
            (Direction::Show, State::Complete | State::Superseded) => {
                if let Some(plan) = self.after_a_retraction(file, entry, head).await? {
                    return Ok(plan);
                }
                Ok(ReversalPlan {
                    result: RetractResult::NotRetracted,
                    announce: unannounced(entry),
                    ..ReversalPlan::nothing(self.host.now())
                })
            }
            (Direction::Show, State::Retracted) if !entry.loaded => {
                let replay = self.stack.command(&format!("replay {file} --reason '…'"));
                Err(CommandError::RowsDeleted { file: file.to_string(), replay })
            }
            (Direction::Show, State::Retracted) => {
                let holder = match &head {
                    Some(head) if head.file != *file => {
                        self.store.entry(&head.file).await.map_err(CommandError::Read)?
                    }
                    _ => None,
                };
                show(entry, (head, holder), &self.rules_of(&entry.feed).await?, self.host.now())
            }
            (_, state) => Err(CommandError::NothingLoaded {
                file: file.to_string(),
                state: state.as_str(),
                show: self.stack.command(&format!("show {file}")),
            }),
        }
    }

    /// Plans what is left of the retraction of a newer version, which others made since this one was found to be
    /// superseded by it.
    async fn after_a_retraction(
        &self,
        file: &FileId,
        entry: &Entry,
        head: Option<Head>,
    ) -> Result<Option<ReversalPlan>, CommandError> {
        let Some(other) = head.as_ref().filter(|other| other.file != *file) else { return Ok(None) };
        let holder = self.store.entry(&other.file).await.map_err(CommandError::Read)?;
        let retracted = holder.filter(|holder| holder.state == State::Retracted);
        let Some(holder) = retracted.filter(|_| entry.state == State::Superseded) else { return Ok(None) };
        let older = self.newest_older(&holder).await?;
        let mut plan = hide(&holder, head, older, self.host.now());
        plan.result = match plan.other.take_if(|other| other.load.file() == *file) {
            Some(_) => RetractResult::Shown,
            None if plan.other.is_some() => RetractResult::ShownAsSuperseded,
            None => RetractResult::NotRetracted,
        };
        Ok(Some(plan))
    }

    /// Returns the newest older version of the name that was good and was replaced.
    async fn newest_older(&self, entry: &Entry) -> Result<Option<Entry>, CommandError> {
        let FileVersion { bucket, key, version, .. } = &entry.file;
        let versions = self.store.versions(bucket, key).await.map_err(CommandError::Read)?;
        let older = versions.into_iter().skip_while(|listed| listed != version).skip(1);
        for version in older.take(MOST_VERSIONS) {
            let file = FileVersion { version, etag: None, ..entry.file.clone() };
            let entry = self.store.entry(&FileId::of(&file)).await.map_err(CommandError::Read)?;
            if let Some(entry) = entry.filter(|entry| entry.state == State::Superseded) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    async fn rules_of(&self, feed: &str) -> Result<NameRules, CommandError> {
        let in_force = runtime::in_force(&self.store, feed).await.map_err(CommandError::Read)?;
        Ok(match in_force.terms {
            Terms::Active(contract) => NameRules {
                on_same_name: contract.policy.on_same_name,
                takes_content: contract.policy.dedupe_content,
            },
            Terms::Quarantine(_) => NameRules { on_same_name: OnSameName::Append, takes_content: false },
        })
    }
}

impl ReversalPlan {
    fn nothing(now_ms: u64) -> Self {
        Self {
            result: RetractResult::NotRetracted,
            receipts: Vec::new(),
            reversal: None,
            announce: Vec::new(),
            other: None,
            replay: None,
            now_ms,
            dead: Vec::new(),
        }
    }
}

/// Plans to hide a load. An older version comes back with the head; where its rows are not there, the head stays and
/// stands in nobody's way.
fn hide(entry: &Entry, head: Option<Head>, older: Option<Entry>, now_ms: u64) -> ReversalPlan {
    let hides = entry.state != State::Retracted;
    let mut plan = ReversalPlan {
        result: if hides { RetractResult::Retracted } else { RetractResult::AlreadyRetracted },
        ..ReversalPlan::nothing(now_ms)
    };
    let mut changes = Vec::new();
    if hides {
        changes.push(plan.changes_to(entry, State::Retracted, None));
        plan.announce.push(entry.clone());
    } else {
        plan.announce.extend(unannounced(entry));
    }
    let mut head_move = None;
    if let Some(older) = older {
        if older.loaded {
            changes.push(plan.changes_to(&older, State::Complete, None));
            plan.announce.push(older.clone());
            head_move = Some(HeadMove { from: head, to: head_of(&older), receipt: None, retracted: false });
        } else {
            plan.replay = Some(older.clone());
        }
        plan.other = Some(older);
    }
    plan.reversal = (!changes.is_empty()).then(|| Reversal {
        changes,
        key: entry.file.key.clone(),
        head: head_move,
        content: None,
        dead: std::mem::take(&mut plan.dead),
        at_ms: now_ms,
    });
    plan
}

/// Plans to show a load again. A newer version of the name stays the visible one; an older one is replaced.
fn show(
    entry: &Entry,
    (head, holder): (Option<Head>, Option<Entry>),
    rules: &NameRules,
    now_ms: u64,
) -> Result<ReversalPlan, CommandError> {
    let holder = holder.filter(|holder| holder.state == State::Complete);
    if let Some(holder) = holder.as_ref().filter(|_| rules.on_same_name == OnSameName::Reject) {
        return Err(CommandError::NameTaken {
            file: entry.load.file().to_string(),
            other: holder.load.file().to_string(),
        });
    }
    let mut plan = ReversalPlan { result: RetractResult::Shown, ..ReversalPlan::nothing(now_ms) };
    let newer = holder.as_ref().filter(|holder| holder.order > entry.order);
    let to = if newer.is_some() { State::Superseded } else { State::Complete };
    let mut changes = vec![plan.changes_to(entry, to, newer)];
    plan.announce.push(entry.clone());
    let mut head_move = None;
    if newer.is_some() {
        plan.result = RetractResult::ShownAsSuperseded;
    } else {
        if let Some(older) = &holder {
            changes.push(plan.changes_to(older, State::Superseded, Some(entry)));
            plan.announce.push(older.clone());
        }
        // Also where the head names this file already: a commit that is about to pass over the retracted load fails.
        head_move = head.map(|head| HeadMove {
            from: Some(head),
            to: head_of(entry),
            receipt: None,
            retracted: false,
        });
    }
    let sha256 = entry.outcome.as_ref().map(|outcome| outcome.sha256.clone());
    let content = sha256
        .filter(|_| rules.takes_content && to == State::Complete)
        .map(|sha256| ContentClaim { partner: entry.partner.clone(), feed: entry.feed.clone(), sha256 });
    plan.other = holder;
    let dead = std::mem::take(&mut plan.dead);
    plan.reversal = Some(Reversal {
        changes,
        key: entry.file.key.clone(),
        head: head_move,
        content,
        dead,
        at_ms: now_ms,
    });
    Ok(plan)
}

impl ReversalPlan {
    /// Returns the change of an entry. Its receipt is written before, unless it was written when the file was loaded.
    fn changes_to(&mut self, entry: &Entry, to: State, other: Option<&Entry>) -> StateChange {
        let other = other.map(|other| other.load.file());
        let key = |state, other: Option<&FileId>| {
            receipt_key(&entry.partner, &entry.feed, &entry.load, state, other)
        };
        let receipt = key(to, other.as_ref());
        if to != State::Complete {
            self.dead.extend(DeadLoad::of(entry, self.now_ms));
        }
        if let (Some(outcome), true) = (&entry.outcome, to != State::Complete) {
            let earlier = entry.loaded.then(|| key(State::Complete, None));
            let document = later_receipt(entry, outcome, to, other.as_ref());
            let earlier = earlier.or_else(|| document.earlier.clone());
            self.receipts.push((receipt.clone(), Receipt { earlier, ..document }));
        }
        StateChange {
            file: entry.load.file(),
            load: entry.load.clone(),
            from: entry.state,
            to,
            receipt,
            other,
        }
    }
}

fn head_of(entry: &Entry) -> Head {
    Head { version: entry.file.version.clone(), file: entry.load.file(), load: entry.load.clone() }
}

/// Returns the file when its outcome is still to be announced.
fn unannounced(entry: &Entry) -> Vec<Entry> {
    if entry.announced { Vec::new() } else { vec![entry.clone()] }
}
