use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn item(partition: &str, ordinal: usize, bytes: usize) -> RecordItem {
    RecordItem {
        partition: partition.to_owned(),
        sort: "s".to_owned(),
        attributes: vec![
            ("ordinal".to_owned(), ItemValue::Number(ordinal.to_string())),
            ("filler".to_owned(), ItemValue::Text("x".repeat(bytes))),
        ],
    }
}

#[test]
fn typed_values_keep_their_type() {
    assert!(ItemValue::from(Value::Null) == ItemValue::Null);
    assert!(ItemValue::from(Value::Text("a".into())) == ItemValue::Text("a".into()));
    assert!(ItemValue::from(Value::Number("1.50".into())) == ItemValue::Number("1.50".into()));
    assert!(ItemValue::from(Value::Boolean(true)) == ItemValue::Boolean(true));
    assert!(ItemValue::from(Value::Document("[1]")) == ItemValue::List(vec![ItemValue::Number("1".into())]));
}

fn load() -> LoadId {
    let file = crate::FileVersion { bucket: "b".into(), key: "k".into(), version: "v".into(), etag: None };
    LoadId::new(&crate::FileId::of(&file), &[0; 32], 1, 0)
}

#[test]
fn versions_of_a_key_share_a_partition_and_sort_by_order() {
    let load = load();
    let (partition, older) = keyed("clinic/labs#", "p1", "2026-11-20T00:00:00Z/1", &load);
    let (same, newer) = keyed("clinic/labs#", "p1", "2026-11-21T00:00:00Z/0", &load);
    assert_eq!((partition.as_str(), same.as_str()), ("clinic/labs#p1", "clinic/labs#p1"));
    assert_eq!(older, format!("2026-11-20T00:00:00Z/1#{load}"));
    assert!(older < newer);
}

#[test]
fn rows_without_a_key_are_numbered_and_spread_over_the_shards() {
    let load = load();
    let keys: HashSet<_> = (1..=640).map(|record| numbered("clinic/labs#", &load, record, 64)).collect();
    let partitions: HashSet<_> = keys.iter().map(|(partition, _)| partition).collect();
    assert_eq!((keys.len(), partitions.len()), (640, 64));
    assert_eq!(
        numbered("clinic/labs#", &load, 66, 64),
        (format!("clinic/labs#{load}#2"), "000000000066".into())
    );
    assert_eq!(numbered("p/f#", &load, 5, 0).0, format!("p/f#{load}#0"));
}

#[test]
fn shards_grow_with_the_rows_and_stop_at_the_limit() {
    assert_eq!([0, 499, 500, 1_000, 31_999, 32_000, u64::MAX].map(shards), [1, 1, 1, 2, 63, 64, 64]);
}

#[test]
fn a_call_of_large_items_is_cut_by_bytes() {
    let items = (0..25).map(|ordinal| item(&ordinal.to_string(), ordinal, 1024 * 1024)).collect();
    let lengths: Vec<_> = batches(items).iter().map(Vec::len).collect();
    assert_eq!(lengths, [11, 11, 3]);
}

#[test]
fn size_counts_names_values_and_nesting() {
    let nested = ItemValue::Map(vec![("ab".into(), ItemValue::List(vec![ItemValue::Boolean(true)]))]);
    let item = RecordItem { partition: "p".into(), sort: "s".into(), attributes: vec![("n".into(), nested)] };
    // pk p, sk s, n, map 3 + (1 + 2 + list 3 + (1 + 1)).
    assert_eq!(item.bytes(), 3 + 3 + 1 + 3 + (1 + 2 + 3 + 2));
}

