//! Alarms of Basic: without a feed, and each an incident of its own.

use super::*;

/// Five minutes after today's deadline.
const AFTER_MS: u64 = BEGIN_MS + 65 * 60_000;
const YESTERDAY: &str = "2026-11-20T06:10:00.000Z";
const TODAY: &str = "2026-11-21T06:10:00.000Z";

/// A contract that expects a file each day at six, with an hour of grace.
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

/// A stack with two feeds that expect files, and one that does not.
fn world() -> Arc<World> {
    let world = Arc::<World>::default();
    for (feed, expects) in [("labs", true), ("charges", true), ("notes", false)] {
        world.memory.publish_contract(feed, daily(expects));
    }
    world.elapsed.store(AFTER_MS - BEGIN_MS, Ordering::Relaxed);
    world
}

async fn missing_mail(world: &Arc<World>) -> String {
    let event = desk::basic("s-file-missing", "ALARM", AFTER_MS, "FilesOverdue");
    world.notifier(None).handle(&event).await.unwrap();
    world.memory.mailed()[0].1.clone()
}

#[tokio::test]
async fn overdue_files_of_all_feeds_are_named_and_no_other() {
    let world = world();
    world.register("north").await;
    let north = world.drop_file_at("north", "labs", YESTERDAY).await;
    world.drop_file_at("north", "charges", TODAY).await;
    world.drop_file_at("north", "notes", YESTERDAY).await;
    world.drop_file_at("north", "jane-doe", YESTERDAY).await;
    world.drop_file_at("heartbeat", "labs", YESTERDAY).await;
    // One that is in no table, with its first file after the deadline, and one that is to send and never did.
    world.drop_file_at("west", "labs", "2026-11-21T07:01:00.000Z").await;
    world.add_partner("east", "charges").await;
    let text = missing_mail(&world).await;
    let east = "overdue file: east/charges: missing since 2026-11-21 07:00:00 UTC; no file yet\n";
    let north = format!(
        "overdue file: north/labs: missing since 2026-11-21 07:00:00 UTC; newest file {north}, \
         came 2026-11-20 06:10:00 UTC, COMPLETE, 9 rows\n"
    );
    assert!(text.find(east).unwrap() < text.find(&north).unwrap(), "{text}");
    assert_eq!(text.matches("overdue file: ").count(), 2, "{text}");
    assert!(text.contains("command: scalper --stack s files --partner east --feed charges\n"), "{text}");
    assert!(text.contains("command: scalper --stack s status\n"), "{text}");
    assert!(!text.contains("jane") && !text.contains("heartbeat") && !text.contains("notes"), "{text}");
}

#[tokio::test]
async fn an_overdue_file_of_nobody_is_told_without_its_folder() {
    let world = world();
    let newest = world.drop_file_at("doe-jane-1970", "labs", YESTERDAY).await;
    let text = missing_mail(&world).await;
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
        let world = world();
        let broken = daily(true).replace("kind: DataContract", "kind: DataContact");
        world.memory.publish_contract("labs", broken);
        let event = desk::basic("s-a", "ALARM", AFTER_MS, metric);
        world.notifier(None).handle(&event).await.unwrap();
        let text = world.memory.mailed()[0].1.clone();
        assert!(text.contains(line), "{metric}: {text}");
        assert_eq!(text.matches("broken contract").count(), 1, "{metric}: {text}");
    }
}

#[tokio::test]
async fn a_file_that_came_late_is_named_for_a_while() {
    for (minute, named) in [("07:02", true), ("06:58", false)] {
        let world = world();
        world.register("north").await;
        world.drop_file_at("north", "labs", YESTERDAY).await;
        world.drop_file_at("north", "labs", &format!("2026-11-21T{minute}:00.000Z")).await;
        let text = missing_mail(&world).await;
        let line = "overdue file: north/labs: late, due by 2026-11-21 07:00:00 UTC; newest file ";
        assert_eq!(text.contains(line), named, "{text}");
        assert_eq!(text.contains("overdue file: "), named, "{text}");
        assert!(text.contains("command: scalper --stack s status\n"), "{text}");
    }
}

