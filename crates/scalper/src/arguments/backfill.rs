//! The words of `backfill`.

use clap::Args;
use store::ActReason;

use super::number;
use crate::backfill::{BackfillPlace, CopyTarget};

/// Which files are processed, and how.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct BackfillArguments {
    /// Where the files are: s3://<inbox bucket>/<prefix>, or with --to any other bucket
    #[arg(value_name = "PLACE", value_parser = BackfillPlace::parse)]
    pub from: BackfillPlace,
    /// Copy the objects of another bucket into this folder of the inbox first, each once
    #[arg(long, value_name = "PARTNER/FEED", value_parser = CopyTarget::parse)]
    pub to: Option<CopyTarget>,
    /// Only files last modified since then: 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z
    #[arg(long)]
    pub since: Option<String>,
    /// Only files last modified before then, in the same form
    #[arg(long)]
    pub until: Option<String>,
    /// Why, at most 200 characters; kept in the audit trail
    #[arg(long, value_parser = ActReason::parse)]
    pub reason: ActReason,
    /// Count files and bytes, estimate the cost, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Maximum number of files that are under way at a time
    #[arg(long, default_value_t = 4, value_parser = number(1_u16..=100))]
    pub concurrency: u16,
    /// Begin without a question
    #[arg(long)]
    pub yes: bool,
}
