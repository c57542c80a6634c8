use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write as _;
use store::memory::When;
use store::{Hold, HoldFeeds as _, Partner, PartnerLimits, WritePartners as _};

use super::harness::{AuthorizerContext, GOOD, Harness, MIXED, contract};
use crate::cursor;

const FILES: &str = "/v1/feeds/visits/files";

#[tokio::test]
async fn a_file_is_followed_from_landing_to_receipt() {
    let harness = Harness::with_feeds();
    let id = harness.send(&format!("{FILES}?name=day.csv"), MIXED).await;
    let file = format!("/v1/files/{id}");
    let received = harness.ask("GET", &file).reply().await;
    assert_eq!((&received.body["state"], &received.body["name"]), (&json!("RECEIVED"), &json!("day.csv")));
    for more in ["/receipt", "/rejects"] {
        let reply = harness.ask("GET", &format!("{file}{more}")).reply().await;
        assert_eq!((reply.code(), reply.header("retry-after")), ((409, "not-terminal"), Some("2")));
    }
    harness.process().await;
    let reply = harness.ask("GET", &file).reply().await;
    assert_eq!(reply.body["state"], "COMPLETE");
    assert_eq!(reply.body["counts"], json!({ "records": 3, "rows": 1, "rejects": 2, "warnings": 0 }));
    assert_eq!((&reply.body["loaded"], &reply.body["contractVersion"]), (&json!(1), &json!("1.2.0")));
    assert_eq!(reply.body["receipt"], json!(format!("/api{file}/receipt")));
    let receipt = harness.ask("GET", &format!("{file}/receipt")).reply().await;
    assert_eq!((&receipt.body["fileId"], &receipt.body["verdict"]), (&json!(id), &json!("partial")));
    let written = harness.memory.quarantine();
    let (_, object) = written.iter().find(|(key, _)| key.starts_with("_receipts/north/")).expect("written");
    assert!(object.bytes == receipt.text, "it is the same document");
}

#[tokio::test]
async fn a_file_of_a_held_feed_says_so_and_is_not_decided() {
    let harness = Harness::with_feeds();
    let limits = PartnerLimits::DEFAULT;
    let partner = Partner { name: "north".to_owned(), active: true, limits, created_ms: 1 };
    harness.memory.put_partner(&partner).await.expect("no planned fault");
    let hold = Hold {
        partner: "north".to_owned(),
        feed: "visits".to_owned(),
        since_ms: 1,
        by: store::Arn::parse("arn:aws:iam::123456789012:user/ann").expect("an ARN"),
        reason: "a test".to_owned(),
    };
    harness.memory.put_hold(&hold).await.expect("no planned fault");
    let file = format!("/v1/files/{}", harness.send(&format!("{FILES}?name=day.csv"), GOOD).await);
    harness.process().await;
    let reply = harness.ask("GET", &file).reply().await;
    assert_eq!((&reply.body["state"], &reply.body["loaded"]), (&json!("HELD"), &json!(0)));
    let listed = harness.ask("GET", "/v1/files?state=HELD").reply().await;
    assert_eq!(listed.body["files"][0]["state"], "HELD", "{}", listed.body);
    let reply = harness.ask("GET", &format!("{file}/receipt")).reply().await;
    assert_eq!(reply.code(), (409, "not-terminal"));
    harness.memory.end_hold(&hold).await.expect("no planned fault");
    harness.process().await;
    assert_eq!(harness.ask("GET", &file).reply().await.body["state"], "COMPLETE");
}

