//! The words of the command line and its help. Everything is checked here or in `names`, before anything is called.

mod backfill;
mod contract;
mod files;
mod hold;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::StyledStr;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use backfill::BackfillArguments;
pub use contract::{ContractCommand, PublishArguments, PushArguments, RollbackArguments};
pub use files::{
    AckArguments, AuditArguments, FilesArguments, LetterQueue, ReadCommand, RedriveArguments,
    RejectsArguments, ReplayArguments, RetractArguments, StatusArguments, TailArguments, WhyArguments,
};
pub use hold::{HoldArguments, ReleaseArguments};

/// Colours of help and errors. `clap` writes them to a terminal only, and not where `NO_COLOR` is set.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const ABOUT: &str = "\
Examples:
  scalper status                          what is wrong first, then each feed
  scalper show north/labs/day.csv         one file's history and the next step
  scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv
                                          why records were rejected, no values
  scalper partner add north --feeds labs,charges
  scalper partner rotate north            add a second secret
  scalper doctor                          check the stack itself
  scalper --stack scalper-test partner list --json

Stack: --stack, then SCALPER_STACK, then `silent-scalper`.

Region: --region, then AWS_REGION, AWS_DEFAULT_REGION, then the profile.

Credentials: the environment, then AWS_PROFILE or the default profile (keys, single sign-on, an assumed role, credential_process), \
then a web identity, the container or the instance. AWS_ENDPOINT_URL names an emulator: `make local` starts one and prints the \
variables.

Output: text for people; --json prints one JSON document. On a terminal, tables fit its width (or $COLUMNS): long names lose \
their middle, as in `nor…day.csv`; counts, states and ids stay whole. Piped to a file or a command, nothing is shortened and \
each row is one line. NO_COLOR switches colours off.

Commands that read change nothing, and show no value of a file unless you ask for values. `ack` changes only the ledger, `contract` \
only the contracts. Every command that changes something is noted in the audit trail (`scalper audit`).

Exit codes:
  0  done
  1  failed; or `status --check` or `doctor` found a problem
  2  the command was not understood; or `doctor` could not check everything
  3  not found";

