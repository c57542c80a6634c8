//! A thousand planted values, and where they are found: in the quarantine and the records, and nowhere else.
//!
//! ```text
//! content   cells, headers, members, comments, bytes around them    only quarantine and records
//! names     of files, and of folders that no operator named, which
//!           may be those of patients                                what is sent to the sender and to operators who ask
//! asked     headers, queries, paths and bodies of requests          nowhere
//! secrets   keys, addresses, signing secrets                        nowhere (but an address in the partners table)
//! ```

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::Value;

use super::alarms::SIGNING;
use super::api::{ApiClient, secret_of, sha256, text};
use super::asked::odd_requests;
use super::canary_values::{Hit, Planter, ValueSearch, in_all_forms};
use super::harness::Harness;
use super::http::HttpAnswer;
use super::loopback::Loopback;
use super::planted::{FEEDS, File, broken_files};
use super::s3_partners::partner_role;
use super::tables::{LedgerItem, all_items};
use super::watcher::watch;
use crate::repository::has_extension;

/// How many distinct values are to be processed.
const VALUES: usize = 1_000;

/// Where something was seen, and what.
type Sightings = Vec<(String, Vec<u8>)>;

struct Planted {
    content: Planter,
    names: Planter,
    asked: Planter,
    secrets: Planter,
}

#[tokio::test]
async fn a_thousand_values_are_in_quarantine_and_records_and_nowhere_else() {
    let operators = Loopback::start("{}");
    let harness = Harness::open_telling(&operators).await;
    let mut planted = Planted {
        content: Planter::new("qjxwvz"),
        names: Planter::new("kvqzjw"),
        asked: Planter::new("zvkxqj"),
        secrets: Planter::new("wjqzxk"),
    };
    let receiver = Loopback::start("{}");
    let key = secret_of(&harness.scalper("partner add north --rate 1000 --burst 1000"));
    keep_secrets(&harness, &receiver, &key, &mut planted.secrets);
    let north = harness.holder(&key);
    let (sender, _) = partner_role(&harness, "north-sender");
    harness.scalper(&format!("partner s3 north --principal {sender}"));

    let files: Vec<File> = FEEDS.iter().flat_map(|feed| feed.files(&mut planted.content)).collect();
    let files = [files, broken_files(&mut planted.content)].concat();
    let entries = drop_files(&harness, &files, &mut planted).await;
    let answers = ask(&north, &files, &mut planted);
    let (messages, posted) = announced_outcomes(&harness, &operators, &receiver).await;
    let commands = commands(&harness, &entries);
    let receipts = receipts(&harness).await;
    let outbox = outbox(&harness).await;
    let tables = [
        ("ledger", harness.ledger().await),
        ("partners", all_items(&harness.dynamodb, &harness.names.partners).await),
        ("audit", all_items(&harness.dynamodb, &harness.names.audit).await),
    ];
    let [ledger, partners, audit] = tables.map(|(name, items)| -> Sightings {
        items.into_iter().map(|item| (name.to_owned(), item.to_string().into_bytes())).collect()
    });
    // Years later, so that the watcher looks at every version.
    watch(&harness, "2036-01-01T00:00:00Z");
    let logs = logs(&harness);

    every_value_was_processed(&harness, &planted.content).await;
    assert!(audit.len() >= 4, "the commands that changed something are noted");
    let everywhere =
        [&logs, &messages, &posted, &ledger, &partners, &audit, &receipts, &outbox, &answers, &commands];
    nothing_is_found("content", &planted.content.search(), &everywhere);
    nothing_is_found("asked", &planted.asked.search(), &everywhere);
    // A partner's webhook receives the names of its own files, and is the only address that is.
    nothing_is_found("names", &planted.names.search(), &[&logs, &messages, &audit]);
    assert!(posted.iter().any(|(_, body)| !planted.names.search().found(body).is_empty()), "files are named");
    let shown = [&logs, &messages, &posted, &ledger, &audit, &receipts, &outbox, &answers, &commands];
    nothing_is_found("secrets", &planted.secrets.search(), &shown);
    nothing_is_found("a key", &ValueSearch::new([key.as_str()]), &[&partners]);
    nothing_is_found(
        "a signed address",
        &ValueSearch::new(["X-Amz-Signature"]),
        &[&logs, &messages, &posted],
    );
    eprintln!(
        "{} values of content, {} names, {} in requests, {} secrets; {} places searched",
        planted.content.planted.len(),
        planted.names.planted.len(),
        planted.asked.planted.len(),
        planted.secrets.planted.len(),
        everywhere.iter().map(|seen| seen.len()).sum::<usize>(),
    );
}

