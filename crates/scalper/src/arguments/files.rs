//! The words of the commands on files: those that read, and `ack`.

use super::{after, number};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use ledger::FaultCode;
use store::{ActReason, RedrivenQueue, State, Verb};

/// What to read. Each command is one of the command line's own.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ReadCommand {
    /// Show problems grouped by fault, then each feed of each partner
    #[command(
        after_help = after("A problem is: a message in a dead-letter queue; a quarantined file, until a good file of its name or a \
                            correction arrives or you acknowledge it (`scalper ack`); a file that is not decided after 75 minutes; a \
                            missing file; a contract whose newest version does not compile. A file with some rejected records is a note.\n\n\
                            `rows` are the visible rows of the records read, `24 h` the files of the last 24 hours.\n\n\
                            Examples:\n  scalper status\n  scalper status --check --json    exit code 1 if there is a problem")
    )]
    Status(StatusArguments),
    /// List files, newest first: of one partner, or of all
    #[command(
        after_help = after("`outcome` is the fault of a quarantined file, else the file's state; `rows` are the visible rows of the \
                            records read.\n\n\
                            Examples:\n  scalper files --partner north-clinic --state quarantined --since 7d\n  \
                            scalper files --partner _unknown     files under a wrong key\n  \
                            scalper files --feed labs --since 2026-11-20T08:00:00Z --limit 100")
    )]
    Files(FilesArguments),
    /// Show one file's history and the next step
    #[command(after_help = after("Examples:\n  scalper show r5g61a45bnmyhnp8sgqw0ymkjv\n  \
                            scalper show north-clinic/labs/day.csv     the newest version of this name\n  \
                            scalper show 's3://inbox/shop/a b.csv' --version 3sL4kqtJlcpXroDTDmJ"))]
    Show {
        /// The file's id, the load's (`_load` of a record), or its key, also as s3://<bucket>/<key>
        file: String,
        /// This version of the key, by S3's version id [default: the newest that the ledger lists]
        #[arg(long, value_name = "ID")]
        version: Option<String>,
    },
    /// Show which records of a file were rejected and why, without values
    #[command(after_help = after("Examples:\n  scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv\n  \
                            scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv --download rejects.csv"))]
    Rejects(RejectsArguments),
    /// Show the receipt that the sender got; with --json exactly as stored
    #[command(after_help = after("Examples:\n  scalper receipt north-clinic/labs/day.csv\n  \
                            scalper receipt r5g61a45bnmyhnp8sgqw0ymkjv --json > receipt.json"))]
    Receipt {
        /// The file's id, the load's, or its key
        file: String,
    },
    /// Follow outcomes until Ctrl-C; with --json one document per line
    #[command(
        after_help = after("`outcome` is the fault of a quarantined file, else the file's state; `rows` are the visible rows of the \
                            records read. Times are UTC.\n\n\
                            Examples:\n  scalper tail --partner north-clinic\n  \
                            scalper tail --json | jq --unbuffered 'select(.state == \"QUARANTINED\")'")
    )]
    Tail(TailArguments),
    /// List what operators did: who, when, what, why, and the result
    #[command(
        after_help = after("Every command that changes something notes its caller (the ARN by which AWS knows them), its subject, its reason and its \
                            result. `no end noted`: the command is still running, or was killed. Times are UTC. \
                            Values of files are never noted.\n\n\
                            Examples:\n  scalper audit\n  scalper audit --partner north --since 90d\n  \
                            scalper audit --verb ack --by ann --json")
    )]
    Audit(AuditArguments),
}

/// What `status` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct StatusArguments {
    /// Only this partner, registered or not
    #[arg(long)]
    pub partner: Option<String>,
    /// Exit with code 1 if there is a problem
    #[arg(long)]
    pub check: bool,
}

/// The states of a file, as they are typed.
const STATES: [&str; State::ALL.len()] = [
    "processing",
    "held",
    "complete",
    "quarantined",
    "superseded",
    "duplicate",
    "gone",
    "ignored",
    "retracted",
];

/// Reads a state in any letter case.
fn states() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(STATES)
        .try_map(|word| State::parse(&word.to_ascii_uppercase()).ok_or("not a state of a file"))
}

/// Which files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct FilesArguments {
    /// Only this partner; `_unknown` lists files whose key names no partner
    #[arg(long)]
    pub partner: Option<String>,
    /// Only this feed
    #[arg(long)]
    pub feed: Option<String>,
    /// Only this state
    #[arg(long, ignore_case = true, value_parser = states())]
    pub state: Option<State>,
    /// Only files since then: 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z
    #[arg(long)]
    pub since: Option<String>,
    /// Maximum number of files to list
    #[arg(long, default_value_t = 20, value_parser = number(1_u16..=1_000))]
    pub limit: u16,
}

/// Which rejects, and how much of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct RejectsArguments {
    /// The file's id, the load's, or its key
    pub file: String,
    /// Print the rejected records themselves, as the partner sent them
    #[arg(long, conflicts_with = "download")]
    pub values: bool,
    /// Write the rejected records themselves to this new file, readable only by you
    #[arg(long, value_name = "PATH")]
    pub download: Option<std::path::PathBuf>,
}

/// Whose outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TailArguments {
    /// Only this partner
    #[arg(long)]
    pub partner: Option<String>,
    /// Number of earlier outcomes to show first
    #[arg(long, default_value_t = 10, value_parser = number(0_u16..=100))]
    pub lines: u16,
}

