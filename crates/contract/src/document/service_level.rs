//! What the parties promise about the data as a whole: `slaProperties`.

use super::{Fields, Located, Node, no_settings};
use crate::finding::Findings;

/// A service level.
#[derive(Debug)]
pub(crate) struct ServiceLevel {
    /// What is promised: `latency`.
    pub(crate) property: Located<String>,
    /// How much of it.
    pub(crate) value: Option<Node>,
    pub(crate) unit: Option<Located<String>>,
    /// What runs the schedule: `cron`.
    pub(crate) scheduler: Option<Located<String>>,
    pub(crate) schedule: Option<Located<String>>,
}

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<ServiceLevel> {
    let mut fields = Fields::open(node, "a service level", findings)?;
    let property = fields.text("property", findings);
    if property.is_none() {
        findings.error(&node.place, "no `property`", "the name of a service level", "");
    }
    let value = fields.take("value").cloned();
    let unit = fields.text("unit", findings);
    let scheduler = fields.text("scheduler", findings);
    let schedule = fields.text("schedule", findings);
    no_settings(&mut fields, "a service level", findings);
    fields.keep(&["id", "valueExt", "element", "driver", "description", "authoritativeDefinitions"]);
    fields.close(findings);
    Some(ServiceLevel { property: property?, value, unit, scheduler, schedule })
}
