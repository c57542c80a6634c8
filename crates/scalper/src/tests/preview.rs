//! A preview equals the result: generated contracts and files, tried by the preview and loaded by the processor.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use contract::Contract;
use proptest::prelude::*;
use serde_json::Value;
use store::memory::INBOX;
use store::{Entry, ItemValue, ReadQuarantine as _, State};

use super::TERMINAL;
use super::harness::Harness;
use crate::preview::{
    Before, EarlierContracts, FilePreview, PreviewCase, PreviewTotals, Progress, RuleCount, UNITS_OF_FILE,
    UNITS_OF_HIDING, changed_files, preview,
};

/// One side of a generated pair.
#[derive(Clone, Debug)]
struct Rules {
    key: bool,
    unique: bool,
    version_from: Option<&'static str>,
    longest: u32,
    greatest: u32,
    required: bool,
    modalities: usize,
    on_error: &'static str,
    duplicates: &'static str,
    most_rejects: u32,
    least_rows: u32,
    most_bytes: u32,
    /// Records of a dose above this are left out.
    dropped_above: Option<u32>,
    status: &'static str,
}

fn rules() -> impl Strategy<Value = Rules> {
    let shape = (any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.3), 2_u32..8, 20_u32..120);
    let more = (
        any::<bool>(),
        1_usize..4,
        prop::sample::select(vec![
            "continue",
            "continue",
            "continue",
            "abort",
            "skip_file_5",
            "skip_file_40%",
        ]),
    );
    let limits = (
        prop::sample::select(vec!["rejectRepeats", "rejectAll", "keepLast"]),
        prop_oneof![9 => Just(100_000_u32), 1 => 1_u32..4],
        prop_oneof![9 => Just(0_u32), 1 => 1_u32..12],
        prop_oneof![9 => Just(1_000_000_u32), 1 => 20_u32..4_000],
        prop::option::weighted(0.3, prop_oneof![4 => 20_u32..60, 1 => Just(0_u32)]),
        prop_oneof![19 => Just("active"), 1 => Just("deprecated"), 1 => Just("retired")],
    );
    (shape, more, limits).prop_map(|(shape, more, limits)| {
        let (key, unique, version, longest, greatest) = shape;
        let (required, modalities, on_error) = more;
        let (duplicates, most_rejects, least_rows, most_bytes, dropped_above, status) = limits;
        Rules {
            key,
            unique,
            version_from: version.then_some("day"),
            longest,
            greatest,
            required,
            modalities,
            on_error,
            duplicates: if key { duplicates } else { "rejectRepeats" },
            most_rejects,
            least_rows,
            most_bytes,
            dropped_above,
            status,
        }
    })
}

impl Rules {
    fn document(&self, format: &str) -> String {
        let Self { key, unique, version_from, required, on_error, duplicates, status, .. } = self;
        let modalities =
            ["CT", "MR", "US"].iter().take(self.modalities).map(|word| format!("{{value: {word}}}"));
        let key = if *key { ", primaryKey: true, primaryKeyPosition: 1" } else { "" };
        let setting = |property: &str, value: &str| {
            format!("      - {{property: {property}, value: {value}, vendor: ingest}}\n")
        };
        let mut settings = setting("onError", on_error) + &setting("duplicates", duplicates);
        if let Some(column) = version_from {
            settings += &setting("versionFrom", column);
        }
        if let Some(dose) = self.dropped_above {
            settings += &setting("dropIf", &format!("'dose > {dose}'"));
        }
        format!(
            "apiVersion: v3.2.0\nkind: DataContract\nid: labs\nversion: 1.0.0\nstatus: {status}\n\
             servers:\n  - server: inbox\n    type: s3\n    location: s3://inbox/\n    format: {format}\n\
             \x20   customProperties:\n      - {{property: limits, value: {{maxRejects: {}, maxFileBytes: {}}}, vendor: ingest}}\n\
             schema:\n  - name: labs\n    quality:\n      - {{metric: rowCount, mustBeGreaterOrEqualTo: {}}}\n\
             \x20   customProperties:\n{settings}    properties:\n\
             \x20     - {{name: id, logicalType: integer{key}}}\n\
             \x20     - {{name: name, logicalType: string, required: {required}, unique: {unique}, logicalTypeOptions: {{maxLength: {}}}}}\n\
             \x20     - {{name: dose, logicalType: number, logicalTypeOptions: {{maximum: {}}}}}\n\
             \x20     - {{name: modality, logicalType: string, enum: [{}]}}\n\
             \x20     - {{name: day, logicalType: date, logicalTypeOptions: {{format: yyyy-MM-dd}}}}\n\
             \x20     - {{name: note, logicalType: string}}\n",
            self.most_rejects,
            self.most_bytes,
            self.least_rows,
            self.longest,
            self.greatest,
            modalities.collect::<Vec<_>>().join(", "),
        )
    }

