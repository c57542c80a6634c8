use std::process::Command;

use serde_json::Value;
use store::CallerIdentity as _;
use store::aws::{
    Access, AuditTable, Connection, ContractsBucket, InboxBucket, LedgerTable, SecurityTokens, SourceBuckets,
};

use super::files::csv;
use super::harness::{ACCOUNT, Harness};
use crate::repository::root;

/// A key that names no partner and feed, and that a shell would read otherwise.
const WRONG_KEY: &str = "Shop/or ders'$(x)ü.csv";

/// Returns the text that a command prints, and its exit code. The last word may have blanks.
fn said(harness: &Harness, line: &str, word: Option<&str>) -> (String, i32) {
    let output = harness.command(&[], line).args(word).output().expect("run scalper");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text + &String::from_utf8_lossy(&output.stderr), output.status.code().expect("an exit code"))
}

/// Pastes a command of `scalper` into a shell.
fn paste(harness: &Harness, line: &str) -> String {
    let mut command = Command::new("bash");
    let path = std::env::join_paths([root().join("target/debug"), "/usr/bin".into(), "/bin".into()]);
    command.args(["-c", line]).env_clear().env("PATH", path.expect("a path"));
    command.envs([("AWS_ENDPOINT_URL", harness.emulator.endpoint.as_str()), ("AWS_REGION", "us-east-1")]);
    command.envs([("AWS_ACCESS_KEY_ID", ACCOUNT), ("AWS_SECRET_ACCESS_KEY", "local")]);
    let output = command.output().expect("run bash");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn connect(harness: &Harness) -> Connection {
    Connection::open(Access {
        region: "us-east-1".to_owned(),
        access_key: ACCOUNT.to_owned(),
        secret_key: "local".to_owned(),
        session_token: None,
        endpoint: Some(harness.emulator.endpoint.clone()),
    })
}

fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| line.starts_with("scalper "))
}

#[tokio::test]
async fn a_file_under_a_wrong_key_is_seen_until_it_is_acknowledged() {
    let harness = Harness::open().await;
    let entry = harness.process(WRONG_KEY, csv(0, 1)).await;
    assert_eq!((entry.state(), entry.fault()), ("QUARANTINED", "BAD_KEY"));
    let (status, code) = said(&harness, "status --check", None);
    assert!(code == 1 && status.contains("1 problem\n\nBAD_KEY  1 file under a wrong key"), "{status}");
    assert!(said(&harness, "files", None).0.contains(entry.file()));
    let (shown, code) = said(&harness, "show", Some(WRONG_KEY));
    assert!(code == 0 && shown.contains(entry.file()), "{shown}");
    let copy = format!(
        "aws s3 cp --region us-east-1 s3://{}/{}/original ",
        harness.names.quarantine,
        entry.quarantine()
    );
    assert!(shown.contains(&copy), "{shown}");
    assert_eq!(
        harness.quarantined(&format!("{}/original", entry.quarantine())).await,
        csv(0, 1).into_bytes()
    );
    for line in commands(&status).chain(commands(&shown)) {
        paste(&harness, line);
    }
    let noted = format!(
        "scalper --stack silent-scalper-dev ack {} --reason 'sent again, it'\\''s fine'",
        entry.file()
    );
    for result in [" acknowledged\n", " already acknowledged\n"] {
        assert!(paste(&harness, &noted).contains(result), "{result}");
    }
    assert_eq!(said(&harness, "status --check", None).1, 0);
    let shown = said(&harness, "show", Some(WRONG_KEY)).0;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&format!("acknowledged by arn:aws:iam::{ACCOUNT}:root at ")), "{shown}");
    let acts: Value = harness.scalper(&format!("audit --file {}", entry.file()));
    let results: Vec<_> = acts["acts"].as_array().expect("acts").iter().map(|act| &act["result"]).collect();
    assert_eq!(results, ["nothing", "done"], "{acts}");
    assert_eq!(acts["acts"][0]["reason"], "sent again, it's fine");
    harness.settle().await;
}

#[tokio::test]
async fn a_quarantined_file_is_seen_until_a_good_one_of_its_name_arrives() {
    let harness = Harness::open().await;
    let bad = harness.process("north/scans/day.csv", "accession\nAB000001\n").await;
    assert_eq!(bad.state(), "QUARANTINED");
    let status: Value = harness.scalper("status --partner north");
    assert_eq!(status["problems"][0]["files"][0]["file"], bad.file());
    assert_eq!(harness.process("north/scans/day.csv", csv(0, 1)).await.state(), "COMPLETE");
    assert_eq!(harness.scalper("status")["problems"], serde_json::json!([]));
    harness.settle().await;
}

#[tokio::test]
async fn the_store_on_the_emulator_behaves_as_its_twin() {
    let harness = Harness::open().await;
    let connection = connect(&harness);
    let ledger = LedgerTable::new(&connection.dynamodb(), &harness.names.ledger);
    store::conformance::ledger_behaves(&ledger, "run").await.expect("no call fails");
    store::conformance::acknowledging_behaves(&ledger, "run").await.expect("no call fails");
    let contracts = ContractsBucket::new(&connection.s3(None), &harness.names.contracts);
    store::conformance::publishing_behaves(&contracts, "run").await.expect("no call fails");
    Box::pin(store::conformance::replays_behave(&ledger, "run")).await.expect("no call fails");
    store::conformance::dead_loads_behave(&ledger, "run").await.expect("no call fails");
    store::conformance::holds_behave(&ledger, "run").await.expect("no call fails");
    let inbox = InboxBucket::new(&connection.s3(None), &harness.names.inbox);
    let sources = SourceBuckets::new(&connection.s3(None), &inbox);
    for (name, bytes) in [("a ü+.csv", "1"), ("b.csv", "22")] {
        let put = harness.s3.put_object().bucket(&harness.names.quarantine).key(format!("run/{name}"));
        put.body(bytes.as_bytes().to_vec().into()).send().await.expect("put");
    }
    harness.silence().await;
    store::conformance::copying_behaves(&sources, &harness.names.quarantine, "run")
        .await
        .expect("no call fails");
}

#[tokio::test]
async fn the_audit_trail_on_the_emulator_behaves_as_its_twin() {
    let harness = Harness::open().await;
    let connection = connect(&harness);
    let trail = AuditTable::new(&connection.dynamodb(), &harness.names.audit);
    store::conformance::auditing_behaves(&trail, "run").await.expect("no call fails");
    let caller = SecurityTokens::new(&connection).caller().await.expect("no call fails");
    assert_eq!(caller.as_str(), format!("arn:aws:iam::{ACCOUNT}:root"));
}