#[tokio::test]
async fn at_most_five_overdue_files_are_named_and_the_others_are_counted() {
    let world = world();
    for number in 0..7 {
        world.drop_file_at(&format!("clinic-{number}"), "labs", YESTERDAY).await;
    }
    let text = missing_mail(&world).await;
    assert_eq!(text.matches("overdue file: ").count(), 5, "{text}");
    assert!(text.contains("further overdue files: 2\n"), "{text}");
}

#[tokio::test]
async fn a_contract_that_cannot_be_read_keeps_no_message_back() {
    let clean = world();
    missing_mail(&clean).await;
    let call = clean.memory.calls().iter().position(|call| *call == Operation::ReadContract).unwrap() + 1;
    let world = world();
    world.memory.fail_at(call, When::BeforeEffect);
    let text = missing_mail(&world).await;
    assert!(text.contains("files: not known, because the ledger did not answer"), "{text}");
    assert_eq!(world.counted("RetryableErrors"), 1);
}

#[tokio::test]
async fn an_alarm_on_rejects_names_loaded_files_of_all_feeds_newest_first() {
    let world = Arc::<World>::default();
    let labs = world.add_file("north", "labs", "a.csv", State::Complete, 2).await;
    let charges = world.add_file("south", "charges", "b.csv", State::Complete, 3).await;
    world.add_file("south", "charges", "c.csv", State::Quarantined, 3).await;
    world.add_file("west", "labs", "d.csv", State::Complete, 0).await;
    let event = desk::basic("s-reject-ratio", "ALARM", BEGIN_MS, "RejectPercent");
    world.notifier(None).handle(&event).await.unwrap();
    let text = world.memory.mailed()[0].1.clone();
    let newer = format!("file: {charges} of south/charges: loaded, 3 of 10 records bad\n");
    let older = format!("file: {labs} of north/labs: loaded, 2 of 10 records bad\n");
    assert!(text.find(&newer).unwrap() < text.find(&older).unwrap(), "{text}");
    assert_eq!(text.matches("\nfile: ").count(), 2, "{text}");
    for word in ["show", "rejects"] {
        assert!(text.contains(&format!("command: scalper --stack s {word} {charges}\n")), "{text}");
    }
}

#[tokio::test]
async fn each_alarm_is_opened_and_closed_by_its_own_changes() {
    let world = Arc::<World>::default();
    let notifier = world.notifier(None);
    let alarms = [("s-reject-ratio", "RejectPercent"), ("s-file-missing", "FilesOverdue")];
    for _ in 0..3 {
        for (name, metric) in alarms {
            notifier.handle(&desk::basic(name, "ALARM", BEGIN_MS, metric)).await.unwrap();
        }
    }
    assert_eq!(world.subjects(), ["ALARM s-reject-ratio", "ALARM s-file-missing"], "one page for each");
    for (name, metric) in alarms {
        for _ in 0..3 {
            notifier.handle(&desk::basic(name, "OK", BEGIN_MS + 60_000, metric)).await.unwrap();
        }
        let kept = world.memory.incident(name).await.unwrap().expect("an incident of its own");
        assert!(!kept.open && kept.done, "{kept:?}");
    }
    assert_eq!(
        world.subjects()[2..],
        ["RESOLVED s-reject-ratio after 1 minute", "RESOLVED s-file-missing after 1 minute"],
        "one recovery for each"
    );
    notifier
        .handle(&desk::basic("s-file-missing", "ALARM", BEGIN_MS + 90_000, "FilesOverdue"))
        .await
        .unwrap();
    assert_eq!(world.subjects()[4..], ["ALARM s-file-missing"], "it begins again");
}