/// Gives the partner an address that is a secret by itself, and takes down every secret that there is.
fn keep_secrets(harness: &Harness, receiver: &Loopback, key: &str, secrets: &mut Planter) {
    let address = secrets.plant("/<W>?token=<W>");
    let named = harness.scalper(&format!("partner webhook north --url {}{address}", receiver.url));
    secrets.planted.extend([key.to_owned(), sha256(key.as_bytes()), secret_of(&named), SIGNING.to_owned()]);
}

/// Drops every file below a name that nobody may read, and files whose keys are none; waits for what becomes of them.
async fn drop_files(harness: &Harness, files: &[File], planted: &mut Planted) -> Vec<LedgerItem> {
    publish(harness, "unusable", "apiVersion: v3.2.0\nkind: DataContract\nid: unusable\nschema: none\n")
        .await;
    let mut landed = Vec::new();
    // Below folders that no operator knows: one where the partner should be, and one where the feed should be.
    let folder = planted.names.word();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with("/good") || name.ends_with("/mixed"))
    {
        let key = format!("{folder}/{name}");
        landed.push((key.clone(), harness.land(&key, bytes.clone()).await));
    }
    let key = planted.names.plant("north/<W>/<W>.csv");
    let row = planted.content.plant("<W>,<W>\n");
    landed.push((key.clone(), harness.land(&key, row).await));
    for (name, bytes) in files {
        let (feed, name) = name.split_once('/').expect("a feed");
        let key = format!("north/{feed}/{} Zoë/{name}", planted.names.word());
        landed.push((key.clone(), harness.land(&key, bytes.clone()).await));
    }
    for key in ["<W>.csv", "north/<W>.csv", "North/<W>/<W>.csv", "north/scans/~$<W>.xlsx"] {
        let key = planted.names.plant(&key.replace("~$", "\u{1}")).replace('\u{1}', "~$");
        let row = planted.content.plant("<W>,<W>\n");
        landed.push((key.clone(), harness.land(&key, row).await));
    }
    let mut entries = Vec::new();
    for (key, version) in landed {
        entries.push(harness.outcome(&key, &version).await);
    }
    harness.settle().await;
    let states: BTreeSet<&str> = entries.iter().map(LedgerItem::state).collect();
    assert!(states.is_superset(&BTreeSet::from(["COMPLETE", "QUARANTINED", "IGNORED"])), "{states:?}");
    let faults: BTreeSet<&str> =
        entries.iter().map(LedgerItem::fault).filter(|fault| !fault.is_empty()).collect();
    let expected = ["BAD_KEY", "CONTRACT_INVALID", "ENCODING", "NO_CONTRACT", "TRUNCATED"];
    assert!(faults.is_superset(&BTreeSet::from(expected)) && faults.len() > 8, "{faults:?}");
    entries
}

async fn publish(harness: &Harness, feed: &str, contract: &str) {
    let body = aws_sdk_s3::primitives::ByteStream::from(contract.as_bytes().to_vec());
    let put =
        harness.s3.put_object().bucket(&harness.names.contracts).key(format!("{feed}.odcs.yaml")).body(body);
    put.send().await.expect("publish a contract");
}

/// Checks every file by the API, sends some, and asks for everything in every wrong way.
fn ask(north: &ApiClient<'_>, files: &[File], planted: &mut Planted) -> Sightings {
    let mut answers = Vec::new();
    let mut keep = |what: &str, answer: HttpAnswer| -> HttpAnswer {
        let fields = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect::<Vec<_>>()
            .concat();
        answers.push((what.to_owned(), [fields.as_bytes(), &answer.body].concat()));
        answer
    };
    for (name, bytes) in files {
        let feed = name.split('/').next().unwrap_or_default();
        keep(&format!("check {name}"), north.file(&format!("/v1/feeds/{feed}/check"), bytes));
        if name.ends_with("/mixed") || name.contains("broken-1") {
            let path = planted.names.plant(&format!("/v1/feeds/{feed}/files?name=<W>.csv"));
            let sent = keep(&format!("send {name}"), north.file(&path, bytes));
            let id = text(&sent.json(), "id");
            north.decided(&id);
            for path in [
                format!("/v1/files/{id}"),
                format!("/v1/files/{id}/receipt"),
                format!("/v1/files/{id}/rejects"),
            ] {
                keep(&path, north.get(&path));
            }
        }
    }
    for path in [
        "/v1/files?limit=100",
        "/v1/feeds",
        "/v1/feeds/scans/contract",
        "/v1/files?feed=scans",
        "/v1/openapi.json",
    ] {
        keep(path, north.get(path));
    }
    for (what, answer) in odd_requests(north, &mut planted.asked) {
        assert!(answer.status >= 400, "{what}: {} {}", answer.status, answer.text());
        keep(&what, answer);
    }
    answers
}

