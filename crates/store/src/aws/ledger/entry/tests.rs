use proptest::prelude::*;

use super::*;
use crate::PastOfFile;
use crate::aws::dynamodb::names;

fn file_id(key: &str) -> FileId {
    FileId::of(&FileVersion { bucket: "b".into(), key: key.into(), version: "v".into(), etag: None })
}

fn states() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Complete),
        Just(State::Quarantined),
        Just(State::Superseded),
        Just(State::Duplicate),
        Just(State::Gone),
        Just(State::Ignored),
        Just(State::Retracted),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let counts = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let texts = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
    let text = any::<Option<String>>;
    let optional = (text(), text(), text(), text(), text());
    (states(), counts, texts, optional, any::<u64>()).prop_map(|(state, counts, texts, optional, bytes)| {
        let (records, rows, rejects, warnings) = counts;
        let (sha256, contract_version, contract_hash, receipt) = texts;
        let (fault, quarantine, other, replaced, corrects) = optional;
        Outcome {
            counts: Counts { records, rows, rejects, dropped: bytes % 5, warnings },
            fault,
            sha256,
            bytes,
            contract_version,
            contract_hash,
            receipt,
            quarantine,
            other: other.map(|key| file_id(&key)),
            replaced: replaced.map(|key| file_id(&key)),
            corrects: corrects.map(|key| file_id(&key)),
            corrects_rejects: bytes % 2 == 1,
            rejected_lines: LineSum::of_number(rejects),
            returned_lines: LineSum::of_number(warnings),
            ..Outcome::new(state)
        }
    })
}

/// Returns an entry as the claim's and the decision's expressions leave it.
fn item(entry: &Entry) -> Attributes {
    let mut item: Attributes = [
        ("state", text(entry.state.as_str())),
        ("partner", text(&entry.partner)),
        ("feed", text(&entry.feed)),
        ("bucket", text(&entry.file.bucket)),
        ("key", text(&entry.file.key)),
        ("version", text(&entry.file.version)),
        ("owner", text(&entry.owner)),
        ("order", text(entry.order.as_str())),
        ("load", text(entry.load.as_str())),
        ("fence", number(entry.fence)),
        ("lease_until_ms", number(entry.lease_until_ms)),
        ("deaths", number(entry.deaths)),
        ("counted_fence", number(entry.counted_fence)),
        ("rows_written", number(entry.rows_written)),
        ("announced", AttributeValue::Bool(entry.announced)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    item.extend(entry.file.etag.iter().map(|etag| ("etag".to_owned(), text(etag))));
    item.extend(
        entry
            .outcome
            .iter()
            .map(|outcome| ("outcome".to_owned(), outcome_map(outcome, entry.past.decided_ms))),
    );
    item.extend(entry.open.then(|| (OPEN.to_owned(), text(entry.listed_partner()))));
    let said = entry.acknowledged.iter();
    item.extend(said.map(|said| ("acknowledged".to_owned(), acknowledgement_map(said))));
    file_key(&FileId::of(&entry.file)).item(item)
}

fn usual(outcome: Option<Outcome>, key: String) -> Entry {
    let file =
        FileVersion { bucket: "inbox".into(), key, version: "v".repeat(32), etag: Some("e".repeat(34)) };
    let id = FileId::of(&file);
    Entry {
        file,
        partner: "north-clinic".into(),
        feed: "lab-results".into(),
        state: outcome.as_ref().map_or(State::Processing, |outcome| outcome.state),
        fence: 3,
        owner: "o".repeat(26),
        lease_until_ms: 1_795_219_200_000,
        deaths: 2,
        counted_fence: 1,
        order: crate::Order::parse("2026-11-21T00:00:00.000Z/0000001f").expect("an order"),
        load: LoadId::new(&id, &[1; 32], 1, 0),
        rows_written: 12_345,
        outcome,
        announced: true,
        open: false,
        acknowledged: None,
        generation: 0,
        loaded: false,
        replay: None,
        replayed: None,
        past: PastOfFile::default(),
    }
}

/// What an entry may be without. The counters begin with their first count.
const OPTIONAL: [&str; 6] = ["pk", "etag", "outcome", "announced", "deaths", "counted_fence"];

fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
        }
        _ => 1,
    }
}

