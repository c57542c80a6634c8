//! What a partner may use.

use store::{Partner, PartnerLimits};

use crate::arguments::Add;

/// Returns the partner as it was, or a new one, with the limits that the command names.
pub(super) fn merged(before: Option<&Partner>, add: &Add, now_ms: u64) -> Partner {
    let fresh = || Partner {
        name: add.name.clone(),
        active: true,
        limits: PartnerLimits::DEFAULT,
        created_ms: now_ms,
    };
    let partner = before.cloned().unwrap_or_else(fresh);
    let limits = PartnerLimits {
        requests_per_second: add.rate.unwrap_or(partner.limits.requests_per_second),
        burst: add.burst.unwrap_or(partner.limits.burst),
        bytes_per_day: add.bytes_per_day.unwrap_or(partner.limits.bytes_per_day),
    };
    Partner { limits, ..partner }
}
