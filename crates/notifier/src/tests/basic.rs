//! Alarms of Basic: without a feed, and each an incident of its own.

use super::*;

/// Five minutes after today's deadline.
const AFTER_MS: u64 = BEGIN_MS + 65 * 60_000;
const YESTERDAY: &str = "2026-11-20T06:10:00.000Z";
const TODAY: &str = "2026-11-21T06:10:00.000Z";

/// Returns a contract that expects a file each day at six, with an hour of grace.
fn daily(expect: bool) -> String {
    let expected =
        r#"{property: expect, value: {schedule: "0 6 * * *", timezone: UTC, grace: 1h}, vendor: ingest}"#;
    let expected = if expect { expected } else { "" };
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: visits\nversion: 1.2.0\nstatus: active\n\
         servers:\n  - server: inbox\n    type: s3\n    location: s3://inbox/\n    format: csv\n\
         schema:\n  - name: visits\n    customProperties: [{expected}]\n    properties:\n\
         \x20     - {{name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}}\n"
    )
}

/// Returns a stack with two feeds that expect files, and one that does not.
fn harness() -> Arc<Harness> {
    let harness = Arc::<Harness>::default();
    for (feed, expects) in [("labs", true), ("charges", true), ("notes", false)] {
        harness.memory.publish_contract(feed, daily(expects));
    }
    harness.elapsed.store(AFTER_MS - BEGIN_MS, Ordering::Relaxed);
    harness
}

async fn missing_mail(harness: &Arc<Harness>) -> String {
    let event = harness::basic("s-file-missing", "ALARM", AFTER_MS, "FilesOverdue");
    harness.notifier(None).handle(&event).await.unwrap();
    harness.memory.mailed()[0].1.clone()
}

#[tokio::test]
async fn overdue_files_of_all_feeds_are_named_and_no_other() {
    let harness = harness();
    harness.register("north").await;
    let north = harness.drop_file_at("north", "labs", YESTERDAY).await;
    harness.drop_file_at("north", "charges", TODAY).await;
    harness.drop_file_at("north", "notes", YESTERDAY).await;
    harness.drop_file_at("north", "jane-doe", YESTERDAY).await;
    harness.drop_file_at("heartbeat", "labs", YESTERDAY).await;
    // One that is in no table, with its first file after the deadline, and one that is to send and never did.
    harness.drop_file_at("west", "labs", "2026-11-21T07:01:00.000Z").await;
    harness.add_partner("east", "charges").await;
    let text = missing_mail(&harness).await;
    let east = "overdue file: east/charges: missing since 2026-11-21 07:00:00 UTC; no file yet\n";
    let north = format!(
        "overdue file: north/labs: missing since 2026-11-21 07:00:00 UTC; newest file {north}, \
         arrived 2026-11-20 06:10:00 UTC, COMPLETE, 9 rows\n"
    );
    assert!(text.find(east).unwrap() < text.find(&north).unwrap(), "{text}");
    assert_eq!(text.matches("overdue file: ").count(), 2, "{text}");
    assert!(text.contains("command: scalper --stack s files --partner east --feed charges\n"), "{text}");
    assert!(text.contains("command: scalper --stack s status\n"), "{text}");
    assert!(!text.contains("jane") && !text.contains("heartbeat") && !text.contains("notes"), "{text}");
}

#[tokio::test]
async fn an_overdue_file_of_an_unknown_sender_is_shown_without_its_folder() {
    let harness = harness();
    let newest = harness.drop_file_at("doe-jane-1970", "labs", YESTERDAY).await;
    let text = missing_mail(&harness).await;
    let line =
        format!("overdue file: unknown/labs: missing since 2026-11-21 07:00:00 UTC; newest file {newest}, ");
    assert!(text.contains(&line) && !text.contains("jane"), "{text}");
    assert_eq!(text.matches("command: ").count(), 1, "{text}");
    assert!(text.contains("command: scalper --stack s status\n"), "{text}");
}

#[tokio::test]
async fn a_broken_contract_is_named_with_its_place_by_either_alarm() {
    let line = "broken contract: labs, object version version-000004: 1 error; line 2, column 7: found `DataContact`, \
                expected `DataContract`; did you mean `DataContract`; version 1.2.0 stays in force\n";
    for metric in ["FilesOverdue", "ContractsBroken"] {
        let harness = harness();
        let broken = daily(true).replace("kind: DataContract", "kind: DataContact");
        harness.memory.publish_contract("labs", broken);
        let event = harness::basic("s-a", "ALARM", AFTER_MS, metric);
        harness.notifier(None).handle(&event).await.unwrap();
        let text = harness.memory.mailed()[0].1.clone();
        assert!(text.contains(line), "{metric}: {text}");
        assert_eq!(text.matches("broken contract").count(), 1, "{metric}: {text}");
    }
}

