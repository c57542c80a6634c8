//! One table of files as partners really send them. Each goes in by S3 and by the API, and is checked by the API's
//! dry run: the three must agree with the table.

use std::fmt::Write as _;

use serde_json::Value;

use super::api::text;
use super::files::gzip;
use super::harness::Harness;
use super::tables::LedgerItem;

/// A file and what becomes of it.
struct FileCase {
    name: &'static str,
    feed: &'static str,
    bytes: Vec<u8>,
    state: &'static str,
    /// The fault's code; empty for a file that is loaded.
    fault: &'static str,
    /// Records read, rows loaded, records rejected; `None` for a file that is not read as records.
    counts: Option<[u64; 3]>,
}

fn loads(name: &'static str, feed: &'static str, bytes: impl Into<Vec<u8>>, counts: [u64; 3]) -> FileCase {
    FileCase { name, feed, bytes: bytes.into(), state: "COMPLETE", fault: "", counts: Some(counts) }
}

fn fails(name: &'static str, feed: &'static str, bytes: impl Into<Vec<u8>>, fault: &'static str) -> FileCase {
    FileCase { name, feed, bytes: bytes.into(), state: "QUARANTINED", fault, counts: None }
}

/// Returns a contract of one feed; `server` and `schema` are more lines of YAML for each.
fn contract(feed: &str, server: &str, schema: &str, properties: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {feed}\nversion: 1.0.0\nstatus: active\nservers:\n  - server: inbox\n    \
         type: s3\n    location: s3://inbox/\n{server}schema:\n  - name: {feed}\n{schema}    properties:\n"
    );
    for property in properties {
        writeln!(text, "      - {property}").expect("written");
    }
    text
}

const ID: &str = "{name: id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}";
const CSV: &str = "    format: csv\n";
const JSON: &str = "    format: ndjson\n";

fn contracts() -> Vec<(&'static str, String)> {
    let report = "{name: report, logicalType: string}";
    let number = "{name: n, logicalType: integer}";
    let dialect = |words: &str| {
        format!(
            "{CSV}    customProperties:\n      - {{property: csvDialect, value: {{{words}}}, vendor: ingest}}\n"
        )
    };
    let supersede =
        "    customProperties:\n      - {property: onSameName, value: supersede, vendor: ingest}\n";
    vec![
        ("reports", contract("reports", CSV, "", &[ID, report])),
        ("counts", contract("counts", CSV, "", &[ID, number])),
        ("events", contract("events", JSON, supersede, &[ID, number])),
        ("lines", contract("lines", "    format: json\n    delimiter: new_line\n", "", &[ID])),
        ("list", contract("list", "    format: json\n    delimiter: array\n", "", &[ID])),
        (
            "amounts",
            contract(
                "amounts",
                &dialect("delimiter: \";\", decimalSeparator: \",\", groupSeparator: \".\""),
                "",
                &[ID, "{name: amount, logicalType: number}"],
            ),
        ),
        (
            "days",
            contract(
                "days",
                CSV,
                "",
                &[ID, "{name: day, logicalType: date, logicalTypeOptions: {format: dd-MMM-yyyy}}"],
            ),
        ),
        (
            "flags",
            contract(
                "flags",
                &dialect("trueValues: [\"Y\", t], falseValues: [\"N\", f]"),
                "",
                &[ID, "{name: ok, logicalType: boolean}"],
            ),
        ),
        (
            "patients",
            contract(
                "patients",
                CSV,
                "",
                &[
                    "{name: patient_id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1, \
                 synonyms: [MRN]}",
                ],
            ),
        ),
    ]
}

