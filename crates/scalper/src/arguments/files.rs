//! The words of the commands that read.

use clap::{Args, Subcommand};

/// What to read. Each command is one of the command line's own.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ReadCommand {
    /// Each feed of each partner at a glance, what is wrong first
    #[command(
        after_help = "Wrong is: a message in a dead-letter queue, a file that was refused and not sent again, a file \
                            that is not decided after 75 minutes. A file with some refused records is noted.\n\n\
                            Examples:\n  scalper status\n  scalper status --check --json    for a monitor: exit code 1 when \
                            something is wrong"
    )]
    Status(StatusArguments),
    /// The files of a partner, newest first
    #[command(
        after_help = "Examples:\n  scalper files --partner north-clinic --state quarantined --since 7d\n  \
                            scalper files --feed labs --since 2026-11-20T08:00:00Z --limit 100"
    )]
    Files(FilesArguments),
    /// One file's whole story, and what to do next
    #[command(after_help = "Examples:\n  scalper show r5g61a45bnmyhnp8sgqw0ymkjv\n  \
                            scalper show north-clinic/labs/day.csv     the newest version of this name")]
    Show {
        /// The file's id, the load's (`_load` of a record), or its key `<partner>/<feed>/<name>`
        file: String,
    },
    /// Which records of a file were refused and why: positions and rules, no values
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

/// What `status` tells of.
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
    /// Whose files [default: the only partner there is]
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
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub limit: u16,
}

/// Which rejects, and how much of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct RejectsArguments {
    /// The file's id, the load's, or its key
    pub file: String,
    /// Print the refused records themselves, as the partner sent them
    #[arg(long, conflicts_with = "download")]
    pub values: bool,
    /// Write the refused records themselves into this new file, readable by you only
    #[arg(long, value_name = "PATH")]
    pub download: Option<std::path::PathBuf>,
}

/// Whose outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct TailArguments {
    /// Only of this partner
    #[arg(long)]
    pub partner: Option<String>,
    /// Begin with so many of the newest outcomes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=100))]
    pub lines: u16,
}
