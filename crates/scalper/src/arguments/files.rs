//! The words of the commands that read.

use clap::{Args, Subcommand};

/// What to read. Each command is one of the command line's own.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ReadCommand {
    /// What is wrong, grouped by fault, then each feed of each partner at a glance
    #[command(
        after_help = "Wrong is: a message in a dead-letter queue; a quarantined file, until a good file of its name or a correction \
                            arrives or an operator acknowledges it (`scalper ack`); a file that is not decided after 75 minutes; \
                            a file that did not come. A file with some rejected records is noted.\n\n\
                            Text is as wide as the terminal, else $COLUMNS, else 80 columns; long names lose their middle. --json \
                            has everything.\n\n\
                            Examples:\n  scalper status\n  scalper status --check --json    for a monitor: exit code 1 when \
                            something is wrong"
    )]
    Status(StatusArguments),
    /// Files, newest first: of one partner, or of all with those whose key names none
    #[command(
        after_help = "Examples:\n  scalper files --partner north-clinic --state quarantined --since 7d\n  \
                            scalper files --partner _unknown     files under a wrong key\n  \
                            scalper files --feed labs --since 2026-11-20T08:00:00Z --limit 100"
    )]
    Files(FilesArguments),
    /// One file's whole story, and what to do next
    #[command(after_help = "Examples:\n  scalper show r5g61a45bnmyhnp8sgqw0ymkjv\n  \
                            scalper show north-clinic/labs/day.csv     the newest version of this name\n  \
                            scalper show 's3://inbox/shop/a b.csv' --version 3sL4kqtJlcpXroDTDmJ     any key, one version")]
    Show {
        /// The file's id, the load's (`_load` of a record), or its key, also as s3://<bucket>/<key>
        file: String,
        /// This version of the key, by S3's version id [default: the newest that the ledger lists]
        #[arg(long, value_name = "ID")]
        version: Option<String>,
    },
    /// Which records of a file were rejected and why: positions and rules, no values
    #[command(after_help = "Examples:\n  scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv\n  \
                            scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv --download rejects.csv    what the partner sent")]
    Rejects(RejectsArguments),
    /// The receipt that the sender has of a file; with --json byte for byte as it is stored
    Receipt {
        /// The file's id, the load's, or its key
        file: String,
    },
    /// Outcomes as they come, until Ctrl-C; with --json one document a line
    Tail(TailArguments),
}

/// What `status` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct StatusArguments {
    /// Only this partner, also one that is in no table and drops its files by S3
    #[arg(long)]
    pub partner: Option<String>,
    /// End with exit code 1 when something is wrong
    #[arg(long)]
    pub check: bool,
}

/// Which files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct FilesArguments {
    /// Only of this partner; `_unknown`: files whose key names none
    #[arg(long)]
    pub partner: Option<String>,
    /// Only of this feed
    #[arg(long)]
    pub feed: Option<String>,
    /// Only in this state, for example quarantined
    #[arg(long)]
    pub state: Option<String>,
    /// Not older than: 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z
    #[arg(long)]
    pub since: Option<String>,
    /// Maximum number of files to list
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
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
    /// Write the rejected records themselves into this new file, readable by you only
    #[arg(long, value_name = "PATH")]
    pub download: Option<std::path::PathBuf>,
}

/// Whose outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TailArguments {
    /// Only of this partner
    #[arg(long)]
    pub partner: Option<String>,
    /// Number of the newest outcomes to begin with
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=100))]
    pub lines: u16,
}