/// Returns the text after a command's options, its headings in the colour of `clap`'s own: lines that end with a colon.
fn after(text: &str) -> StyledStr {
    let header = STYLES.get_header();
    let lines = text.lines().map(|line| {
        let heading = line.ends_with(':') && !line.starts_with(' ');
        if heading { format!("{header}{line}{header:#}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n").into()
}

/// Reads a whole number in this range.
fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: Clone + Display + FromStr + PartialOrd,
{
    move |text| {
        let found = text.parse().ok().filter(|number| range.contains(number));
        found.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Heading of the options that every command takes.
const GLOBAL: &str = "Global options";

/// Operates a Silent Scalper stack.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "scalper", bin_name = "scalper", version, styles = STYLES, after_help = after(ABOUT), max_term_width = 80)]
pub struct Arguments {
    /// Name of the stack
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub stack: Option<String>,
    /// AWS region; overrides the environment
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub region: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to operate.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Manage who may send files, by API and by S3, and how much
    #[command(
        subcommand,
        after_help = after("Examples:\n  scalper partner add north --feeds labs,charges\n  scalper partner list north\n  \
                            scalper partner suspend north")
    )]
    Partner(PartnerCommand),
    /// Check the deployed stack and say what to do about each finding
    #[command(
        after_help = after("Checks the inbox's notification and versions, the inbox queue and its dead letters, the processor's event source, the \
                            account's concurrency, contracts, S3 uploads, alarms, the channels that report them, and API Gateway's \
                            log role. It changes nothing.\n\n\
                            Examples:\n  scalper doctor\n  scalper doctor --json > findings.json\n\n\
                            Exit codes:\n  0  no problem (warnings may be shown)\n  1  a problem\n  2  something could not be \
                            checked, for example because a permission is missing")
    )]
    Doctor,
    /// Acknowledge quarantined files that need no further action
    #[command(
        after_help = after("`status` lists a quarantined file until a good file of its name or a correction of it arrives, or until you \
                            acknowledge it. The ledger keeps the reason, the time and your ARN. \
                            Running the command again changes nothing: the first acknowledgement stays.\n\n\
                            Examples:\n  scalper ack r5g61a45bnmyhnp8sgqw0ymkjv --reason 'a test file' --dry-run\n  \
                            scalper ack shop/orders.csv --reason 'sent again under shop/orders/'\n\n\
                            Exit codes:\n  0  acknowledged, now or before\n  1  not quarantined, or not written\n  2  not understood\n  3  no such file")
    )]
    Ack(AckArguments),
    /// Send dead letters again, when their cause is corrected
    #[command(
        after_help = after("A dead letter is a message that failed ten times. For each one the command shows the file, when the message was first \
                            sent, and what the ledger says. A letter whose file is decided asks for nothing: it is removed. All others are sent \
                            to their queue again, one after the other, and then removed. A letter that is not a message of this stack is shown \
                            and left. An interrupted command can be repeated; letters that it had taken are visible again after 5 minutes.\n\n\
                            Examples:\n  scalper redrive --dry-run\n  \
                            scalper redrive --reason 'the key of the bucket is enabled again'\n  \
                            scalper redrive --file north/labs/day.csv\n  \
                            scalper redrive --queue webhooks\n\n\
                            Exit codes:\n  0  done, or nothing to do\n  1  failed: run it again\n  2  not understood\n  3  no dead letter of the named files")
    )]
    Redrive(RedriveArguments),
    /// Hide the rows of a loaded file; `--undo` shows them again
    #[command(
        after_help = after("All rows of the file become invisible in one moment, in the records API and for readers that ask the ledger. Where one \
                            version of a name replaces another, the version before is visible again. Nothing is deleted. The sender's receipt \
                            says RETRACTED, and the outcome is announced. Running the command again changes nothing.\n\n\
                            Examples:\n  scalper retract north/labs/day.csv --reason 'the wrong day' --dry-run\n  \
                            scalper retract r5g61a45bnmyhnp8sgqw0ymkjv --reason 'the wrong day'\n  \
                            scalper retract r5g61a45bnmyhnp8sgqw0ymkjv --undo --reason 'it was right'\n\n\
                            Exit codes:\n  0  done, now or before\n  1  nothing to retract, or failed: run it again\n  2  not understood\n  3  no such file")
    )]
    Retract(RetractArguments),
    /// Process files again under the contract in force, and load what it accepts
    #[command(
        after_help = after("First the command reads the stored files and shows what each becomes: how many rejected records are rescued, which \
                            rules still reject how many, and what the load costs. Then it asks, and the stack processes the files again. The rows \
                            of a replay take the place of the old ones in one moment; what is loaded stays loaded unless you say --quarantine. \
                            A few files are replayed at a time, so that new files wait behind few of them. Ctrl-C ends the command and notes what was done: run it again, and it \
                            leaves out what is done.\n\n\
                            Examples:\n  scalper replay --open --dry-run\n  \
                            scalper replay --feed labs --fault ERROR_BUDGET --since 7d --reason 'dose rule corrected'\n  \
                            scalper replay north/labs/day.csv --reason 'contract 1.3.0' --yes\n\n\
                            Exit codes:\n  0  every file is loaded, or nothing to do\n  1  a file was not loaded, or failed\n  2  not understood, or not confirmed\n  3  no such file\n  130  ended with Ctrl-C")
    )]
    Replay(ReplayArguments),
    /// Process files that are in the inbox already, or in another bucket
    #[command(
        after_help = after("Sends every version below the place that the ledger has not decided to the inbox queue, a few at a time, and waits for \
                            its outcome. New files wait behind few of them. It shows what is there and what it costs, and asks, unless \
                            --yes is given. Ctrl-C ends it and notes what was done; run the same command again to go on: decided files are left out.\n\n\
                            With --to, objects of another bucket are copied into the inbox as <partner>/<feed>/<bucket>/<key>, with your own \
                            credentials, and processed as new files. A copy replaces nothing: copying twice is copying once.\n\n\
                            Examples:\n  scalper backfill s3://inbox/north/labs/ --reason restored --dry-run\n  \
                            scalper backfill s3://inbox/north/labs/2026- --reason moved --concurrency 9\n  \
                            scalper backfill s3://archive/2025/ --to north/labs --reason moved\n\n\
                            Exit codes:\n  0  all are decided, none is quarantined\n  1  a file is quarantined, not decided or not copied, or the command failed\n  \
                            2  not understood, not the inbox, or not confirmed\n  3  no such stack or prefix\n  130  ended with Ctrl-C")
    )]
    Backfill(BackfillArguments),
    /// Let the files of a feed wait until you release it
    #[command(
        after_help = after("Files that are received from now on are noted in the ledger as HELD, and neither loaded nor quarantined. Nothing is \
                            lost: `release` processes them all, the oldest first. Files whose processing has begun are finished, and \
                            replays that you ask for are carried out. Running the command again changes nothing: the first hold stays.\n\n\
                            Examples:\n  scalper hold north/labs --reason 'the contract is being corrected'\n  \
                            scalper status                          held feeds, and how many files wait\n  \
                            scalper files --partner north --state held\n\n\
                            Exit codes:\n  0  held, now or before\n  1  failed: run it again\n  2  not understood\n  3  no such partner")
    )]
    Hold(HoldArguments),
    /// Release a held feed, and process the files that waited
    #[command(
        after_help = after("Ends the hold, then sends the files that waited to the inbox queue, the oldest first and a few at a time, and waits for \
                            their outcome. Ctrl-C stops it; run the same command again to go on. Files that are left are sent \
                            by the stack itself.\n\n\
                            Examples:\n  scalper release north/labs --dry-run\n  \
                            scalper release north/labs --reason corrected\n  scalper release north/labs --concurrency 9\n\n\
                            Exit codes:\n  0  released, none is quarantined; or not held\n  \
                            1  a file is quarantined or not decided, or the command failed\n  2  not understood\n  3  no such partner\n  130  ended with Ctrl-C")
    )]
    Release(ReleaseArguments),
    /// Check, compare, publish and roll back the contracts of feeds
    #[command(
        subcommand,
        after_help = after("Examples:\n  scalper contract lint labs.odcs.yaml\n  scalper contract push labs.odcs.yaml --dry-run\n  \
                            scalper contract history labs")
    )]
    Contract(ContractCommand),
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    Read(ReadCommand),
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    Generate(GenerateCommand),
}

