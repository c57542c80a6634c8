//! Business rules through the engine: which records they reject, what is reported where, and what is counted.

use std::sync::Arc;

use contract::{Contract, Found};

use super::{KeptCalls, pass, passes, run};
use crate::{ContentHash, FileCheck, Reject, Row, Sink, Summary, reason};

/// A feed of stays: dates and a number of days, with two rules that reject and one that warns.
fn stays(format: &str) -> Contract {
    let source = format!(
        "apiVersion: v3.2.0\nkind: DataContract\nid: stays\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - {{ server: inbox, type: s3, location: s3://inbox/a/stays/, format: {format} }}\n\
         schema:\n  - name: stays\n    quality:\n\
         \x20     - {{ type: custom, engine: cel, name: order, description: A stay ends after it begins., implementation: 'begins <= ends' }}\n\
         \x20     - {{ type: custom, engine: cel, name: rate, implementation: 'amount / days <= 500' }}\n\
         \x20     - {{ type: custom, engine: cel, name: long, severity: warning, implementation: 'ends - begins <= duration(\"240h\")' }}\n\
         \x20   properties:\n\
         \x20     - {{ name: id, logicalType: integer, primaryKey: true }}\n\
         \x20     - {{ name: begins, logicalType: date }}\n\
         \x20     - {{ name: ends, logicalType: date }}\n\
         \x20     - name: days\n        logicalType: integer\n        \
         quality: [{{ type: custom, engine: cel, name: even, implementation: 'days % 2 == 0' }}]\n\
         \x20     - {{ name: amount, logicalType: number }}\n"
    );
    contract::compile(&source).unwrap_or_else(|findings| panic!("{findings:?}")).0
}

/// Number of the record, and rule, column and reason of a violation.
type FoundRule = (u64, String, Option<u16>, String);

#[derive(Default)]
struct BrokenRules(Vec<FoundRule>);

impl Sink for BrokenRules {
    fn row(&mut self, _row: Row<'_>) {}

    fn reject(&mut self, reject: Reject<'_>) {
        self.0.extend(reject.violations.iter().map(|violation| {
            let rule = reject.contract.rule(violation.rule).id.clone();
            (reject.position.record, rule, violation.column, reason(reject.contract, violation))
        }));
    }
}

fn broken(contract: Contract, file: &str) -> (Vec<FoundRule>, Summary) {
    let mut kept = BrokenRules::default();
    let mut check = FileCheck::new(Arc::new(contract), [3; 16], ContentHash::Skipped);
    let summary = run(&mut check, file.as_bytes(), 9, &mut kept);
    (kept.0, summary)
}

/// How often each rule of this contract was broken.
fn counts(contract: &Contract, summary: &Summary) -> Vec<(String, u64)> {
    let by_rule = contract.rules.iter().zip(&summary.by_rule);
    by_rule.filter(|(_, count)| **count > 0).map(|(rule, count)| (rule.id.clone(), *count)).collect()
}

#[test]
fn a_record_is_rejected_by_the_rule_that_it_breaks() {
    let file = "id,begins,ends,days,amount\n\
                1,2026-01-01,2026-01-03,2,1000\n\
                2,2026-01-03,2026-01-01,2,1000\n\
                3,2026-01-01,2026-01-03,3,1000.5\n\
                4,2026-01-01,2026-01-03,2,1000.01\n\
                5,2026-01-01,2026-01-01,0,1\n";
    let (found, summary) = broken(stays("csv"), file);
    let said: Vec<(u64, &str, Option<u16>, &str)> = found
        .iter()
        .map(|(record, rule, column, reason)| (*record, rule.as_str(), *column, reason.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (2, "order", None, "breaks the rule \"A stay ends after it begins\" (`begins`, `ends`)"),
            (3, "even", Some(3), "breaks the rule `days % 2 == 0`"),
            (4, "rate", None, "breaks the rule `amount / days <= 500` (`days`, `amount`)"),
            (5, "rate", None, "a division by zero in the rule `amount / days <= 500` (`days`, `amount`)"),
        ]
    );
    let expected = [("even", 1), ("order", 1), ("rate", 2)].map(|(rule, count)| (rule.to_owned(), count));
    assert_eq!(counts(&stays("csv"), &summary), expected);
    assert_eq!((summary.counts.rows, summary.counts.rejects), (1, 4));
}

#[test]
fn a_rule_that_warns_counts_and_loads() {
    let file = "id,begins,ends,days,amount\n1,2026-01-01,2026-03-01,60,1000\n";
    let (kept, summary) = pass(stays("csv"), file.as_bytes());
    assert_eq!((kept.rows.len(), summary.counts.rejects, summary.counts.warnings), (1, 0, 1));
    assert_eq!(counts(&stays("csv"), &summary), [("long".to_owned(), 1)]);
}

#[test]
fn a_null_and_a_cell_of_another_type_break_no_rule() {
    let file = "id,begins,ends,days,amount\n\
                1,2026-01-03,,2,1000\n\
                2,,,,\n\
                3,2026-01-03,yesterday,2,1000\n\
                4,2026-01-03,2026-01-01,two,1000\n";
    let (found, summary) = broken(stays("csv"), file);
    let said: Vec<(u64, &str)> = found.iter().map(|(record, rule, ..)| (*record, rule.as_str())).collect();
    // One mistake is one violation; a rule on other cells still runs.
    assert_eq!(said, [(3, "ends.type"), (4, "days.type"), (4, "order")]);
    assert_eq!((summary.counts.rows, summary.counts.rejects), (2, 2));
    let json = "{\"id\":1}\n{\"id\":2,\"begins\":null,\"ends\":\"2026-01-01\"}\n\
                {\"id\":3,\"begins\":\"2026-01-02\",\"ends\":\"2026-01-01\"}\n";
    let (kept, _) = pass(stays("ndjson"), json.as_bytes());
    assert_eq!(kept.rejects.iter().map(|(record, _)| *record).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_side_that_decides_does_not_hide_a_cell_of_another_type() {
    let source = "apiVersion: v3.2.0\nkind: DataContract\nid: f\nversion: 1.0.0\nstatus: active\n\
                  servers: [{ server: inbox, type: s3, location: s3://inbox/a/f/, format: csv }]\n\
                  schema:\n  - name: f\n    \
                  quality: [{ engine: cel, name: both, implementation: 'a > 5 && b > 5' }]\n    properties:\n      \
                  - { name: a, logicalType: integer, primaryKey: true }\n      - { name: b, logicalType: integer }\n";
    let (contract, _) = contract::compile(source).unwrap_or_else(|findings| panic!("{findings:?}"));
    let (found, _) = broken(contract, "a,b\n1,x\n2,9\n");
    let said: Vec<(u64, &str)> = found.iter().map(|(record, rule, ..)| (*record, rule.as_str())).collect();
    assert_eq!(said, [(1, "b.type"), (2, "both")]);
}

#[test]
fn both_passes_say_the_same_and_a_rejected_record_takes_no_key() {
    let file = "id,begins,ends,days,amount\n\
                1,2026-01-03,2026-01-01,2,1000\n\
                1,2026-01-01,2026-01-03,2,1000\n";
    let [(first, _), (second, _)] = passes(stays("csv"), file.as_bytes());
    assert_eq!(first, second);
    let KeptCalls { rows, rejects, .. } = first;
    assert_eq!(rows, [(2, Some("1".to_owned()))]);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].1[0].found, Found::ExpressionFalse);
}