#[tokio::test]
async fn rejected_records_are_fetched_with_a_signed_address_for_minutes() {
    let harness = Harness::with_feeds();
    let mixed = harness.send(FILES, MIXED).await;
    let good = harness.send(FILES, GOOD).await;
    harness.process().await;
    for (query, file_name) in
        [("", "rejects.csv"), ("?format=csv", "rejects.csv"), ("?format=ndjson", "rejects.ndjson.gz")]
    {
        let reply = harness.ask("GET", &format!("/v1/files/{mixed}/rejects{query}")).reply().await;
        assert_eq!((reply.status, &reply.body["expiresSeconds"]), (200, &json!(900)));
        assert_eq!(reply.body["fileName"], json!(format!("{mixed}-{file_name}")));
        let answer =
            harness.memory.send_signed("GET", reply.body["url"].as_str().expect("an address"), &[], "");
        assert!(answer.status == 200 && !answer.body.is_empty());
    }
    assert_eq!(
        harness.ask("GET", &format!("/v1/files/{mixed}/rejects?format=xml")).reply().await.code(),
        (400, "invalid-query")
    );
    assert_eq!(
        harness.ask("GET", &format!("/v1/files/{good}/rejects")).reply().await.code(),
        (404, "not-found")
    );
}

#[tokio::test]
async fn rejects_of_a_json_feed_are_lines_that_are_taken_back_corrected() {
    let harness = Harness::with_feeds();
    let visits = contract("visits", &[("id", "integer")], "");
    harness.memory.publish_contract("visits", visits.replace("format: csv", "format: ndjson"));
    let file = harness.send(FILES, "{\"id\":\"x\"}\n{\"id\":\"y\"}\n").await;
    harness.process().await;
    let path = format!("/v1/files/{file}/rejects");
    let table = harness.ask("GET", &format!("{path}?format=csv")).reply().await;
    assert_eq!(table.code(), (400, "invalid-query"));
    let reply = harness.ask("GET", &path).reply().await;
    assert_eq!(reply.body["fileName"], json!(format!("{file}-rejects.ndjson")));
    let rejects = harness.memory.send_signed("GET", reply.body["url"].as_str().expect("an address"), &[], "");
    let rejects = String::from_utf8(rejects.body.to_vec()).expect("UTF-8");
    let corrected = rejects.replace("\"x\"", "1").replace("\"y\"", "2");
    let back = harness.send(&format!("{FILES}?corrects={file}"), &corrected).await;
    harness.process().await;
    let reply = harness.ask("GET", &format!("/v1/files/{back}")).reply().await;
    assert_eq!((&reply.body["state"], &reply.body["loaded"]), (&json!("COMPLETE"), &json!(2)));
    assert_eq!(reply.body["corrects"], json!(file));
    let open = harness.memory.entries().into_iter().filter(|entry| entry.open).count();
    assert_eq!(open, 0);
}

