//! The audit trail, and who calls.

use super::Memory;
use crate::audit::{GatheredActs, sort_key};
use crate::{AuditPage, AuditQuery, CallerIdentity, Error, Operation, ReadAudit, WriteAudit};
use ::ledger::{ActRecord, Arn};

/// The caller of a store in memory.
pub const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/operator/ann";

impl CallerIdentity for Memory {
    async fn caller(&self) -> Result<Arn, Error> {
        let caller = self.call(Operation::IdentifyCaller, |_| Arn::parse(CALLER)).await?;
        caller.ok_or_else(|| Error::new(Operation::IdentifyCaller, "malformed answer"))
    }
}

impl WriteAudit for Memory {
    async fn note(&self, record: &ActRecord) -> Result<(), Error> {
        let stands = self
            .call(Operation::WriteAudit, |kept| {
                kept.acts.entry(sort_key(record)).or_insert_with(|| record.clone()).clone()
            })
            .await?;
        if stands == *record { Ok(()) } else { Err(Error::new(Operation::WriteAudit, "written before")) }
    }
}

impl ReadAudit for Memory {
    async fn acts(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        self.call(Operation::ReadAudit, |kept| {
            let mut found = GatheredActs::new(query);
            for record in kept.acts.values().rev().filter(|record| matches(query, record)) {
                if !found.take(&record.act.id, Some(record.clone())) {
                    return found.page(false);
                }
            }
            found.page(true)
        })
        .await
    }
}

fn matches(query: &AuditQuery, record: &ActRecord) -> bool {
    let act = &record.act;
    let is = |wanted: &Option<String>, found: &Option<::ledger::ActWord>| {
        wanted.as_ref().is_none_or(|wanted| found.as_ref().is_some_and(|found| found.as_str() == wanted))
    };
    (query.from_ms..query.until_ms).contains(&act.at_ms)
        && query.verb.is_none_or(|verb| verb == act.verb)
        && query.by.as_ref().is_none_or(|by| act.by.to_string().contains(by))
        && is(&query.partner, &act.subject.partner)
        && is(&query.feed, &act.subject.feed)
        && query.file.as_ref().is_none_or(|file| act.subject.file.as_ref() == Some(file))
}

/// What tests see. None of it is a counted call.
impl Memory {
    /// Returns the records of the audit trail, oldest first: for each act its beginning, then its end.
    #[must_use]
    pub fn audited(&self) -> Vec<ActRecord> {
        self.kept().acts.values().cloned().collect()
    }
}