/// Returns what the topic, operators and mailboxes received, also of alarms; and what was posted to the partner's own
/// address.
async fn announced_outcomes(
    harness: &Harness,
    operators: &Loopback,
    receiver: &Loopback,
) -> (Sightings, Sightings) {
    let mut seen: Sightings = Vec::new();
    let name = "silent-scalper-dev-files-quarantined";
    for (state, value) in [("ALARM", 3.0), ("OK", 0.0)] {
        harness.set_alarm(name, state, value);
        let heard = operators.next();
        let message: Value = serde_json::from_slice(&heard.body).expect("JSON");
        assert_eq!(message["incident"], name, "{message}");
        let facts = message["facts"].to_string();
        assert!(state == "OK" || facts.contains("of north/"), "the files are named: {message}");
        seen.push(("incident".to_owned(), heard.body));
    }
    while harness.messages(&harness.names.webhook_queue).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    seen.extend(
        harness
            .announcements()
            .into_iter()
            .map(|heard| ("announcement".to_owned(), heard.to_string().into_bytes())),
    );
    seen.extend(harness.mail().await.into_iter().map(|mail| ("mail".to_owned(), mail.into_bytes())));
    assert!(seen.iter().any(|(place, _)| place == "mail"));
    let posted = receiver.all();
    assert!(posted.len() > 20, "the partner's own address heard of {} files", posted.len());
    (seen, posted.into_iter().map(|heard| ("webhook".to_owned(), heard.body)).collect())
}

/// What the operator's commands say of everything, without being asked for values.
fn commands(harness: &Harness, entries: &[LedgerItem]) -> Sightings {
    let mut lines = vec![
        "status".to_owned(),
        "status --check".to_owned(),
        "partner list".to_owned(),
        "partner list north".to_owned(),
        "audit".to_owned(),
    ];
    lines.push("files --partner north --limit 1000".to_owned());
    for entry in entries {
        lines.extend(["show", "rejects", "receipt"].map(|command| format!("{command} {}", entry.file())));
    }
    let mut seen = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        // Each command's two forms hold the same; of files each form is read of every second one.
        let both = index < 6;
        for options in [&["--json"][..], &[]]
            .into_iter()
            .skip(usize::from(!both && index % 2 == 0))
            .take(if both { 2 } else { 1 })
        {
            let output = harness.command(options, line).output().expect("run scalper");
            seen.push((format!("scalper {line}"), [output.stdout, output.stderr].concat()));
        }
    }
    for options in [&["--json"][..], &[]] {
        seen.push(("scalper tail".to_owned(), tail(harness, options)));
    }
    assert!(seen.iter().all(|(_, said)| !said.is_empty()));
    seen
}

/// Returns the first lines of `tail`, which goes on until it is ended.
fn tail(harness: &Harness, options: &[&str]) -> Vec<u8> {
    let mut command = harness.command(options, "tail --partner north --lines 40");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("run scalper");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines().take(40);
    let said: Vec<String> = lines.map(|line| line.expect("UTF-8")).collect();
    child.kill().and_then(|()| child.wait()).expect("end the command");
    assert_eq!(said.len(), 40);
    said.join("\n").into_bytes()
}

/// Receipts and reports: what lies beside the rejected bytes and may be shown.
async fn receipts(harness: &Harness) -> Sightings {
    let kept = quarantine(harness).await;
    let kept: Sightings = kept.into_iter().filter(|(key, _)| has_extension(key, "json")).collect();
    let has = |part: &str| kept.iter().any(|(key, _)| key.contains(part));
    assert!(
        has("report.quarantined.json") && has("report.complete.json") && kept.len() > 100,
        "{}",
        kept.len()
    );
    kept
}

