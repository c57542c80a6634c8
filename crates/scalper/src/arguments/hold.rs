//! The words of `hold` and `release`.

use clap::Args;
use store::ActReason;

use super::{WhyArguments, number};
use crate::hold::HeldFeed;

/// Which feed is held, and why.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct HoldArguments {
    /// The feed of a registered partner: <partner>/<feed>
    #[arg(value_name = "FEED", value_parser = HeldFeed::parse)]
    pub feed: HeldFeed,
    /// Why, at most 200 characters; `status` shows it
    #[arg(long, value_parser = ActReason::parse)]
    pub reason: ActReason,
}

/// Which feed is released, and how.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ReleaseArguments {
    /// The feed: <partner>/<feed>
    #[arg(value_name = "FEED", value_parser = HeldFeed::parse)]
    pub feed: HeldFeed,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of the whole command")]
    pub why: WhyArguments,
    /// Count the files that wait, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Maximum number of files that are under way at a time
    #[arg(long, default_value_t = 4, value_parser = number(1_u16..=100))]
    pub concurrency: u16,
}