/// What to do with partners.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum PartnerCommand {
    /// Add a partner with its first credential, or change its limits
    #[command(
        after_help = after("The secret is shown once and stored only as a hash. If the command was interrupted, run it again: it finishes \
                            what is missing and repeats nothing.\n\n\
                            Examples:\n  scalper partner add north\n  scalper partner add north --feeds labs --rate 20 --bytes-per-day 5GiB")
    )]
    Add(Add),
    /// Make a second credential; the first stays valid until you revoke it
    #[command(
        after_help = after("Both secrets are valid until you revoke the old one, so the partner can change without a gap.\n\n\
                            Examples:\n  scalper partner rotate north\n  scalper partner rotate north --scopes read --expires-days 90")
    )]
    Rotate(Rotate),
    /// Reject a credential from now on, and delete its API Gateway key
    #[command(
        after_help = after("Requests with the credential are rejected within a minute.\n\n\
                            Example:\n  scalper partner revoke north aaaaaaaaaaaa")
    )]
    Revoke {
        /// Name of the partner
        name: String,
        /// Id of the credential, as `partner list <name>` shows it
        credential: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
        why: WhyArguments,
    },
    /// List all partners, or show one with its credentials; never a secret
    #[command(after_help = after("Examples:\n  scalper partner list\n  scalper partner list north"))]
    List {
        /// Name of one partner
        name: Option<String>,
    },
    /// Reject everything this partner sends, by API and by S3
    #[command(
        after_help = after("A file that arrives during the suspension is quarantined as PARTNER_SUSPENDED.\n\n\
                            Example:\n  scalper partner suspend north")
    )]
    Suspend {
        /// Name of the partner
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
        why: WhyArguments,
    },
    /// Accept a suspended partner's files again
    #[command(
        after_help = after("Files that were quarantined during the suspension have to be sent again.\n\n\
                            Example:\n  scalper partner resume north")
    )]
    Resume {
        /// Name of the partner
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
        why: WhyArguments,
    },
    /// Post the outcomes of a partner's files to an address
    #[command(
        after_help = after("Examples:\n  scalper partner webhook north --url https://hooks.example.org/outcomes\n  \
                            scalper partner webhook north --rotate\n  scalper partner webhook north --remove")
    )]
    Webhook(WebhookArguments),
    /// Accept an IAM role as a partner (requests signed with SigV4)
    #[command(
        after_help = after("Examples:\n  scalper partner role north arn:aws:iam::210987654321:role/sender --feeds labs\n  \
                            scalper partner role north arn:aws:iam::210987654321:role/sender --remove")
    )]
    Role(RoleArguments),
    /// Give a partner S3 uploads, take them away, or show who has them
    #[command(
        after_help = after("The partner's principals may put objects below <partner>/ of the inbox bucket, and nothing else: one statement in the \
                            bucket policy, and with a customer key one grant of the key for each. The partners table remembers \
                            them. An update of the stack that changes the bucket policy removes the statements; --all \
                            puts them back.\n\n\
                            Examples:\n  scalper partner s3 north --principal arn:aws:iam::210987654321:role/a\n  \
                            scalper partner s3 north           show who may upload\n  \
                            scalper partner s3 north --remove  take all of them away\n  \
                            scalper partner s3 --all           after an update of the stack")
    )]
    S3(S3Arguments),
}

