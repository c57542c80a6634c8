//! The words of the command line. Everything is checked here or in `names`, before anything is called.

mod files;

use clap::{Args, Parser, Subcommand};

pub use files::{FilesArguments, ReadCommand, RejectsArguments, StatusArguments, TailArguments};

const EXAMPLES: &str = "\
Examples:
  scalper status                                     what is wrong first, then each feed
  scalper show north-clinic/labs/day.csv             one file's whole story, and what to do next
  scalper rejects r5g61a45bnmyhnp8sgqw0ymkjv         which records were refused and why, without their values
  scalper partner add north-clinic --feeds labs,charges --expires-days 365
  scalper partner rotate north-clinic                the new secret works at once, the old one goes on
  scalper partner revoke north-clinic k3vq7tz2m5ha   once the partner uses the new one
  scalper partner s3 north-clinic --principal arn:aws:iam::210987654321:role/sender
  scalper doctor                                     what is wrong with the stack itself, and what to do
  scalper --stack scalper-test partner list --json

The stack is that of --stack, else of SCALPER_STACK, else silent-scalper. AWS credentials are those of the
environment, else of AWS_PROFILE or the default profile (keys, single sign-on, an assumed role, credential_process), else
a web identity, the container or the instance. The region is that of --region, else of AWS_REGION, AWS_DEFAULT_REGION or
the profile. AWS_ENDPOINT_URL names an emulator: `make local` starts one and prints the variables. The commands that read learn the account, and so the names of buckets, from
the ARN of the stack's ledger table. They change nothing and show no value of a file unless they are asked for.

Exit codes: 0 done, 1 failed (or `status --check` or `doctor` found something wrong), 2 not understood (or `doctor` could
not check everything), 3 not there.";

/// Operates a Silent Scalper stack.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "scalper", bin_name = "scalper", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// The name of the stack
    #[arg(long, global = true)]
    pub stack: Option<String>,
    /// The AWS region, before that of the environment
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// Answer as one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to operate.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Who may send files by the API and by S3, and how much
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Check the deployed stack, and say what to do about each finding
    #[command(
        after_help = "Checks the inbox's notification and versions, the inbox queue and its dead letters, the processor's event source, the \
                            account's concurrency, contracts, S3 uploads, alarms, the channels that report them, and API Gateway's \
                            log role. It changes nothing.\n\n\
                            Exit codes: 0 nothing is wrong (warnings may be shown), 1 something is wrong, 2 something could not be \
                            checked, for example for want of a permission."
    )]
    Doctor,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    Read(ReadCommand),
}

/// What to do with partners.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum PartnerCommand {
    /// Add a partner with its first credential, or change its limits
    #[command(
        after_help = "The secret is shown once and kept only as a hash. Sent again, the command finishes what was \
                            interrupted, and changes nothing that is done.\n\n\
                            Example:\n  scalper partner add north-clinic --feeds labs --scopes submit,read --rate 20"
    )]
    Add(Add),
    /// Make a second credential; the first stays valid until it is revoked
    Rotate(Rotate),
    /// Refuse a credential from now on, and delete its API Gateway key
    Revoke {
        /// The partner
        name: String,
        /// The credential's id, as `partner list <name>` shows it
        credential: String,
    },
    /// Show all partners, or one with its credentials; never a secret
    List {
        /// One partner
        name: Option<String>,
    },
    /// Reject everything this partner sends, by API and by S3
    Suspend {
        /// The partner
        name: String,
    },
    /// Accept a suspended partner's files again
    Resume {
        /// The partner
        name: String,
    },
    /// Say where a partner hears of its files
    Webhook(WebhookArguments),
    /// Let an IAM role in as a partner (requests signed with SigV4)
    Role(RoleArguments),
    /// Give a partner S3 uploads, take them away, or show who has them
    #[command(
        after_help = "The partner's principals may put objects below <partner>/ of the inbox bucket, and nothing else: one statement in the \
                            bucket policy, and with a customer key one grant of the key for each. They are remembered in the \
                            partners table. An update of the stack that changes the bucket policy removes the statements; --all \
                            puts them back.\n\n\
                            Examples:\n  scalper partner s3 north-clinic --principal arn:aws:iam::210987654321:role/sender\n  \
                            scalper partner s3 north-clinic              who may, and whether it is in force\n  \
                            scalper partner s3 north-clinic --remove     nobody any more\n  \
                            scalper partner s3 --all                     after an update of the stack"
    )]
    S3(S3Arguments),
}

/// A new partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Add {
    /// The partner: lower-case letters, digits, `-` and `_`
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub grant: GrantArguments,
    /// Requests a second, over time [default for a new partner: 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: Option<u32>,
    /// Requests at once, after a pause [default for a new partner: 50]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub burst: Option<u32>,
    /// Bytes of files in a day (UTC) [default for a new partner: 20 GiB]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1 << 50))]
    pub bytes_per_day: Option<u64>,
    /// Requests in a day, counted by API Gateway [default for a new partner: 100000]
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..))]
    pub requests_per_day: Option<i32>,
}

/// What a credential opens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct GrantArguments {
    /// Feeds that the credential opens, separated by commas, or `*` [default: *, or as the one before]
    #[arg(long)]
    pub feeds: Option<String>,
    /// What it may do: submit, read [default: submit,read, or as the one before]
    #[arg(long)]
    pub scopes: Option<String>,
    /// Days until it ends by itself [default: never]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub expires_days: Option<u32>,
}

/// A further credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Rotate {
    /// The partner
    pub name: String,
    /// The credential whose feeds and scopes the new one takes over [default: the newest]
    #[arg(long)]
    pub credential: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub grant: GrantArguments,
}

/// Where outcomes are posted.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct WebhookArguments {
    /// The partner
    pub name: String,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub change: WebhookChange,
}

/// One of three changes.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[group(required = true, multiple = false)]
pub struct WebhookChange {
    /// Post to this https address; its first secret is shown once
    #[arg(long)]
    pub url: Option<String>,
    /// Make a new secret, shown once; both sign until the next rotation
    #[arg(long)]
    pub rotate: bool,
    /// Post no more
    #[arg(long)]
    pub remove: bool,
}

/// A role that is a partner's.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RoleArguments {
    /// The partner
    pub name: String,
    /// `arn:aws:iam::<account>:role/<name>`
    pub arn: String,
    /// Let it in no more
    #[arg(long)]
    pub remove: bool,
    /// Feeds that the role opens, separated by commas, or `*`
    #[arg(long, default_value = "*")]
    pub feeds: String,
    /// What it may do: submit, read
    #[arg(long, default_value = "submit,read")]
    pub scopes: String,
}

/// Who uploads by S3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct S3Arguments {
    /// The partner
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
}