proptest! {
    #[test]
    fn an_entry_reads_back(outcome in proptest::option::of(outcomes()), key: String) {
        let entry = usual(outcome, key);
        prop_assert_eq!(super::entry(&item(&entry)), Some(entry));
    }

    #[test]
    fn an_item_that_lacks_something_is_no_entry(outcome in outcomes(), lost in 0usize..16) {
        let mut item = item(&usual(Some(outcome), "a/b/c".into()));
        let mut required: Vec<_> =
            item.keys().filter(|name| !OPTIONAL.contains(&name.as_str())).cloned().collect();
        required.sort();
        item.remove(&required[lost % required.len()]);
        prop_assert!(super::entry(&item).is_none());
    }

    #[test]
    fn a_head_and_a_content_read_back(bucket: String, key: String, version: String) {
        let file = file_id(&key);
        let seen = Head { version, load: LoadId::new(&file, &[1; 32], 1, 0), file };
        prop_assert_eq!(head(&head_item(&key, &seen)), Some(seen.clone()));
        let content = ContentClaim { partner: bucket, feed: key, sha256: "h".into() };
        prop_assert_eq!(holder(&content_item(&content, &seen.file)), Some(seen.file));
    }
}

#[test]
fn a_usual_entry_is_at_most_1_kb_and_the_longest_key_adds_its_length() {
    let outcome = Outcome {
        counts: Counts { records: 1_000_000, rows: 999_000, rejects: 1_000, dropped: 0, warnings: 10 },
        sha256: "a".repeat(64),
        bytes: 1_000_000_000,
        contract_version: "1.10.0".into(),
        contract_hash: "b".repeat(64),
        receipt: format!("north-clinic/lab-results/2026/11/21/{}/receipt.json", "l".repeat(40)),
        quarantine: Some(format!("north-clinic/lab-results/2026/11/21/{}", "l".repeat(40))),
        ..Outcome::new(State::Complete)
    };
    let size = |key: String| bytes(&AttributeValue::M(item(&usual(Some(outcome.clone()), key))));
    let usual = size("north-clinic/lab-results/results_2026-11-21_part-0001.csv.gz".into());
    assert!(usual <= 1_100, "{usual} bytes");
    assert!(size("k".repeat(1_024)) < 2_200);
}

#[test]
fn names_are_taken_from_the_expressions() {
    let names = names(&["SET #a = :a, #outcome.#state = if_not_exists(#b_c, :x)", "attribute_exists(#pk)"]);
    let mut words: Vec<_> = names.into_iter().collect();
    words.sort();
    let expected = ["a", "b_c", "outcome", "pk", "state"].map(|name| (format!("#{name}"), name.to_owned()));
    assert_eq!(words, expected);
}

#[test]
fn an_entry_of_no_partner_reads_back_as_every_release_left_it() {
    let unnamed = Entry { partner: String::new(), feed: String::new(), ..usual(None, "x".into()) };
    let mut item = item(&unnamed);
    item.insert("partner".to_owned(), text(UNKNOWN));
    item.insert("feed".to_owned(), text(UNKNOWN));
    assert_eq!(super::entry(&item).as_ref(), Some(&unnamed));
    assert_eq!(listed(&item).map(|listed| listed.feed).as_deref(), Some(UNKNOWN));
    item.remove("partner");
    item.remove("feed");
    assert_eq!(super::entry(&item), Some(unnamed));
}

#[test]
fn an_open_and_an_acknowledged_file_read_back() {
    let open = Entry { open: true, ..usual(None, "x".into()) };
    assert_eq!(super::entry(&item(&open)), Some(open));
    let said = Acknowledgement { at_ms: 7, by: "ann".into(), reason: "a test file".into() };
    let acknowledged = Entry { acknowledged: Some(said), ..usual(None, "x".into()) };
    let mut item = item(&acknowledged);
    assert_eq!(super::entry(&item), Some(acknowledged));
    item.insert("acknowledged".to_owned(), text("ann"));
    assert_eq!(super::entry(&item), None);
}

#[test]
fn only_entries_have_both_keys_of_the_index_of_a_partners_files() {
    let entry = usual(None, "a/b/c".into());
    let in_index = |item: &Attributes| item.contains_key("partner") && item.contains_key("order");
    assert!(in_index(&item(&entry)));
    let content = ContentClaim { partner: "a".into(), feed: "b".into(), sha256: "h".into() };
    let file = FileId::of(&entry.file);
    assert!(!in_index(&content_item(&content, &file)));
    let head = Head { version: "v".into(), load: entry.load.clone(), file };
    assert!(!in_index(&head_item("a/b/c", &head)));
    assert!(
        [content_item(&content, &head.file), head_item("a/b/c", &head)]
            .iter()
            .all(|item| !item.contains_key(OPEN))
    );
}