#[tokio::test]
async fn a_list_is_newest_first_filtered_and_paged_to_its_end() {
    let harness = Harness::with_feeds();
    for number in 0..5 {
        harness.send(&format!("{FILES}?name={number}.csv"), GOOD).await;
    }
    harness.send(FILES, "").await;
    harness.send("/v1/feeds/labs/files", "site,day,name\na,2026-01-01,x\n").await;
    harness.process().await;
    let list = async |query: &str| harness.ask("GET", &format!("/v1/files{query}")).reply().await.body;
    let count = |page: &Value| page["files"].as_array().expect("files").len();
    let all = list("").await;
    assert_eq!((count(&all), &all["next"]), (7, &Value::Null));
    let orders: Vec<&str> =
        all["files"].as_array().expect("files").iter().filter_map(|file| file["order"].as_str()).collect();
    assert!(orders.is_sorted_by(|newer, older| newer > older));
    assert_eq!(count(&list("?feed=labs").await), 1);
    assert_eq!(count(&list("?state=QUARANTINED").await), 1);
    assert_eq!(count(&list("?feed=visits&state=COMPLETE").await), 5);
    assert_eq!((count(&list("?from=2026-11-20").await), count(&list("?before=2026-11-20").await)), (7, 0));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("?limit=2{cursor}")).await;
        seen.extend(page["files"].as_array().expect("files").iter().map(|file| file["id"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let ids: Vec<Value> =
        all["files"].as_array().expect("files").iter().map(|file| file["id"].clone()).collect();
    assert_eq!(seen, ids);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "state=complete",
        "from=now",
        "before=1",
        "cursor=x",
        "feed=..",
        "cursor=",
    ] {
        let expected = if query == "feed=.." { (404, "not-found") } else { (400, "invalid-query") };
        assert_eq!(
            harness.ask("GET", &format!("/v1/files?{query}")).reply().await.code(),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_credential_of_one_feed_sees_and_opens_that_feed_only() {
    let harness = Harness::with_feeds();
    let visit = harness.send(FILES, GOOD).await;
    let lab = harness.send("/v1/feeds/labs/files", "site,day,name\na,2026-01-01,x\n").await;
    harness.process().await;
    let words = AuthorizerContext::of("north").with("feeds", "labs");
    let ask = |path: &str| harness.ask_as(&words, "GET", path);
    let list = ask("/v1/files").reply().await;
    let ids: Vec<&Value> =
        list.body["files"].as_array().expect("files").iter().map(|file| &file["id"]).collect();
    assert_eq!(ids, [&json!(lab)]);
    assert_eq!(ask("/v1/feeds").reply().await.body["feeds"].as_array().expect("feeds").len(), 1);
    for path in [
        format!("/v1/files/{visit}"),
        format!("/v1/files/{visit}/receipt"),
        "/v1/files?feed=visits".to_owned(),
        "/v1/feeds/visits/contract".to_owned(),
        "/v1/records/visits/1".to_owned(),
    ] {
        assert_eq!(ask(&path).reply().await.code(), (404, "not-found"), "{path}");
    }
    for path in [FILES, "/v1/feeds/visits/check", "/v1/feeds/visits/uploads"] {
        let body = json!({ "bytes": 1, "sha256": "0".repeat(64) });
        assert_eq!(
            harness.ask_as(&words, "POST", path).json(&body).reply().await.code(),
            (404, "not-found"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn feeds_are_listed_with_their_contracts_which_are_given_as_published() {
    let harness = Harness::with_feeds();
    let feeds = harness.ask("GET", "/v1/feeds").reply().await;
    assert_eq!(
        feeds.body["feeds"][1],
        json!({ "feed": "visits", "contract": "/api/v1/feeds/visits/contract" })
    );
    let reply = harness.ask("GET", "/v1/feeds/visits/contract").reply().await;
    assert_eq!(reply.header("content-type"), Some("application/yaml"));
    assert_eq!(reply.text, contract("visits", &[("id", "integer")], ""));
    assert_eq!(harness.ask("GET", "/v1/feeds/none/contract").reply().await.code(), (404, "not-found"));
}

#[tokio::test]
async fn a_dry_run_says_what_the_receipt_will_say_and_stores_nothing() {
    let harness = Harness::with_feeds();
    let nothing_good = "id,name\nx,Ann\ny,Bob\n";
    let page = "<html>\n<body>502</body>\n</html>\n";
    for body in [GOOD, MIXED, "", "nothing\n", "id,name\n1,Ann\n1,Bob\n", "id,name\n", nothing_good, page] {
        let dry = harness.ask("POST", "/v1/feeds/visits/check").body(body.as_bytes()).reply().await;
        assert_eq!((dry.status, &dry.body["stored"]), (200, &json!(false)));
        assert!(harness.memory.inbox_versions().iter().all(|version| version.bytes != body));
        let id = harness.send(FILES, body).await;
        harness.process().await;
        let receipt = harness.ask("GET", &format!("/v1/files/{id}/receipt")).reply().await.body;
        assert_eq!(
            (&dry.body["wouldBe"], &dry.body["wouldLoad"]),
            (&receipt["state"], &receipt["loaded"]),
            "{body}"
        );
        for member in [
            "verdict",
            "fault",
            "counts",
            "sha256",
            "bytes",
            "contract",
            "rules",
            "violations",
            "notRun",
            "warnings",
        ] {
            assert_eq!(dry.body[member], receipt[member], "{member} of {body}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_says_that_nothing_can_be_loaded_and_what_another_format_is() {
    let harness = Harness::with_feeds();
    for (body, code, message) in [
        (
            &b"id,name\nx,Ann\ny,Bob\n"[..],
            "ERROR_BUDGET",
            "no record can be loaded: all 2 were rejected; at least one must be good",
        ),
        (b"{\"id\":1,\"name\":\"Ann\"}\n", "WRONG_FORMAT", "this is JSON; the feed takes CSV"),
        (b"PK\x03\x04\0\0\0\0", "WRONG_FORMAT", "this is a ZIP archive; the feed takes CSV"),
    ] {
        let reply = harness.ask("POST", "/v1/feeds/visits/check").body(body).reply().await;
        let fault = &reply.body["fault"];
        assert_eq!((&reply.body["wouldBe"], &fault["code"]), (&json!("QUARANTINED"), &json!(code)));
        assert_eq!(fault["message"], message);
    }
}

#[tokio::test]
async fn a_dry_run_knows_the_lines_of_what_a_later_record_rejects() {
    let harness = Harness::new();
    let all = "    customProperties:\n      - {property: duplicates, value: rejectAll, vendor: ingest}\n";
    harness.memory.publish_contract("visits", contract("visits", &[("id", "integer")], all));
    let reply =
        harness.ask("POST", "/v1/feeds/visits/check").body(b"id,name\n1,Ann\n2,Bob\n1,Cid\n").reply().await;
    let lines: Vec<&Value> =
        reply.body["violations"].as_array().expect("violations").iter().map(|one| &one["line"]).collect();
    assert_eq!(lines, [&json!(2), &json!(4)], "{}", reply.text);
}

#[tokio::test]
async fn a_contract_that_does_not_compile_changes_no_answer() {
    let too_long = "#".repeat(contract::MOST_DOCUMENT_BYTES + 1);
    for broken in ["no contract", "", too_long.as_str()] {
        let harness = Harness::with_feeds();
        harness.memory.publish_contract("visits", broken.to_owned());
        let reply = harness.ask("POST", "/v1/feeds/visits/check").body(GOOD.as_bytes()).reply().await;
        assert_eq!((&reply.body["wouldBe"], &reply.body["wouldLoad"]), (&json!("COMPLETE"), &json!(2)));
        let reply = harness.ask("GET", "/v1/feeds/visits/contract").reply().await;
        assert_eq!(reply.text, contract("visits", &[("id", "integer")], ""), "the one in force");
        harness.send(&format!("{FILES}?name=all.csv"), GOOD).await;
        harness.process().await;
        let entries = harness.memory.entries();
        assert!(entries.iter().all(|entry| entry.state == ledger::State::Complete), "and so by the inbox");
        assert_eq!(entries.len(), 1);
    }
    let harness = Harness::new();
    harness.memory.publish_contract("visits", too_long);
    assert_eq!(harness.ask("GET", "/v1/feeds/visits/contract").reply().await.code(), (404, "not-found"));
}

#[tokio::test]
async fn a_dry_run_of_corrected_rejects_refuses_what_the_processor_refuses() {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract("visits", &[("id", "integer")], ""));
    harness.send(&format!("{FILES}?name=all.csv"), GOOD).await;
    harness.process().await;
    let own = harness.memory.entries().pop().expect("an entry").load.file();
    let other = ledger::FileId::of(&ledger::FileVersion {
        bucket: "inbox".to_owned(),
        key: "south/visits/all.csv".to_owned(),
        version: "v1".to_owned(),
        etag: None,
    });
    for (file, state, fault) in [(own, "COMPLETE", json!(null)), (other, "QUARANTINED", json!("CORRECTION"))]
    {
        let body = format!("id,name,_line,_file\n7,Ann,2,{file}\n");
        let reply = harness.ask("POST", "/v1/feeds/visits/check").body(body.as_bytes()).reply().await;
        assert_eq!(reply.body["wouldBe"], state, "{}", reply.body);
        assert_eq!(reply.body["fault"]["code"], fault, "{}", reply.body);
        assert!(!reply.text.contains(file.as_str()), "no value of the file");
    }
}

#[tokio::test]
async fn a_dry_run_of_a_feed_that_quarantines_files_says_so_and_a_bomb_ends_in_time() {
    let harness = Harness::new();
    let check = async |body: &[u8]| harness.ask("POST", "/v1/feeds/visits/check").body(body).reply().await;
    assert_eq!(check(b"").await.code(), (404, "not-found"));
    harness.memory.publish_contract("visits", "no contract");
    assert_eq!(check(b"").await.body["fault"]["code"], "CONTRACT_INVALID");
    harness.memory.publish_contract("visits", contract("visits", &[("id", "integer")], ""));
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b'\n'; 64 * 1024 * 1024]).expect("packed");
    let packed = packed.finish().expect("packed");
    assert_eq!(check(&packed).await.body["fault"]["code"], "BOMB");
    // Each look at the clock is a second: the check gives up before it has read all.
    let slow = Harness::with(|settings| settings.check_ms = 0);
    slow.memory.publish_contract("visits", contract("visits", &[("id", "integer")], ""));
    let reply = slow.ask("POST", "/v1/feeds/visits/check").body(GOOD.as_bytes()).reply().await;
    assert_eq!(reply.code(), (413, "too-large"));
}

#[tokio::test]
async fn a_file_that_another_replaced_names_it() {
    let harness = Harness::new();
    let replace = "    customProperties:\n      - {property: onSameName, value: supersede, vendor: ingest}\n";
    harness.memory.publish_contract("visits", contract("visits", &[("id", "integer")], replace));
    let older = harness.send(&format!("{FILES}?name=all.csv"), GOOD).await;
    harness.process().await;
    let newer = harness.send(&format!("{FILES}?name=all.csv"), "id,name\n1,Eve\n").await;
    harness.process().await;
    let reply = harness.ask("GET", &format!("/v1/files/{older}")).reply().await;
    assert_eq!(
        (&reply.body["state"], &reply.body["other"], &reply.body["loaded"]),
        (&json!("SUPERSEDED"), &json!(newer), &json!(0))
    );
}

#[tokio::test]
async fn ids_that_are_none_and_ids_of_nothing_get_the_one_answer() {
    let harness = Harness::with_feeds();
    let unknown = harness.ask("GET", "/v1/files/r5g61a45bnmyhnp8sgqw0ymkjv").reply().await;
    for path in [
        "/v1/files/x",
        "/v1/files/%00",
        "/v1/files/R5G61A45BNMYHNP8SGQW0YMKJV",
        "/v1/files/x/receipt",
        "/v1/uploads/x",
    ] {
        assert_eq!(harness.ask("GET", path).reply().await.text, unknown.text, "{path}");
    }
    let place = store::FilePlace {
        order: "2026".to_owned(),
        file: ledger::FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").expect("an id"),
    };
    let cursor = cursor::of_file(&place);
    assert_eq!(
        harness.ask("GET", &format!("/v1/files?cursor={cursor}")).reply().await.status,
        200,
        "a place need not exist"
    );
}

#[tokio::test]
async fn a_failing_service_and_a_panic_are_counted_for_the_alarms_of_all_functions() {
    let harness = Harness::with_feeds();
    let made = harness.memory.calls().len();
    harness.memory.fail_at(made + 1, When::BeforeEffect);
    assert_eq!(harness.ask("GET", "/v1/files").reply().await.status, 503);
    let made = harness.memory.calls().len();
    harness.memory.before(made + 1, async |_| panic!("in the middle of a call"));
    assert_eq!(harness.ask("GET", "/v1/files").reply().await.status, 500);
    let lines = harness.metrics.lock().expect("lines");
    let counted = |name: &str| lines.iter().filter(|line| line.contains(&format!("\"{name}\":1"))).count();
    assert_eq!(["RetryableErrors", "Panics", "RequestsFailed"].map(counted), [1, 1, 2]);
}