impl PartnerCommand {
    /// Returns the feeds that the command names.
    #[must_use]
    pub fn feeds(&self) -> Option<&str> {
        match self {
            Self::Add(add) => add.grant.feeds.as_deref(),
            Self::Rotate(rotate) => rotate.grant.feeds.as_deref(),
            Self::Role(role) if !role.remove => Some(&role.feeds),
            Self::Role(_)
            | Self::Revoke { .. }
            | Self::List { .. }
            | Self::Suspend { .. }
            | Self::Resume { .. }
            | Self::Webhook(_)
            | Self::S3(_) => None,
        }
    }
}

/// A new partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Add {
    /// Name of the partner: lower-case letters, digits, `-` and `_`
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub grant: GrantArguments,
    /// Requests per second, on average [default for a new partner: 10]
    #[arg(long, value_parser = number(1_u32..=10_000))]
    pub rate: Option<u32>,
    /// Requests in one burst [default for a new partner: 50]
    #[arg(long, value_parser = number(1_u32..=5_000))]
    pub burst: Option<u32>,
    /// Size of files per day (UTC): `500MB`, `20GiB` or bytes [default for a new partner: 20GiB]
    #[arg(long, value_name = "SIZE", value_parser = crate::size::parse)]
    pub bytes_per_day: Option<u64>,
    /// Requests per day, counted by API Gateway [default for a new partner: 100000]
    #[arg(long, value_parser = number(1..=i32::MAX))]
    pub requests_per_day: Option<i32>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// What a credential opens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct GrantArguments {
    /// Feeds that the credential opens, separated by commas, or `*` for all [default: `*`; for `rotate`, those of the
    /// credential before]
    #[arg(long)]
    pub feeds: Option<String>,
    /// What it may do: submit, read, operate (have files replayed) [default: submit,read; for `rotate`, the same as
    /// the credential before]
    #[arg(long)]
    pub scopes: Option<String>,
    /// Days until it expires [default: never]
    #[arg(long, value_parser = number(1_u32..=3_650))]
    pub expires_days: Option<u32>,
}

/// A further credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Rotate {
    /// Name of the partner
    pub name: String,
    /// Id of the credential whose feeds and scopes are copied [default: the newest]
    #[arg(long)]
    pub credential: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub grant: GrantArguments,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// Where outcomes are posted.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct WebhookArguments {
    /// Name of the partner
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub change: WebhookChange,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// One of three changes.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
pub struct WebhookChange {
    /// Post to this https address; the first secret is shown once
    #[arg(long)]
    pub url: Option<String>,
    /// Make a new secret, shown once; the old one signs too until the next rotation
    #[arg(long)]
    pub rotate: bool,
    /// Stop posting
    #[arg(long)]
    pub remove: bool,
}

/// A role that is a partner's.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RoleArguments {
    /// Name of the partner
    pub name: String,
    /// `arn:aws:iam::<account>:role/<name>`
    pub arn: String,
    /// Stop accepting the role
    #[arg(long)]
    pub remove: bool,
    /// Feeds that the role opens, separated by commas, or `*`
    #[arg(long, default_value = "*")]
    pub feeds: String,
    /// What it may do: submit, read, operate (have files replayed)
    #[arg(long, default_value = "submit,read")]
    pub scopes: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// Who uploads by S3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct S3Arguments {
    /// Name of the partner
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub name: Option<String>,
    /// `arn:aws:iam::<account>:role/<name>`, `…:user/<name>` or `…:root`; may be given several times
    #[arg(long = "principal", value_name = "ARN", conflicts_with = "all")]
    pub principals: Vec<String>,
    /// Take S3 uploads away from these principals, or without --principal from all of the partner's
    #[arg(long, conflicts_with = "all")]
    pub remove: bool,
    /// Put the statement of every partner back
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
}

/// What to print about the command line. Needs no stack and no AWS.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum GenerateCommand {
    /// Print shell completions
    #[command(after_help = after("Examples:\n  \
                            scalper completions bash > ~/.local/share/bash-completion/completions/scalper\n  \
                            scalper completions zsh > ~/.zfunc/_scalper\n  \
                            scalper completions fish > ~/.config/fish/completions/scalper.fish"))]
    Completions {
        /// Shell that reads them
        shell: Shell,
    },
    /// Print the man page, or write one page per command to a folder
    #[command(after_help = after("Examples:\n  scalper man | man -l -\n  \
                            scalper man --folder ~/.local/share/man/man1"))]
    Man {
        /// Write `scalper.1`, `scalper-show.1` and so on to this folder, which is created if needed
        #[arg(long, value_name = "PATH")]
        folder: Option<PathBuf>,
    },
}