#[tokio::test]
async fn a_file_that_came_late_is_named_for_a_while() {
    for (minute, named) in [("07:02", true), ("06:58", false)] {
        let harness = harness();
        harness.register("north").await;
        harness.drop_file_at("north", "labs", YESTERDAY).await;
        harness.drop_file_at("north", "labs", &format!("2026-11-21T{minute}:00.000Z")).await;
        let text = missing_mail(&harness).await;
        let line = "overdue file: north/labs: late, due by 2026-11-21 07:00:00 UTC; newest file ";
        assert_eq!(text.contains(line), named, "{text}");
        assert_eq!(text.contains("overdue file: "), named, "{text}");
        assert!(text.contains("command: scalper --stack s status\n"), "{text}");
    }
}

#[tokio::test]
async fn at_most_five_overdue_files_are_named_and_the_others_are_counted() {
    let harness = harness();
    for number in 0..7 {
        harness.drop_file_at(&format!("clinic-{number}"), "labs", YESTERDAY).await;
    }
    let text = missing_mail(&harness).await;
    assert_eq!(text.matches("overdue file: ").count(), 5, "{text}");
    assert!(text.contains("further overdue files: 2\n"), "{text}");
}

#[tokio::test]
async fn a_contract_that_cannot_be_read_keeps_no_message_back() {
    let clean = harness();
    missing_mail(&clean).await;
    let call = clean.memory.calls().iter().position(|call| *call == Operation::ReadContract).unwrap() + 1;
    let harness = harness();
    harness.memory.fail_at(call, When::BeforeEffect);
    let text = missing_mail(&harness).await;
    assert!(text.contains("files: not known, because the ledger did not answer"), "{text}");
    assert_eq!(harness.counted("RetryableErrors"), 1);
}

#[tokio::test]
async fn an_alarm_on_rejects_names_loaded_files_of_all_feeds_newest_first() {
    let harness = Arc::<Harness>::default();
    let labs = harness.add_file("north", "labs", "a.csv", State::Complete, 2).await;
    let charges = harness.add_file("south", "charges", "b.csv", State::Complete, 3).await;
    harness.add_file("south", "charges", "c.csv", State::Quarantined, 3).await;
    harness.add_file("west", "labs", "d.csv", State::Complete, 0).await;
    let event = harness::basic("s-reject-ratio", "ALARM", BEGIN_MS, "RejectPercent");
    harness.notifier(None).handle(&event).await.unwrap();
    let text = harness.memory.mailed()[0].1.clone();
    let newer = format!("file: {charges} of south/charges: loaded, 3 of 10 records rejected\n");
    let older = format!("file: {labs} of north/labs: loaded, 2 of 10 records rejected\n");
    assert!(text.find(&newer).unwrap() < text.find(&older).unwrap(), "{text}");
    assert_eq!(text.matches("\nfile: ").count(), 2, "{text}");
    for word in ["show", "rejects"] {
        assert!(text.contains(&format!("command: scalper --stack s {word} {charges}\n")), "{text}");
    }
}

#[tokio::test]
async fn each_alarm_is_opened_and_closed_by_its_own_changes() {
    let harness = Arc::<Harness>::default();
    let notifier = harness.notifier(None);
    let alarms = [("s-reject-ratio", "RejectPercent"), ("s-file-missing", "FilesOverdue")];
    for _ in 0..3 {
        for (name, metric) in alarms {
            notifier.handle(&harness::basic(name, "ALARM", BEGIN_MS, metric)).await.unwrap();
        }
    }
    assert_eq!(harness.subjects(), ["ALARM s-reject-ratio", "ALARM s-file-missing"], "one page for each");
    for (name, metric) in alarms {
        for _ in 0..3 {
            notifier.handle(&harness::basic(name, "OK", BEGIN_MS + 60_000, metric)).await.unwrap();
        }
        let kept = harness.memory.incident(name).await.unwrap().expect("an incident of its own");
        assert!(!kept.open && kept.done, "{kept:?}");
    }
    assert_eq!(
        harness.subjects()[2..],
        ["RESOLVED s-reject-ratio after 1 minute", "RESOLVED s-file-missing after 1 minute"],
        "one recovery for each"
    );
    notifier
        .handle(&harness::basic("s-file-missing", "ALARM", BEGIN_MS + 90_000, "FilesOverdue"))
        .await
        .unwrap();
    assert_eq!(harness.subjects()[4..], ["ALARM s-file-missing"], "it begins again");
}