    /// Lines of the records that are left out.
    fn dropped_lines(&self, format: &str, records: &[Sent]) -> BTreeSet<String> {
        let first = if format == "csv" { 2 } else { 1 };
        let lines = records.iter().zip(first..).filter(|(record, _)| {
            !record.broken && self.dropped_above.is_some_and(|dose| record.dose >= dose)
        });
        lines.map(|(_, line): (_, usize)| line.to_string()).collect()
    }

    fn contract(&self, format: &str) -> Arc<Contract> {
        let document = self.document(format);
        let compiled = contract::compile(&document);
        Arc::new(
            compiled
                .unwrap_or_else(|found| panic!("{}", contract::render_findings(&found, "f", &document)))
                .0,
        )
    }
}

/// A record as it is sent: good or not, by chance.
#[derive(Clone, Debug)]
struct Sent {
    id: u32,
    name: &'static str,
    dose: u32,
    modality: &'static str,
    day: &'static str,
    note: usize,
    broken: bool,
}

fn mostly(good: &[&'static str], bad: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop_oneof![9 => prop::sample::select(good.to_vec()), 1 => prop::sample::select(bad.to_vec())]
}

fn sent() -> impl Strategy<Value = Sent> {
    (
        1_u32..30,
        mostly(&["Ann", "Bob", "Cid", "Ü"], &["", "Dorothea"]),
        prop_oneof![8 => 0_u32..60, 1 => 60_u32..150],
        mostly(&["CT", "CT", "CT", "MR", "", "US"], &["XX"]),
        mostly(&["2026-11-20", "2026-11-21", ""], &["20.11.2026"]),
        prop_oneof![3 => 0_usize..40, 1 => 700_usize..3_000],
        prop::bool::weighted(0.03),
    )
        .prop_map(|(id, name, dose, modality, day, note, broken)| Sent {
            id,
            name,
            dose,
            modality,
            day,
            note,
            broken,
        })
}

fn file(format: &str, records: &[Sent]) -> String {
    let mut text =
        if format == "csv" { "id,name,dose,modality,day,note\n".to_owned() } else { String::new() };
    for Sent { id, name, dose, modality, day, note, broken } in records {
        let note = "n".repeat(*note);
        match (format, broken) {
            ("csv", false) => writeln!(text, "{id},{name},{dose}.5,{modality},{day},{note}"),
            ("csv", true) => writeln!(text, "{id},a\"b,{dose}"),
            (_, true) => writeln!(text, "{{\"id\":{id},"),
            (_, false) => {
                let text_or_null = |text: &str| if text.is_empty() { "null".to_owned() } else { format!("\"{text}\"") };
                let (name, modality, day) = (text_or_null(name), text_or_null(modality), text_or_null(day));
                writeln!(text, "{{\"id\":{id},\"name\":{name},\"dose\":{dose}.5,\"modality\":{modality},\"day\":{day},\"note\":\"{note}\"}}")
            }
        }
        .expect("a string takes all");
    }
    text
}

/// A stack in which the processor decided on one file under one contract.
async fn decided(document: &str, bytes: &str, chunk: usize) -> (Harness, Entry) {
    let harness = Harness::new();
    harness.memory.chunks_of(chunk);
    harness.memory.publish_contract("labs", document.to_owned());
    harness.send("north/labs/day.csv", bytes, 5).await;
    let entry = harness.memory.entries().pop().expect("an entry");
    (harness, entry)
}

async fn tried(
    harness: &Harness,
    entry: &Entry,
    contract: &Arc<Contract>,
    before: Before<'_>,
) -> FilePreview {
    let case = PreviewCase { entry, contract, before };
    let mut bytes = 0;
    let found = preview(&harness.memory, &case, &mut |read| bytes += read).await.expect("read");
    assert!(found.after.counts.records == 0 || bytes > 0, "progress is told");
    found
}

/// The rules of severity fail that records broke, as the receipt has them.
async fn receipt_rules(harness: &Harness, entry: &Entry) -> Vec<RuleCount> {
    let key = &entry.outcome.as_ref().expect("decided").receipt;
    let document = harness.memory.document(key).await.expect("read").expect("a receipt");
    let receipt: Value = serde_json::from_slice(&document).expect("JSON");
    let rules = receipt["rules"].as_array().expect("rules").iter();
    let rules = rules.filter(|rule| rule["severity"] == "fail" && rule["code"] != "file-error");
    rules
        .map(|rule| RuleCount {
            rule: rule["rule"].as_str().expect("an id").to_owned(),
            count: rule["count"].as_u64().expect("a count"),
        })
        .collect()
}

/// Lines of the records that are rows.
fn lines(harness: &Harness) -> BTreeSet<String> {
    let rows = harness.memory.rows();
    let line = rows.iter().flat_map(|row| &row.attributes).filter(|(name, _)| name == "_line");
    line.map(|(_, value)| match value {
        ItemValue::Number(line) => line.clone(),
        _ => panic!("a line is a number"),
    })
    .collect()
}

fn units(harness: &Harness) -> u64 {
    harness.memory.rows().iter().map(|row| row.bytes().div_ceil(1_024) as u64).sum()
}

/// What the preview says is what the processor did.
async fn equals(found: &FilePreview, harness: &Harness, entry: &Entry) {
    let outcome = entry.outcome.as_ref().expect("decided");
    assert_eq!(found.after.is_loaded(), entry.state == State::Complete, "{:?}", entry.state);
    assert_eq!((&found.after.fault, found.after.counts), (&outcome.fault, outcome.counts));
    assert_eq!(found.after.rules.clone().unwrap_or_default(), receipt_rules(harness, entry).await);
    let replaces = found.state == State::Complete && found.after.is_loaded();
    let hiding = if replaces { UNITS_OF_HIDING } else { 0 };
    assert_eq!(found.write_units, units(harness) + UNITS_OF_FILE + hiding);
    assert_eq!(found.written_rows, harness.memory.rows().len() as u64);
}

async fn pair(format: &str, old: &Rules, new: &Rules, records: &[Sent], chunk: usize) {
    let bytes = file(format, records);
    let (before, entry) = decided(&old.document(format), &bytes, chunk).await;
    let (after, result) = decided(&new.document(format), &bytes, chunk).await;
    let (earlier, contract) = (old.contract(format), new.contract(format));

    let found = tried(&before, &entry, &contract, Before::Ledger(Some(&earlier))).await;
    equals(&found, &after, &result).await;
    assert_eq!(found.before.counts, entry.outcome.as_ref().expect("decided").counts);
    assert!(found.exact);
    if before.memory.rows().is_empty() || after.memory.rows().is_empty() {
        assert!(
            found.rescued <= found.before.counts.rejects
                && found.newly_rejected <= found.after.counts.rejects
        );
    } else {
        let (rows_before, rows) = (lines(&before), lines(&after));
        let [dropped_before, dropped] = [old, new].map(|rules| rules.dropped_lines(format, records));
        let (was, is) = (&rows_before | &dropped_before, &rows | &dropped);
        assert_eq!(found.rescued, rows.difference(&was).count() as u64, "rescued");
        assert_eq!(found.newly_rejected, was.difference(&is).count() as u64, "newly rejected");
        assert_eq!(found.newly_dropped, dropped.difference(&dropped_before).count() as u64, "newly dropped");
        let loaded = rows.intersection(&dropped_before).count() as u64;
        assert_eq!(found.newly_loaded, loaded, "rows that were left out");
        assert_eq!(
            found.dropped_rejects,
            dropped.difference(&was).count() as u64,
            "rejects that are dropped"
        );
        assert_eq!(found.after.counts.dropped, dropped.len() as u64);
    }
    let side_by_side = tried(&before, &entry, &contract, Before::Contract(&earlier)).await;
    assert_eq!(side_by_side, found, "the ledger's decision and the earlier contract say the same");
    let net = tried(&before, &entry, &contract, Before::Ledger(None)).await;
    assert_eq!(net.after, found.after);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_preview_equals_the_result(
        format in prop::sample::select(vec!["csv", "ndjson"]),
        old in rules(),
        new in rules(),
        records in prop::collection::vec(sent(), 0..30),
        chunk in 1_usize..5_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(pair(format, &old, &new, &records, chunk));
    }
}

const ANY: Rules = Rules {
    key: false,
    unique: false,
    version_from: None,
    longest: 5,
    greatest: 100,
    required: false,
    modalities: 3,
    on_error: "continue",
    duplicates: "rejectRepeats",
    most_rejects: 100_000,
    least_rows: 0,
    most_bytes: 100_000_000,
    dropped_above: None,
    status: "active",
};

/// A load of 6,000 rows without a key is spread over 12 shards, and a name with two digits takes a byte more.
#[tokio::test]
async fn the_units_of_many_shards_are_exact() {
    let sized = |note: usize| {
        let record = Sent { id: 1, name: "Ann", dose: 1, modality: "CT", day: "", note, broken: false };
        file("csv", &vec![record; 6_000])
    };
    // Some of these notes make an item end with its unit.
    for note in 868..874 {
        let bytes = sized(note);
        let (harness, entry) = decided(&ANY.document("csv"), &bytes, 65_536).await;
        let found = tried(&harness, &entry, &ANY.contract("csv"), Before::Ledger(None)).await;
        assert_eq!(found.write_units, units(&harness) + UNITS_OF_FILE + UNITS_OF_HIDING, "{note}");
    }
}

fn sample() -> String {
    let record = |id, name, modality| Sent { id, name, dose: 1, modality, day: "", note: 0, broken: false };
    file(
        "csv",
        &[
            record(1, "Ann", "CT"),
            record(2, "Dorothea", "CT"),
            record(3, "Bob", "XX"),
            record(4, "Cid", "US"),
        ],
    )
}

#[tokio::test]
async fn what_is_not_read_is_decided_as_the_processor_does() {
    let bytes = sample();
    let (harness, entry) = decided(&ANY.document("csv"), &bytes, 65_536).await;
    let loose = Rules { longest: 10, ..ANY }.contract("csv");
    harness.memory.archive(&entry.file);
    let archived = tried(&harness, &entry, &loose, Before::Ledger(None)).await;
    assert_eq!((archived.after.fault.as_deref(), archived.write_units), (Some("ARCHIVED"), UNITS_OF_FILE));
    assert_eq!((archived.rescued, archived.newly_rejected, archived.gone), (0, 0, false));
    harness.memory.delete(&entry.file);
    let gone = tried(&harness, &entry, &loose, Before::Ledger(None)).await;
    assert_eq!((gone.after.verdict, gone.gone, gone.write_units), (None, true, 0));
}

#[tokio::test]
async fn corrected_rejects_that_the_processor_cannot_take_are_previewed_so() {
    let unknown = ledger::FileId::of(&store::FileVersion {
        bucket: "inbox".to_owned(),
        key: "south/labs/day.csv".to_owned(),
        version: "v1".to_owned(),
        etag: None,
    });
    let bytes = sample();
    let labelled: String =
        bytes
            .lines()
            .enumerate()
            .map(|(line, text)| {
                if line == 0 { format!("{text},_line,_file\n") } else { format!("{text},{line},{unknown}\n") }
            })
            .collect::<Vec<_>>()
            .concat();
    let (harness, entry) = decided(&ANY.document("csv"), &labelled, 65_536).await;
    assert_eq!(entry.outcome.as_ref().and_then(|outcome| outcome.fault.as_deref()), Some("CORRECTION"));
    let loose = Rules { longest: 10, ..ANY }.contract("csv");
    let found = tried(&harness, &entry, &loose, Before::Ledger(None)).await;
    assert_eq!((found.after.fault.as_deref(), found.rescued, found.written_rows), (Some("CORRECTION"), 0, 0));
}

#[tokio::test]
async fn the_contract_of_an_earlier_decision_is_found_by_its_hash() {
    let (harness, entry) = decided(&ANY.document("csv"), &sample(), 65_536).await;
    let mut earlier = EarlierContracts::default();
    harness.memory.publish_contract("labs", Rules { longest: 10, ..ANY }.document("csv"));
    let found = earlier.of(&harness.memory, &entry).await.expect("read").expect("a contract");
    assert_eq!(found.identity.hash, ANY.contract("csv").identity.hash);
    let calls = harness.memory.calls().len();
    assert!(earlier.of(&harness.memory, &entry).await.expect("read").is_some());
    assert_eq!(harness.memory.calls().len(), calls, "read once");
    harness.memory.delete_contract("labs");
    let unknown = EarlierContracts::default().of(&harness.memory, &entry).await.expect("read");
    assert!(unknown.is_none(), "a deleted contract never comes back");
}

#[tokio::test]
async fn sentences_say_what_changes_without_values() {
    let (harness, entry) = decided(&ANY.document("csv"), &sample(), 65_536).await;
    let old = ANY.contract("csv");
    let mut text = String::new();
    for (what, rules) in [
        ("the same", ANY),
        ("longer names", Rules { longest: 10, ..ANY }),
        ("fewer modalities", Rules { modalities: 2, ..ANY }),
        ("both", Rules { longest: 10, modalities: 2, ..ANY }),
        ("none may be rejected", Rules { on_error: "abort", ..ANY }),
        ("everything", Rules { longest: 10, modalities: 0, ..ANY }),
    ] {
        let contract = if what == "everything" {
            let document = rules.document("csv").replace(", enum: []", "");
            Arc::new(contract::compile(&document).expect("compiles").0)
        } else {
            rules.contract("csv")
        };
        let files = [tried(&harness, &entry, &contract, Before::Ledger(Some(&old))).await];
        let totals = PreviewTotals::of(&files);
        writeln!(
            text,
            "## {what}\n{}\n{}\n{}\n{}",
            totals.acceptance(),
            totals.rescue(),
            totals.cost(),
            changed_files(&files, TERMINAL)
        )
        .expect("a string takes all");
    }
    assert!(!text.contains("Dorothea"));
    insta::assert_snapshot!("preview", text);
}

#[tokio::test]
async fn a_failing_inbox_is_an_error_and_never_a_result() {
    let (harness, entry) = decided(&ANY.document("csv"), &sample(), 65_536).await;
    harness.memory.fail_at(harness.memory.calls().len() + 1, store::memory::When::BeforeEffect);
    let contract = ANY.contract("csv");
    let case = PreviewCase { entry: &entry, contract: &contract, before: Before::Ledger(None) };
    assert!(preview(&harness.memory, &case, &mut |_| ()).await.is_err());
    assert_eq!(entry.file.bucket, INBOX);
}

#[test]
fn progress_is_one_line_that_is_removed() {
    let mut line = Vec::new();
    let mut progress = Progress::new(Some(&mut line), 2);
    progress.read(10);
    progress.end_file();
    progress.read(9_000_000);
    progress.end_file();
    drop(progress);
    let text = String::from_utf8(line).expect("UTF-8");
    let shown: Vec<&str> = text.split("\r\u{1b}[K").collect();
    assert_eq!(
        shown,
        [
            "",
            "0 of 2 files, 0 MiB read",
            "1 of 2 files, 0 MiB read",
            "1 of 2 files, 8 MiB read",
            "2 of 2 files, 8 MiB read",
            ""
        ]
    );
}

#[test]
fn without_a_terminal_no_progress_is_shown() {
    let mut progress = Progress::<Vec<u8>>::new(None, 2);
    progress.read(10);
    progress.end_file();
}
