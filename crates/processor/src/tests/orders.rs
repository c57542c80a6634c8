use std::collections::BTreeMap;

use runtime::notification::{self, NotificationAuthor};
use serde_json::{Value, json};
use store::{FileVersion, ListedVersion};

use super::harness::*;

/// When the first version is made.
const BEGIN_MS: u64 = 1_795_161_600_000;

/// Pseudo-random numbers, the same for the same seed (xorshift, by George Marsaglia).
struct SeededRandom(u64);

impl SeededRandom {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).expect("small")).expect("small")
    }
}

/// The message of the bucket: with milliseconds, and with a sequencer that says nothing here.
fn told_by_the_bucket(file: &FileVersion, made_ms: u64) -> Value {
    let mut record = record_of(file);
    record["eventTime"] = json!(ledger::format_instant(made_ms));
    record
}

/// The message of the reconciliation, for a version whose event was lost.
fn told_by_the_list(file: &FileVersion, made_ms: u64) -> Value {
    let mut record = told_by_the_bucket(file, made_ms - made_ms % 1_000);
    record["s3"]["object"].as_object_mut().expect("an object").remove("sequencer");
    record
}

/// 199 names of four versions, made within two seconds; each version has the same four records.
fn lands(harness: &Harness, random: &mut SeededRandom) -> Vec<Vec<(FileVersion, u64)>> {
    let names = (0..199_u64).map(|name| {
        let mut made_ms = BEGIN_MS + name * 700;
        let mut versions = Vec::new();
        for version in 0..4 {
            made_ms += u64::try_from(random.below(500)).expect("small");
            let records = (0..4).fold(String::new(), |records, record| {
                format!("{records}{},v{version}\n", name * 4 + record)
            });
            let file = harness.land(&format!("north/visits/{name}.csv"), format!("id,name\n{records}"));
            harness.memory.made_at(&file, made_ms);
            versions.push((file, made_ms));
        }
        versions
    });
    names.collect()
}

#[tokio::test]
async fn of_796_latest_records_none_is_wrong_when_a_third_of_the_events_are_lost() {
    let mut orders: Vec<BTreeMap<String, String>> = Vec::new();
    for seed in 1..=4 {
        let harness = Harness::new();
        visits(&harness, &[]);
        // The same files in each schedule.
        let names = lands(&harness, &mut SeededRandom(77));
        let mut random = SeededRandom(seed);
        let mut messages: Vec<_> = names
            .iter()
            .flatten()
            .map(|(file, made_ms)| match random.below(10) {
                0..3 => told_by_the_list(file, *made_ms),
                _ => told_by_the_bucket(file, *made_ms),
            })
            .collect();
        while !messages.is_empty() {
            let next = messages.swap_remove(random.below(messages.len()));
            harness.invoke_direct(&json!({ "Records": [next] })).await.expect("terminal");
        }
        let mut latest: BTreeMap<String, String> = BTreeMap::new();
        for row in harness.memory.rows() {
            let newest = latest.entry(row.partition).or_default();
            *newest = row.sort.max(std::mem::take(newest));
        }
        assert_eq!(latest.len(), 796);
        for (name, versions) in names.iter().enumerate() {
            let newest = harness.entry(&versions[3].0).load;
            for record in 0..4 {
                let sort = &latest[&format!("north/visits#{}", name * 4 + record)];
                assert!(sort.ends_with(newest.as_str()), "schedule {seed}, name {name}: {sort}");
            }
        }
        let entries = harness.memory.entries().into_iter();
        orders.push(entries.map(|entry| (entry.load.to_string(), entry.order.to_string())).collect());
    }
    assert!(orders.iter().all(|other| *other == orders[0]), "an order is a function of the bucket");
}

#[tokio::test]
async fn the_newer_version_wins_though_its_upload_began_before_the_older_one() {
    for delivered in [[0, 1], [1, 0]] {
        let harness = Harness::new();
        visits(&harness, &[]);
        let files =
            ["old", "new"].map(|name| harness.land("north/visits/a.csv", format!("id,name\n1,{name}\n")));
        harness.memory.made_at(&files[0], BEGIN_MS + 9_000);
        harness.memory.made_at(&files[1], BEGIN_MS);
        for place in delivered {
            let record = told_by_the_bucket(&files[place], BEGIN_MS + 20_000);
            harness.invoke_direct(&json!({ "Records": [record] })).await.expect("terminal");
        }
        let [old, new] = files.map(|file| harness.entry(&file).order);
        assert!(old < new, "{old} {new}");
    }
}

#[tokio::test]
async fn a_version_that_is_gone_has_the_second_of_its_event() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.memory.delete(&file);
    let record = told_by_the_bucket(&file, BEGIN_MS + 1_234);
    harness.invoke_direct(&json!({ "Records": [record] })).await.expect("terminal");
    assert_eq!(harness.entry(&file).order.as_str(), "2026-11-20T08:00:01.000Z/00000000");
}

#[tokio::test]
async fn the_age_in_the_queue_is_counted_from_the_event_and_not_from_the_order() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.memory.made_at(&file, BEGIN_MS - 86_400_000);
    let record = told_by_the_bucket(&file, harness.now_ms() - 1_500);
    harness.invoke_direct(&json!({ "Records": [record] })).await.expect("terminal");
    let lines = harness.metrics.lock().expect("lines").concat();
    let record: Value = serde_json::from_str(lines.trim()).expect("JSON");
    assert_eq!(record["QueueAge"], 1_500, "{record}");
}

#[tokio::test]
async fn an_old_file_that_a_backfill_sends_has_no_age_in_the_queue() {
    for (author, age) in
        [(NotificationAuthor::Backfill, None), (NotificationAuthor::Reconciliation, Some(86_400_000))]
    {
        let harness = Harness::new();
        visits(&harness, &[]);
        let file = harness.land("north/visits/a.csv", GOOD);
        let made_ms = harness.now_ms() - 86_400_000;
        harness.memory.made_at(&file, made_ms);
        let version = ListedVersion { file, last_modified_ms: made_ms, bytes: GOOD.len() as u64 };
        let event = serde_json::from_str(&notification::write(&version, author)).expect("JSON");
        harness.invoke_direct(&event).await.expect("terminal");
        let lines = harness.metrics.lock().expect("lines").concat();
        let record: Value = serde_json::from_str(lines.trim()).expect("JSON");
        assert_eq!(record.get("QueueAge").and_then(Value::as_u64), age, "{record}");
        assert_eq!(record["state"], "COMPLETE", "{record}");
    }
}