/// Receipts of the partner that has a principal: no contract here returns rejected records.
async fn outbox(harness: &Harness) -> Sightings {
    harness.settle_outbox().await;
    let list = harness.s3.list_objects_v2().bucket(&harness.names.outbox);
    let mut pages = list.into_paginator().send();
    let mut kept = Vec::new();
    while let Some(page) = pages.next().await {
        for object in page.expect("list the outbox").contents.unwrap_or_default() {
            let key = object.key.expect("a key");
            assert!(key.starts_with("north/") && key.ends_with(".receipt.json"), "{key}");
            let get = harness.s3.get_object().bucket(&harness.names.outbox).key(&key).send().await;
            let body = get.expect("a receipt").body.collect().await.expect("read the receipt");
            kept.push((key, body.to_vec()));
        }
    }
    assert!(kept.len() > 20, "receipts of {} names", kept.len());
    kept
}

/// Returns everything in the quarantine bucket.
async fn quarantine(harness: &Harness) -> Sightings {
    let list = harness.s3.list_objects_v2().bucket(&harness.names.quarantine);
    let mut pages = list.into_paginator().send();
    let mut kept = Vec::new();
    while let Some(page) = pages.next().await {
        for object in page.expect("list the quarantine").contents.unwrap_or_default() {
            let key = object.key.expect("a key");
            kept.push((key.clone(), harness.quarantined(&key).await));
        }
    }
    kept
}

fn logs(harness: &Harness) -> Sightings {
    let names = &harness.names;
    let groups = names.api_logs.iter().chain([
        &names.logs,
        &names.outbox_logs,
        &names.notifier_logs,
        &names.watcher_logs,
    ]);
    let mut seen: Sightings =
        groups.map(|group| (group.clone(), harness.logs_of(group).into_bytes())).collect();
    assert!(seen.iter().all(|(_, log)| !log.is_empty()), "every function logged something");
    seen.push(("the emulator's output".to_owned(), harness.emulator.log().into_bytes()));
    seen
}

/// The search finds what is there: every value is in the quarantine or in the records but for those that a mask hides
/// and those of names of columns and members that are passed over, and in every form that the bytes are given. What a
/// mask hides is not in the records.
async fn every_value_was_processed(harness: &Harness, content: &Planter) {
    let search = content.search();
    let mut found = BTreeSet::new();
    for item in harness.records().await {
        found.extend(search.found(item.to_string().as_bytes()));
    }
    let in_records = found.len();
    let clear: Vec<&String> = found.intersection(&content.masked).collect();
    assert!(clear.is_empty(), "stored in clear: {clear:?}");
    for (key, bytes) in quarantine(harness).await {
        let mut unpacked = Vec::new();
        // Of an archive that breaks off, what comes before.
        let whole = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked);
        assert!(whole.is_ok() || !unpacked.is_empty() || !bytes.starts_with(&[0x1f, 0x8b]), "{key}");
        for part in [&bytes, &unpacked] {
            found.extend(search.found(part));
        }
        if key.ends_with("rejects.csv") && key.contains("/scans/") {
            for (form, encoded) in in_all_forms(&bytes) {
                assert!(search.found(&encoded).len() > 1, "{key} as {form}");
            }
        }
    }
    let (hidden, missing): (Vec<&String>, Vec<&String>) = content
        .planted
        .iter()
        .filter(|value| !found.contains(*value))
        .partition(|value| content.masked.contains(*value));
    eprintln!("{in_records} in records; {} hidden by masks; not kept: {missing:?}", hidden.len());
    assert!(hidden.len() >= 30, "{hidden:?} were loaded behind a mask");
    let processed = content.planted.len() - missing.len();
    assert!(processed >= VALUES, "{processed} values were processed");
    assert!(missing.len() < 10, "{missing:?}");
}

fn nothing_is_found(what: &str, search: &ValueSearch, places: &[&Sightings]) {
    let mut hits: Vec<(&str, Hit)> = Vec::new();
    for (place, bytes) in places.iter().copied().flatten() {
        hits.extend(search.hits(bytes).into_iter().map(|hit| (place.as_str(), hit)));
    }
    assert!(hits.is_empty(), "{what}: {} hits, first {:#?}", hits.len(), &hits[..hits.len().min(12)]);
}