/// Which quarantined files need no good file any more, and why.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct AckArguments {
    /// The file's id, its load's, or its key; several may be given
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Why no good file is needed, at most 200 characters; kept with the file, so leave out what partners sent
    #[arg(long, value_parser = ActReason::parse)]
    pub reason: ActReason,
    /// Show what would be written, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Why a command changes something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct WhyArguments {
    /// Why, at most 200 characters; kept in the audit trail
    #[arg(long, value_parser = ActReason::parse)]
    pub reason: Option<ActReason>,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RedriveArguments {
    /// Whose dead letters: those of the queue of new files, or of the queue of partners' webhooks
    #[arg(long, value_enum, default_value_t = LetterQueue::Inbox)]
    pub queue: LetterQueue,
    /// Only letters of this file: its id, its load's, or its key; may be given several times
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Maximum number of letters to handle
    #[arg(long, default_value_t = 100, value_parser = number(1_u16..=1_000))]
    pub limit: u16,
}

/// Which load is hidden or shown again, and why.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RetractArguments {
    /// The file's id, the load's, or its key
    pub file: String,
    /// This version of the key, by S3's version id [default: the newest that the ledger lists]
    #[arg(long, value_name = "ID")]
    pub version: Option<String>,
    /// Show a retracted file again
    #[arg(long)]
    pub undo: bool,
    /// Why, at most 200 characters; kept in the audit trail, so leave out what partners sent
    #[arg(long, value_parser = ActReason::parse)]
    pub reason: ActReason,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Which files are processed again, and how.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct ReplayArguments {
    /// Files by id, load or key
    #[arg(value_name = "FILE", required_unless_present_any = ["open", "partner", "feed", "state", "fault"])]
    pub files: Vec<String>,
    /// All open files: quarantined, with no good file of their name since, and not acknowledged
    #[arg(long)]
    pub open: bool,
    /// Only files of this partner [default: all]
    #[arg(long, conflicts_with = "files")]
    pub partner: Option<String>,
    /// Only files of this feed [default: all]
    #[arg(long, conflicts_with = "files")]
    pub feed: Option<String>,
    /// Only files in this state [default: open quarantined files]
    #[arg(long, ignore_case = true, value_parser = states(), conflicts_with = "files")]
    pub state: Option<State>,
    /// Only files quarantined for this fault, such as `CONTRACT_INVALID`
    #[arg(long, value_parser = fault, conflicts_with_all = ["files", "state"])]
    pub fault: Option<FaultCode>,
    /// Only files since then: 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z
    #[arg(long, conflicts_with = "files")]
    pub since: Option<String>,
    /// Maximum number of files
    #[arg(long, default_value_t = 1_000, value_parser = number(1_u16..=10_000))]
    pub limit: u16,
    /// Also files that were decided under the contract in force
    #[arg(long)]
    pub again: bool,
    /// Quarantine a loaded file when its replay says so; without it, what is loaded stays loaded
    #[arg(long)]
    pub quarantine: bool,
    /// Show what would be rescued and what it costs, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Maximum number of files that are replayed at the same time, so that new files wait behind few of them
    #[arg(long, default_value_t = 4, value_parser = number(1_u16..=100))]
    pub concurrency: u16,
    /// Why, at most 200 characters; kept in the audit trail, so leave out what partners sent
    #[arg(long, value_parser = ActReason::parse, required_unless_present = "dry_run")]
    pub reason: Option<ActReason>,
}

/// Reads the code of a fault in any letter case.
fn fault(text: &str) -> Result<FaultCode, String> {
    FaultCode::parse(&text.to_ascii_uppercase())
        .ok_or_else(|| "not the code of a fault: docs/codes.md lists them".to_owned())
}

/// A queue, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "a doc comment here would become the help of each value")]
pub enum LetterQueue {
    Inbox,
    Webhooks,
}

impl RedriveArguments {
    /// Returns the queue.
    #[must_use]
    pub fn queue(&self) -> RedrivenQueue {
        match self.queue {
            LetterQueue::Inbox => RedrivenQueue::Inbox,
            LetterQueue::Webhooks => RedrivenQueue::Webhooks,
        }
    }
}

/// Which acts of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct AuditArguments {
    /// Only acts since then: 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z
    #[arg(long, default_value = "30d")]
    pub since: String,
    /// Only acts before then, in the same form
    #[arg(long)]
    pub until: Option<String>,
    /// Only this command
    #[arg(long, value_parser = verbs())]
    pub verb: Option<Verb>,
    /// Only acts of callers whose ARN contains this text
    #[arg(long, value_name = "TEXT")]
    pub by: Option<String>,
    /// Only acts on this partner
    #[arg(long)]
    pub partner: Option<String>,
    /// Only acts on this feed
    #[arg(long)]
    pub feed: Option<String>,
    /// Only acts on this file: its id, its load's, or its key
    #[arg(long)]
    pub file: Option<String>,
    /// Maximum number of acts to list
    #[arg(long, default_value_t = 50, value_parser = number(1_u16..=1_000))]
    pub limit: u16,
}

/// Reads a verb.
fn verbs() -> impl TypedValueParser<Value = Verb> {
    PossibleValuesParser::new(Verb::ALL.map(Verb::as_str))
        .try_map(|word| Verb::parse(&word).ok_or("not a verb of the audit trail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_typed() {
        let typed = State::ALL.map(|state| state.as_str().to_ascii_lowercase());
        assert_eq!(typed, STATES);
    }
}
