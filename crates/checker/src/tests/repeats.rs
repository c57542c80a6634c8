//! Keys and unique values within one file.

use std::collections::HashMap;

use contract::{Duplicates, Found, Structure};
use proptest::prelude::*;

use super::contracts::{with_policy, with_unique_count};
use super::{COLUMNS, KeptCalls, contract, pass, passes};
use crate::Summary;

fn rows(kept: &KeptCalls) -> Vec<u64> {
    kept.rows.iter().map(|(record, _)| *record).collect()
}

fn twice(duplicates: Duplicates, records: &str) -> [(KeptCalls, Summary); 2] {
    let file = format!("{COLUMNS}{records}");
    passes(with_policy(|policy| policy.duplicates = duplicates), file.as_bytes())
}

#[test]
fn a_repeat_is_rejected_and_names_the_line_of_the_first() {
    let [(kept, summary), _] = twice(Duplicates::RejectRepeats, "a,1,x\nb,2,x\na,3,x\na,4,x\n");
    assert_eq!(rows(&kept), [1, 2]);
    assert_eq!(kept.rejects[0].1[0].found, Found::LineOfFirst(2));
    assert_eq!(kept.rejects[1].1[0].found, Found::LineOfFirst(2));
    assert_eq!(kept.rejects[0].1[0].column, Some(0));
    assert_eq!(summary.by_rule[usize::from(Structure::PrimaryKey.index().0)], 2);
}

#[test]
fn a_rejected_record_takes_no_key_and_no_unique_value() {
    let file = format!("{COLUMNS}a,bad,x\na,1,x\nb,1,x\nb,2,x\n");
    let (kept, _) = pass(with_unique_count(), file.as_bytes());
    assert_eq!(rows(&kept), [2, 4]);
}

#[test]
fn numbers_repeat_by_value_and_nulls_never() {
    let file = format!("{COLUMNS}a,1,x\nb,001,x\nc,,x\nd,,x\n");
    let (kept, _) = pass(with_unique_count(), file.as_bytes());
    assert_eq!(rows(&kept), [1, 3, 4]);
}

#[test]
fn a_composite_key_is_compared_as_a_tuple() {
    let mut composite = contract();
    composite.primary_key = vec![0, 2];
    let file = format!("{COLUMNS}a,1,bc\nab,1,c\na#b,1,c\na,1,b#c\na,1,bc\n");
    let (kept, _) = pass(composite, file.as_bytes());
    assert_eq!(rows(&kept), [1, 2, 3, 4]);
    let keys: Vec<_> = kept.rows.iter().filter_map(|(_, key)| key.as_deref()).collect();
    assert_eq!(keys, ["a#bc", "ab#c", "a%23b#c", "a#b%23c"]);
}

#[test]
fn keep_last_takes_the_last_and_its_first_pass_counts_are_right() {
    let [(_, first), (kept, second)] = twice(Duplicates::KeepLast, "a,1,x\nb,2,x\na,3,x\na,4,x\na,bad,x\n");
    assert_eq!(rows(&kept), [2, 4]);
    assert_eq!(first.counts, second.counts);
    assert_eq!((first.counts.rows, first.counts.rejects), (2, 3));
    assert_eq!(first.by_rule, second.by_rule);
    assert_eq!(second.first[0].0.line, 2);
}

#[test]
fn reject_all_takes_none_of_a_key() {
    let [(_, first), (kept, second)] = twice(Duplicates::RejectAll, "a,1,x\nb,2,x\na,3,x\na,4,x\n");
    assert_eq!(rows(&kept), [2]);
    assert_eq!(first.counts, second.counts);
    assert_eq!(first.by_rule, second.by_rule);
}

proptest! {
    #[test]
    fn whatever_the_policy_the_second_pass_gives_what_the_first_counted(
        ids in prop::collection::vec("[a-f]?", 0..60),
        duplicates in prop::sample::select(vec![
            Duplicates::RejectRepeats, Duplicates::RejectAll, Duplicates::KeepLast,
        ]),
    ) {
        let records: String = ids.iter().fold(String::new(), |text, id| format!("{text}{id},1,x\n"));
        let [(_, first), (kept, second)] = twice(duplicates, &records);
        let numbered = || (1_u64..).zip(&ids).filter(|(_, id)| !id.is_empty());
        let mut by_key: HashMap<&str, Vec<u64>> = HashMap::new();
        for (record, id) in numbered() {
            by_key.entry(id).or_default().push(record);
        }
        let taken = |record: u64, id: &str| match duplicates {
            Duplicates::RejectRepeats => by_key[id].first() == Some(&record),
            Duplicates::KeepLast => by_key[id].last() == Some(&record),
            Duplicates::RejectAll => by_key[id].len() == 1,
        };
        let expected: Vec<u64> =
            numbered().filter(|(record, id)| taken(*record, id)).map(|(record, _)| record).collect();
        prop_assert_eq!(rows(&kept), expected);
        prop_assert_eq!(first.counts, second.counts);
        prop_assert_eq!(&first.by_rule, &second.by_rule);
        prop_assert_eq!(second.counts.rows, kept.rows.len() as u64);
        prop_assert_eq!(second.counts.rejects, kept.rejects.len() as u64);
        let records = |summary: &Summary| -> Vec<_> {
            summary.first.iter().map(|(position, violation)| (position.record, *violation)).collect()
        };
        prop_assert_eq!(records(&first), records(&second));
    }
}
