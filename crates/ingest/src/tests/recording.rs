use ledger::FileId;
use serde_json::{Value, json};

use super::harness::{Harness, contract};

const FILES: &str = "/v1/feeds/visits/files";

async fn read(harness: &Harness, path: &str) -> Value {
    let reply = harness.ask("GET", path).reply().await;
    if reply.status == 200 { reply.body } else { json!(reply.code().1) }
}

async fn names(harness: &Harness, path: &str) -> Vec<String> {
    let page = read(harness, path).await;
    let versions = page["versions"].as_array().unwrap_or_else(|| panic!("{page}"));
    versions.iter().map(|version| version["record"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn the_newest_visible_version_comes_with_its_file_and_line() {
    let harness = Harness::with_feeds();
    harness.send(&format!("{FILES}?name=a.csv"), "id,name\n7,Ann\n8,Bob\n").await;
    harness.process().await;
    let newer = harness.send(&format!("{FILES}?name=b.csv"), "id,name\n9,Cid\n8,Dan\n").await;
    harness.process().await;
    let reply = read(&harness, "/v1/records/visits/8").await;
    assert_eq!(
        (&reply["record"], &reply["file"], &reply["line"]),
        (&json!({ "id": 8, "name": "Dan" }), &json!(newer), &json!(3))
    );
    assert_eq!(read(&harness, "/v1/records/visits/008").await, reply, "a number is a number");
    assert_eq!(names(&harness, "/v1/records/visits/8?history=true").await, ["Dan", "Bob"]);
    harness.memory.retract(&FileId::parse(&newer).expect("an id"));
    assert_eq!(read(&harness, "/v1/records/visits/8").await["record"]["name"], "Bob");
    assert_eq!(read(&harness, "/v1/records/visits/9").await, "not-found");
    assert_eq!(names(&harness, "/v1/records/visits/8?history").await, ["Bob"]);
}

#[tokio::test]
async fn rows_of_a_load_that_is_not_complete_are_not_there() {
    let harness = Harness::with_feeds();
    harness.send(FILES, "id,name\n1,Ann\n").await;
    // The load is written, and its commit fails: rows without visibility.
    let processed = Harness::with_feeds();
    processed.send(FILES, "id,name\n1,Ann\n").await;
    processed.process().await;
    for mut item in processed.memory.rows() {
        item.sort = item.sort.replace("2026", "2027");
        store::WriteRecords::write(&harness.memory, vec![item]).await.expect("written");
    }
    assert_eq!(read(&harness, "/v1/records/visits/1").await, "not-found");
    assert_eq!(names(&harness, "/v1/records/visits/1?history=true").await, Vec::<String>::new());
    harness.process().await;
    assert_eq!(
        names(&harness, "/v1/records/visits/1?history=true").await.len(),
        2,
        "the same load under two orders"
    );
}

#[tokio::test]
async fn a_key_of_several_columns_is_several_segments_each_decoded_once() {
    let harness = Harness::with_feeds();
    harness.send("/v1/feeds/labs/files", "site,day,name\na/b#%,2026-01-02,x\na,2026-01-02,y\n").await;
    harness.process().await;
    let name = async |path: &str| {
        read(&harness, &format!("/v1/records/labs/{path}")).await["record"]["name"].clone()
    };
    assert_eq!(name("a%2Fb%23%25/2026-01-02").await, "x");
    assert_eq!(name("a/2026-01-02").await, "y");
    assert_eq!(read(&harness, "/v1/records/labs/a%2523/2026-01-02").await, "not-found");
    for path in [
        "/v1/records/labs/a",
        "/v1/records/labs/a/b/c",
        "/v1/records/labs/a/",
        "/v1/records/labs/a/2026-01-02/",
    ] {
        assert_eq!(read(&harness, path).await, "invalid-key", "{path}");
    }
}

#[tokio::test]
async fn a_history_is_paged_to_its_end() {
    let harness = Harness::with_feeds();
    for name in ["a", "b", "c", "d", "e"] {
        harness.send(&format!("{FILES}?name={name}"), &format!("id,name\n1,{name}\n")).await;
    }
    harness.process().await;
    let hidden = harness.send(&format!("{FILES}?name=f"), "id,name\n1,f\n").await;
    harness.process().await;
    harness.memory.retract(&FileId::parse(&hidden).expect("an id"));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/records/visits/1?history=true&limit=2{cursor}");
        seen.extend(names(&harness, &path).await);
        match read(&harness, &path).await["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    for query in
        ["limit=2", "history=maybe", "history=true&limit=0", "history=true&cursor=x", "history=false&limit=1"]
    {
        assert_eq!(
            read(&harness, &format!("/v1/records/visits/1?{query}")).await,
            "invalid-query",
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_walk_over_versions_that_are_not_visible_is_bounded_and_can_be_gone_on_with() {
    let harness = Harness::with_feeds();
    let first = harness.send(&format!("{FILES}?name=first"), "id,name\n1,first\n").await;
    harness.process().await;
    let items = harness.memory.rows();
    for number in 0..205 {
        let mut item = items[0].clone();
        let load = format!("r5g61a45bnmyhnp8sgqw0ymkjv-{number:0>13}").replace(['i', 'l'], "0");
        item.sort = format!("2027-{number:04}#{load}");
        for (name, value) in &mut item.attributes {
            if name == "_load" {
                *value = store::ItemValue::Text(load.clone());
            }
        }
        store::WriteRecords::write(&harness.memory, vec![item]).await.expect("written");
    }
    assert_eq!(read(&harness, "/v1/records/visits/1").await, "too-many-versions");
    let page = read(&harness, "/v1/records/visits/1?history=true").await;
    assert_eq!(page["versions"], json!([]));
    let next = page["next"].as_str().expect("goes on");
    let rest = read(&harness, &format!("/v1/records/visits/1?history=true&cursor={next}")).await;
    assert_eq!((&rest["versions"][0]["file"], &rest["next"]), (&json!(first), &Value::Null));
}

#[tokio::test]
async fn records_without_a_key_or_a_contract_cannot_be_asked_for() {
    let harness = Harness::new();
    assert_eq!(read(&harness, "/v1/records/visits/1").await, "not-found");
    let without = contract("visits", &[("id", "integer")], "")
        .replace("primaryKey: true, primaryKeyPosition: 1", "unique: true");
    harness.memory.publish_contract("visits", without);
    assert_eq!(read(&harness, "/v1/records/visits/1").await, "invalid-key");
}
