//! The words of `contract`.

use clap::{Args, Subcommand};

use super::{after, number};
use crate::arguments::files::WhyArguments;

/// What to do with contracts.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ContractCommand {
    /// Check documents and show all findings at once; needs no stack
    #[command(after_help = after("Examples:\n  scalper contract lint labs.odcs.yaml\n  scalper contract lint *.odcs.yaml --json\n  \
                            cat labs.odcs.yaml | scalper contract lint -\n\n\
                            Exit codes:\n  0  no errors (warnings may be shown)\n  1  errors\n  2  not understood, or a file \
                            cannot be read"))]
    Lint {
        /// Documents; `-` reads standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Compare two contracts: what changes, and whom it breaks
    #[command(after_help = after("Each side is a local file, a feed (its version in force), or <feed>@<version>: an object version, its \
                            first 8 characters, or the document's `version`. A change breaks senders when a file or record that was \
                            accepted can be rejected, and readers when rows have another key or type.\n\n\
                            Examples:\n  scalper contract diff labs labs.odcs.yaml\n  scalper contract diff labs@1.2.0 labs\n  \
                            scalper contract diff old.odcs.yaml new.odcs.yaml    needs no stack\n\n\
                            Exit codes:\n  0  nothing breaks\n  1  something breaks\n  2  not understood, or a document has \
                            errors\n  3  no such contract or version"))]
    Diff {
        /// Older contract
        older: String,
        /// Newer contract
        newer: String,
    },
    /// List feeds with their version in force
    #[command(after_help = after("Examples:\n  scalper contract list\n  scalper contract list --json"))]
    List,
    /// Print a contract as it was published, or its columns and rules
    #[command(after_help = after("Examples:\n  scalper contract show labs > labs.odcs.yaml\n  \
                            scalper contract show labs@1.2.0 --compiled"))]
    Show {
        /// <feed>, or <feed>@<version>
        contract: String,
        /// Show columns and rules as they are checked
        #[arg(long)]
        compiled: bool,
    },
    /// List the versions of a feed's contract, newest first, at most 20
    #[command(after_help = after("Examples:\n  scalper contract history labs\n  scalper contract history labs --json"))]
    History {
        /// Feed
        feed: String,
    },
    /// Publish a new version: check it, compare it, try it on stored files, then ask
    #[command(after_help = after("A document with errors is not published. The preview runs the new version over the newest stored files of the \
                            feed and writes nothing. Without a terminal, --yes is needed. If another version is published in between, \
                            nothing is written. When the version rescues files of the preview, the command prints how to replay them, and on a terminal asks whether to do \
                            it now. With --yes it does not ask; add --replay to replay them. A command with --replay that ended early \
                            is run again: it replays what is left.\n\n\
                            Examples:\n  scalper contract push labs.odcs.yaml --dry-run\n  \
                            scalper contract push labs.odcs.yaml --yes --reason 'doses up to 120'\n  \
                            scalper contract push labs.odcs.yaml --yes --replay --reason 'doses up to 120'\n\n\
                            Exit codes:\n  0  published, or nothing to publish\n  1  errors in the document, not published, or a replayed file was not loaded\n  2  not \
                            understood, or not confirmed\n  130  the replay was ended with Ctrl-C"))]
    Push(PushArguments),
    /// Publish an older version's text again, as the newest version
    #[command(after_help = after("No version is deleted: the older text becomes a new version. Preview, question, condition and exit codes are \
                            those of `contract push`.\n\n\
                            Examples:\n  scalper contract rollback labs --dry-run\n  \
                            scalper contract rollback labs --to 1.2.0 --yes --reason 'rule too strict'"))]
    Rollback(RollbackArguments),
}

/// How a version is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct PublishArguments {
    /// Number of stored files that the preview reads, the newest
    #[arg(long = "files", default_value_t = 20, value_parser = number(0_u16..=1_000))]
    pub files: u16,
    /// Publish without asking; add --replay to replay what the version rescues
    #[arg(long)]
    pub yes: bool,
    /// After that, replay the files of the preview that the version rescues, without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub replay: bool,
    /// End after the preview, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// What to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct PushArguments {
    /// The document, usually <feed>.odcs.yaml; `-` reads standard input
    pub file: String,
    /// Feed [default: the name of the file before .odcs.yaml]
    #[arg(long)]
    pub feed: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub publish: PublishArguments,
}

/// What to go back to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct RollbackArguments {
    /// Feed
    pub feed: String,
    /// Version: an object version, its first 8 characters, or the document's `version` [default: the one before the
    /// version in force]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub publish: PublishArguments,
}