proptest! {
    #[test]
    fn waves_lose_nothing_repeat_no_key_and_keep_the_order_of_a_key(keys in proptest::collection::vec(0u8..40, 0..200)) {
        let items: Vec<_> =
            keys.iter().enumerate().map(|(ordinal, key)| item(&key.to_string(), ordinal, 1)).collect();
        let waves = waves(items.clone());
        let mut written = Vec::new();
        for wave in &waves {
            let flat: Vec<_> = wave.iter().flatten().collect();
            let unique: HashSet<_> = flat.iter().map(|item| (&item.partition, &item.sort)).collect();
            prop_assert_eq!(unique.len(), flat.len());
            prop_assert!(wave.iter().all(|batch| !batch.is_empty() && batch.len() <= BATCH_ITEMS));
            written.extend(flat.into_iter().cloned());
        }
        prop_assert_eq!(written.len(), items.len());
        for key in 0..40u8 {
            let of_key = |items: &[RecordItem]| -> Vec<RecordItem> {
                items.iter().filter(|item| item.partition == key.to_string()).cloned().collect()
            };
            prop_assert!(of_key(&items) == of_key(&written));
        }
    }
}

/// Compares the two sizes of each row.
struct Sizes<'a> {
    load: &'a LoadId,
    shards: u32,
    rows: usize,
}

impl checker::Sink for Sizes<'_> {
    fn row(&mut self, row: checker::Row<'_>) {
        let order = "2026-11-20T00:00:00.000Z/1";
        let item = row_item("north", "labs", self.load, order, &row, self.shards);
        let bytes = row_bytes("north", "labs", self.load, order, &row, self.shards);
        assert_eq!(bytes, item.bytes(), "record {}", row.record.position.record);
        self.rows += 1;
    }

    fn reject(&mut self, _: checker::Reject<'_>) {}
}

#[test]
fn the_size_of_a_row_is_that_of_its_item() {
    let contract = |key: &str, settings: &str| {
        let document = format!(
            "apiVersion: v3.2.0\nkind: DataContract\nid: labs\nversion: 1.0.0\nstatus: active\n\
             servers: [{{server: inbox, type: s3, location: s3://inbox/, format: ndjson}}]\n\
             schema:\n  - name: labs\n    customProperties: [{settings}]\n    properties:\n\
             \x20     - {{name: id, logicalType: string{key}}}\n\
             \x20     - {{name: day, logicalType: date, logicalTypeOptions: {{format: dd.MM.yyyy}}}}\n\
             \x20     - {{name: dose, logicalType: number}}\n\
             \x20     - {{name: done, logicalType: boolean}}\n\
             \x20     - {{name: more, logicalType: object}}\n\
             \x20     - {{name: list, logicalType: array}}\n"
        );
        contract::compile(&document).expect("a contract").0
    };
    let lines = r#"{"id":"a#b%ü","day":"01.11.2026","dose":-12.50,"done":true,"more":{"a":[1,{"b":null}],"c":"x"},"list":[]}
{"id":"b","day":null,"dose":1e9,"more":{"":1},"list":["é\n",[[1e40]]]}
{"id":"c","day":"30.11.2026","dose":0}
"#;
    let load = load();
    let key = ", primaryKey: true, primaryKeyPosition: 1";
    for (key, settings, shards) in [
        ("", "", 1),
        ("", "", 64),
        (key, "", 1),
        (key, "{property: versionFrom, value: day, vendor: ingest}", 1),
        (key, "{property: versionFrom, value: dose, vendor: ingest}", 1),
    ] {
        let contract = std::sync::Arc::new(contract(key, settings));
        let mut check = checker::FileCheck::new(contract, [0; 16], checker::ContentHash::Skipped);
        let mut sizes = Sizes { load: &load, shards, rows: 0 };
        // Records above 9 have a shard of two digits.
        let bytes = if key.is_empty() { lines.repeat(20) } else { lines.to_owned() };
        let mut rest = bytes.as_bytes();
        while !rest.is_empty() {
            let pushed = check.push(rest, &mut sizes);
            rest = rest.get(pushed.consumed..).unwrap_or_default();
        }
        let summary = loop {
            if let checker::Finished::Done(summary) = check.finish(&mut sizes) {
                break summary;
            }
        };
        assert_eq!(sizes.rows, bytes.lines().count(), "{settings}: {:?}", summary.first);
    }
}
