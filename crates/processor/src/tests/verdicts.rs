use serde_json::{Value, json};
use store::{FileVersion, State};

use super::harness::*;

const KEY: &str = "north/visits/snapshot";

/// A document of the quarantine, as it is named by its ending.
fn document(harness: &Harness, ending: &str) -> Value {
    serde_json::from_slice(&harness.object(ending).expect(ending)).expect("JSON")
}

async fn land_and_decide(harness: &Harness, bytes: &str) -> FileVersion {
    let file = harness.land(KEY, bytes);
    harness.until_terminal(&[&file]).await;
    file
}

#[tokio::test]
async fn a_version_of_which_nothing_can_be_loaded_takes_no_snapshot_away() {
    let lines = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Bob\"}\n";
    let array = "[{\"id\":1,\"name\":\"Ann\"}]";
    let page = "<html>\n<body>502</body>\n</html>\n";
    for (format, good, newer, fault) in [
        ("ndjson", lines, page, "WRONG_FORMAT"),
        ("ndjson", lines, "{\"id\":\"x\"}\n", "ERROR_BUDGET"),
        ("ndjson", lines, "\n\n", "EMPTY"),
        ("csv", GOOD, page, "WRONG_FORMAT"),
        ("csv", GOOD, "id,name\nx,Ann\ny,Bob\n", "ERROR_BUDGET"),
        ("csv", GOOD, "id,name\n", "EMPTY"),
        ("csv", GOOD, "id,name", "EMPTY"),
        ("json", array, page, "WRONG_FORMAT"),
        ("json", array, "[{\"id\":\"x\"}]", "ERROR_BUDGET"),
        ("json", array, "[]", "EMPTY"),
    ] {
        let harness = Harness::new();
        harness.memory.publish_contract("visits", contract(format, "active", &[("onSameName", "supersede")]));
        let first = land_and_decide(&harness, good).await;
        let second = land_and_decide(&harness, newer).await;
        assert_eq!(harness.fault(&second).as_deref(), Some(fault), "{format} {newer:?}");
        assert_eq!((harness.state(&first), harness.state(&second)), (State::Complete, State::Quarantined));
        let third = land_and_decide(&harness, good).await;
        assert_eq!((harness.state(&first), harness.state(&third)), (State::Superseded, State::Complete));
    }
}

#[tokio::test]
async fn a_version_without_records_empties_the_snapshot_where_the_contract_accepts_it() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede"), ("emptyFile", "accept")]);
    let first = land_and_decide(&harness, GOOD).await;
    let second = land_and_decide(&harness, "id,name\n").await;
    assert_eq!((harness.state(&first), harness.state(&second)), (State::Superseded, State::Complete));
}

fn with_most_rejects(most: u64) -> String {
    let limits = format!(
        "    format: csv\n    customProperties:\n      - {{property: limits, value: {{maxRejects: {most}}}, vendor: ingest}}\n"
    );
    contract("csv", "active", &[]).replace("    format: csv\n", &limits)
}

#[tokio::test]
async fn of_more_rejects_than_the_contract_allows_the_first_are_kept_and_no_row_is_loaded() {
    let text = format!("id,name\n1,Ann\n{}2,Bob\n", "q\n".repeat(50));
    let mut kept = Vec::new();
    for (small, chunk) in [(u64::MAX, 4096), (0, 1), (0, 7)] {
        let harness = Harness::with(|settings| settings.small_file_bytes = small);
        harness.memory.publish_contract("visits", with_most_rejects(20));
        harness.memory.chunks_of(chunk);
        let file = land_and_decide(&harness, &text).await;
        assert_eq!(harness.fault(&file).as_deref(), Some("ERROR_BUDGET"));
        assert!(harness.memory.rows().is_empty());
        assert_eq!(harness.object("original").as_deref(), Some(text.as_bytes()));
        let report = document(&harness, "report.quarantined.json");
        assert_eq!((&report["counts"]["rejects"], &report["rejectsKept"]), (&json!(50), &json!(20)));
        let told = "50 records were rejected; the first 20 are kept as rejects, and the original file has all of them";
        assert_eq!(report["warnings"], json!([told]));
        let table = String::from_utf8(harness.object("rejects.csv").expect("rejects")).expect("UTF-8");
        assert_eq!(table.lines().count(), 21, "a header and 20 rejects");
        kept.push((table, harness.object("rejects.ndjson.gz")));
    }
    assert!(kept.iter().all(|one| *one == kept[0]), "the same bytes whatever the chunks");
}