fn cases() -> Vec<FileCase> {
    let findings =
        (1..=1_500).fold(String::new(), |text, number| text + &format!("Finding {number}, normal\n"));
    let long = format!("id,report\nA1,\"{findings}\"\nA2,ok\n");
    let broken = "id,report\nA1,\"says \"it hurts\", often\nFinding 3, normal\n\"\nA2,ok\n";
    let mut dicom = vec![0; 128];
    dicom.extend_from_slice(b"DICM\x02\x00\x00\x00");
    vec![
        loads("a quoted cell of 1,500 lines", "reports", long.clone(), [2, 2, 0]),
        loads("the same compressed", "reports", gzip(long.as_bytes()), [2, 2, 0]),
        loads("a broken cell of three lines", "reports", broken, [2, 1, 1]),
        fails(
            "a cell that never ends",
            "reports",
            "id,report\nA1,\"Finding 1, normal\nA2,ok\n",
            "UNTERMINATED_QUOTE",
        ),
        loads("cells behind a broken one", "reports", "id,report\nB1,\"Mi\"d\"\nB2,ok\n", [2, 1, 1]),
        fails("only a line end", "reports", "\n", "EMPTY"),
        loads("sep=;", "reports", "sep=;\nid;report\n1;a\n", [1, 1, 0]),
        loads("a delimiter at the end of rows", "reports", "id,report\n1,a,\n2,b,\n", [2, 2, 0]),
        fails("a header in capitals", "reports", "ID,Report\n1,a\n", "HEADER"),
        loads("a zero fraction", "counts", "id,n\n1,1.0\n2,1e2\n3,1.5\n", [3, 2, 1]),
        loads("JSON with a zero fraction", "events", "{\"id\":\"1\",\"n\":1.0}\n", [1, 1, 0]),
        loads("JSON lines declared as json", "lines", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n", [2, 2, 0]),
        loads("one JSON array", "list", "[{\"id\":\"1\"},{\"id\":\"2\"}]", [2, 2, 0]),
        loads("decimal commas", "amounts", "id;amount\n1;12,50\n2;4.159,78\n3;1.2\n", [3, 2, 1]),
        loads("month names in capitals", "days", "id,day\n1,29-JUN-2021\n2,01-feb-2021\n", [2, 2, 0]),
        loads("boolean words", "flags", "id,ok\n1,Y\n2,f\n3,maybe\n", [3, 2, 1]),
        loads("a synonym", "patients", "MRN\nP1\n", [1, 1, 0]),
        fails("a workbook", "reports", workbook(), "WRONG_FORMAT"),
        fails("DICOM", "reports", dicom, "WRONG_FORMAT"),
        fails("PDF", "reports", "%PDF-1.7\n%\u{e2}\u{e3}\n1 0 obj\n", "WRONG_FORMAT"),
        fails("Parquet", "reports", b"PAR1\x15\x04\x15\x10PAR1".as_slice(), "WRONG_FORMAT"),
    ]
}

/// Returns the first entry of a ZIP archive as spreadsheet programs write it (APPNOTE.TXT, 4.3.7: local file header).
fn workbook() -> Vec<u8> {
    let name = b"[Content_Types].xml";
    let mut bytes = b"PK\x03\x04\x14\x00\x06\x00\x08\x00".to_vec();
    bytes.resize(26, 0);
    bytes.extend_from_slice(&[u8::try_from(name.len()).expect("short"), 0, 0, 0]);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(b"xl/workbook.xml");
    bytes
}

#[tokio::test]
async fn both_ways_and_the_dry_run_give_the_same_answer() {
    let harness = Harness::open().await;
    for (feed, contract) in contracts() {
        harness.publish_feed(feed, &contract).await;
    }
    let partner = harness.add_partner("south");
    for (index, case) in cases().into_iter().enumerate() {
        let FileCase { name, feed, bytes, state, fault, counts } = case;
        let expected = (state, fault, counts);

        let entry = harness.process(&format!("north/{feed}/{index}.txt"), bytes.clone()).await;
        let counted = counts.map(|_| entry.counts());
        assert_eq!((entry.state(), entry.fault(), counted), expected, "{name}, by S3");

        let sent = partner.file(&format!("/v1/feeds/{feed}/files?name={index}.txt"), &bytes);
        assert_eq!(sent.status, 202, "{name}: {}", sent.text());
        let id = text(&sent.json(), "id");
        partner.decided(&id);
        let entry = by_id(&harness, &id).await;
        let counted = counts.map(|_| entry.counts());
        assert_eq!((entry.state(), entry.fault(), counted), expected, "{name}, by the API");

        let dry = partner.file(&format!("/v1/feeds/{feed}/check"), &bytes);
        assert_eq!(dry.status, 200, "{name}: {}", dry.text());
        let dry = dry.json();
        let count = |member: &str| dry["counts"][member].as_u64().unwrap_or_default();
        let counted = counts.map(|_| [count("records"), count("rows"), count("rejects")]);
        let found = dry["fault"]["code"].as_str().unwrap_or_default();
        assert_eq!(
            (dry["wouldBe"].as_str().unwrap_or_default(), found, counted),
            expected,
            "{name}, the dry run"
        );
    }
    harness.settle().await;
}

#[tokio::test]
async fn an_error_page_never_replaces_a_good_snapshot() {
    let harness = Harness::open().await;
    for (feed, contract) in contracts() {
        harness.publish_feed(feed, &contract).await;
    }
    let key = "north/events/snapshot.json";
    let good = harness.land(key, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n").await;
    assert_eq!(harness.outcome(key, &good).await.state(), "COMPLETE");
    for page in ["<html>\n<body>502</body>\n</html>\n", "", "\n", "{\"id\":1}\n"] {
        let entry = harness.process(key, page).await;
        assert_eq!(entry.state(), "QUARANTINED", "{page:?}");
        assert_eq!(harness.outcome(key, &good).await.state(), "COMPLETE", "still visible after {page:?}");
    }
    harness.settle().await;
}

async fn by_id(harness: &Harness, id: &str) -> LedgerItem {
    let found =
        harness.ledger().await.into_iter().find(|item: &Value| item["pk"]["S"] == format!("file#{id}"));
    LedgerItem(found.unwrap_or_else(|| panic!("no entry of {id}")))
}
