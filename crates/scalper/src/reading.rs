//! The commands that read: the state of the stack, the history of one file, outcomes as they arrive.
//!
//! Nothing here writes to the stack. The default output holds names, numbers and positions, and no value of a file;
//! control characters of names are escaped. Only `rejects --values` and `--download` give the partner's records, and
//! say so.

mod audit;
mod expected;
mod files;
mod find;
mod holds;
mod moment;
mod next;
mod overview;
mod partners;
mod places;
mod plain;
mod problems;
mod receipt;
mod recent;
mod rejects;
mod show;
mod status;
mod tail;
mod view;
#[cfg(test)]
mod wide;

use runtime::Host;
use store::{
    CountMessages, ListInbox, ReadAudit, ReadContracts, ReadHolds, ReadLedger, ReadPartners, ReadQuarantine,
};

use crate::arguments::ReadCommand;
use crate::error::CommandError;
use crate::names::Stack;
use crate::report::Style;

pub use audit::Acts;
pub use files::Files;
pub(crate) use find::key_of;
pub use holds::{HoldView, WaitingFiles};
pub(crate) use moment::since;
pub use places::Places;
pub(crate) use plain::{plain, plain_lines, shell_word};
pub use problems::Problem;
pub(crate) use problems::counted;
pub use receipt::Stored;
pub use rejects::{RejectedRecords, Rejects, WARNING, save};
pub use show::{AcknowledgedView, Story};
pub use status::StackStatus;
pub use tail::tail_heading;
pub use view::FileView;

/// What reading commands read from.
pub struct StackView<S> {
    /// Partners, the inbox's folders, the ledger, the contracts, the quarantine, the queues and the audit trail.
    pub store: S,
    /// The stack.
    pub stack: Stack,
    /// Where its resources are.
    pub places: Places,
    /// The clock.
    pub host: Host,
}

/// What a reading command needs of a store.
pub trait Readable:
    ReadPartners + ListInbox + ReadLedger + ReadHolds + ReadContracts + ReadQuarantine + CountMessages + ReadAudit
{
}

impl<T> Readable for T where
    T: ReadPartners
        + ListInbox
        + ReadLedger
        + ReadHolds
        + ReadContracts
        + ReadQuarantine
        + CountMessages
        + ReadAudit
{
}

/// An answer.
pub enum Answer {
    /// The state of the stack.
    StackStatus(StackStatus),
    /// Files.
    Files(Files),
    /// One file.
    Story(Box<Story>),
    /// Rejected records, without their values.
    Rejects(Box<Rejects>),
    /// Rejected records themselves, to be copied to a place.
    RejectedRecords(RejectedRecords),
    /// A receipt.
    Receipt(Stored),
    /// What operators did.
    Acts(Acts),
    /// Outcomes are to be followed, beginning with the newest.
    Tail(crate::arguments::TailArguments),
}

impl<S: Readable> StackView<S> {
    /// Carries out a command. What takes its time is begun by the answer.
    pub async fn run(&self, command: ReadCommand) -> Result<Answer, CommandError> {
        match command {
            ReadCommand::Status(arguments) => self.status(&arguments).await.map(Answer::StackStatus),
            ReadCommand::Files(arguments) => self.files(&arguments).await.map(Answer::Files),
            ReadCommand::Show { file, version } => {
                Ok(Answer::Story(Box::new(self.show(&file, version.as_deref()).await?)))
            }
            ReadCommand::Rejects(arguments) if arguments.values || arguments.download.is_some() => {
                self.records(&arguments).await.map(Answer::RejectedRecords)
            }
            ReadCommand::Rejects(arguments) => {
                Ok(Answer::Rejects(Box::new(self.rejects(&arguments.file).await?)))
            }
            ReadCommand::Receipt { file } => self.receipt(&file).await.map(Answer::Receipt),
            ReadCommand::Audit(arguments) => self.acts(&arguments).await.map(Answer::Acts),
            ReadCommand::Tail(arguments) => Ok(Answer::Tail(arguments)),
        }
    }
}

impl Answer {
    /// Returns one JSON document, on lines; a receipt is as it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers in structures always have a form in JSON.
        let pretty = match self {
            Self::StackStatus(status) => serde_json::to_string_pretty(status),
            Self::Files(files) => serde_json::to_string_pretty(files),
            Self::Acts(acts) => serde_json::to_string_pretty(acts),
            Self::Story(story) => serde_json::to_string_pretty(story),
            Self::Rejects(rejects) => serde_json::to_string_pretty(rejects),
            Self::Receipt(receipt) => return receipt.raw().to_owned(),
            Self::RejectedRecords(_) | Self::Tail(_) => return String::new(),
        };
        pretty.unwrap_or_default()
    }

    /// Renders text for a reader. Commands and addresses are never broken.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        match self {
            Self::StackStatus(status) => status.to_text(style),
            Self::Files(files) => files.to_text(style),
            Self::Acts(acts) => acts.to_text(style),
            Self::Story(story) => story.to_text(style),
            Self::Rejects(rejects) => rejects.to_text(style),
            Self::Receipt(receipt) => receipt.to_text(),
            Self::RejectedRecords(_) | Self::Tail(_) => String::new(),
        }
    }

    /// Returns whether something is wrong that `--check` was to find.
    #[must_use]
    pub fn fails_check(&self) -> bool {
        matches!(self, Self::StackStatus(status) if status.fails_check())
    }
}
