//! Files of a held feed wait in the ledger, and end after the release as if the feed had never been held.

use std::collections::BTreeSet;

use store::memory::{Memory, When};
use store::{Error, FileId, FileVersion, Hold, HoldFeeds as _, Operation, ReadHolds as _, State};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";

fn hold_of(feed: &str, since_ms: u64) -> Hold {
    Hold {
        partner: "north".to_owned(),
        feed: feed.to_owned(),
        since_ms,
        by: store::Arn::parse("arn:aws:iam::123456789012:user/ann").expect("an ARN"),
        reason: "a test".to_owned(),
    }
}

async fn held(memory: &Memory) -> Result<(), Error> {
    memory.put_hold(&hold_of("visits", 1)).await.map(drop)
}

async fn released(memory: &Memory) -> Result<(), Error> {
    memory.end_hold(&hold_of("visits", 1)).await.map(drop)
}

async fn waiting(memory: &Memory) -> Result<BTreeSet<FileId>, Error> {
    let found = memory.held_files("north", "visits", 100).await?;
    Ok(found.files.into_iter().map(|listed| listed.file).collect())
}

/// Delivers until the message is gone, also after deaths.
async fn until_acknowledged(harness: &Harness, file: &FileVersion) {
    harness.until_terminal(&[file]).await;
}

/// The state without what a hold adds to it: nothing.
async fn never_held(settings: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let harness = Harness::new();
    visits(&harness, settings);
    for (key, text) in files {
        let file = harness.land(key, text);
        harness.until_terminal(&[&file]).await;
    }
    harness.memory.state()
}

#[tokio::test]
async fn a_file_of_a_held_feed_waits_and_its_message_is_acknowledged() -> Result<(), Error> {
    let harness = Harness::new();
    visits(&harness, &[]);
    held(&harness.memory).await?;
    let file = harness.land(KEY, GOOD);
    for _ in 0..2 {
        assert!(harness.deliver(&[&file]).await.is_empty(), "nothing is left to deliver");
    }
    let entry = harness.entry(&file);
    assert_eq!((entry.state, entry.outcome, entry.fence), (State::Held, None, 0));
    assert_eq!(waiting(&harness.memory).await?, BTreeSet::from([FileId::of(&file)]));
    assert!(harness.memory.published().is_empty() && harness.memory.rows().is_empty());
    assert!(harness.memory.quarantine().is_empty());
    assert_eq!(harness.counted("Files"), 0, "it is counted when it is decided");
    released(&harness.memory).await?;
    until_acknowledged(&harness, &file).await;
    assert_eq!(harness.memory.state(), never_held(&[], &[(KEY, GOOD)]).await);
    assert!(waiting(&harness.memory).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn only_files_of_the_feed_and_of_registered_partners_wait() -> Result<(), Error> {
    let harness = Harness::new();
    visits(&harness, &[]);
    held(&harness.memory).await?;
    for partner in ["heartbeat", "doe-jane-1970"] {
        let hold = Hold { partner: partner.to_owned(), ..hold_of("visits", 1) };
        harness.memory.put_hold(&hold).await?;
    }
    harness
        .memory
        .put_hold(&Hold { feed: "heartbeat".to_owned(), partner: "heartbeat".to_owned(), ..hold_of("", 1) })
        .await?;
    for (key, state) in [
        ("north/nowhere/a.csv", State::Quarantined),
        ("doe-jane-1970/visits/a.csv", State::Complete),
        ("heartbeat/heartbeat/a.csv", State::Quarantined),
        ("a.csv", State::Quarantined),
        ("north/visits/.DS_Store", State::Ignored),
        (KEY, State::Held),
    ] {
        let file = harness.land(key, GOOD);
        until_acknowledged(&harness, &file).await;
        assert_eq!(harness.state(&file), state, "{key}");
    }
    // A feed that has no contract yet waits for it.
    harness.memory.put_hold(&hold_of("nowhere", 1)).await?;
    let file = harness.land("north/nowhere/b.csv", GOOD);
    until_acknowledged(&harness, &file).await;
    assert_eq!(harness.state(&file), State::Held);
    Ok(())
}

#[tokio::test]
async fn versions_that_waited_end_in_their_order_whatever_the_order_of_delivery() -> Result<(), Error> {
    for rule in ["supersede", "reject", "append"] {
        let texts = [(KEY, GOOD), (KEY, MIXED), (KEY, GOOD)];
        let expected = never_held(&[("onSameName", rule)], &texts).await;
        for newest_first in [false, true] {
            let harness = Harness::new();
            visits(&harness, &[("onSameName", rule)]);
            held(&harness.memory).await?;
            let mut files = texts.map(|(key, text)| harness.land(key, text));
            for file in &files {
                until_acknowledged(&harness, file).await;
            }
            assert_eq!(waiting(&harness.memory).await?.len(), 3);
            released(&harness.memory).await?;
            if newest_first && rule != "supersede" {
                files.reverse();
            }
            harness.until_terminal(&files.each_ref()).await;
            assert_eq!(harness.memory.state(), expected, "{rule} {newest_first}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_anywhere_while_a_file_begins_to_wait_ends_as_if_it_had_not_been() -> Result<(), Error> {
    let begin = async || {
        let harness = Harness::new();
        visits(&harness, &[]);
        held(&harness.memory).await?;
        let file = harness.land(KEY, MIXED);
        Ok::<_, Error>((harness, file))
    };
    let (clean, file) = begin().await?;
    let before = clean.memory.calls().len();
    until_acknowledged(&clean, &file).await;
    let (waits, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert_eq!(clean.memory.last_call(), Some(Operation::HoldFile));
    assert!(waits.contains("hold north/visits") && calls - before >= 4, "{waits}");
    let expected = never_held(&[], &[(KEY, MIXED)]).await;
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let (harness, file) = begin().await?;
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                until_acknowledged(&harness, &file).await;
                assert_eq!(harness.memory.state(), waits, "{call} {when:?} {deadly}");
                released(&harness.memory).await?;
                until_acknowledged(&harness, &file).await;
                assert_eq!(harness.memory.state(), expected, "{call} {when:?} {deadly}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_anywhere_after_the_release_ends_as_if_it_had_not_been() -> Result<(), Error> {
    let begin = async || {
        let harness = Harness::new();
        visits(&harness, &[("onError", "abort")]);
        held(&harness.memory).await?;
        let file = harness.land(KEY, MIXED);
        until_acknowledged(&harness, &file).await;
        released(&harness.memory).await?;
        Ok::<_, Error>((harness, file))
    };
    let (clean, file) = begin().await?;
    let before = clean.memory.calls().len();
    until_acknowledged(&clean, &file).await;
    let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
    assert_eq!(clean.state(&file), State::Quarantined);
    assert!(clean.entry(&file).open, "it is open like any other");
    for call in before + 1..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (harness, file) = begin().await?;
            harness.memory.die_at(call, when);
            until_acknowledged(&harness, &file).await;
            assert_eq!(harness.memory.state(), expected, "{call} {when:?}");
        }
    }
    Ok(())
}

/// The release comes before each call of a file that is about to wait: either the release finds it waiting, or it is
/// processed. It never begins to wait afterwards.
#[tokio::test]
async fn a_release_at_any_call_leaves_no_file_behind() -> Result<(), Error> {
    let expected = never_held(&[], &[(KEY, GOOD)]).await;
    let mut ends = BTreeSet::new();
    // Calls: the hold itself, contract, rank, hold, the note that it waits; the last one never comes.
    for call in [2, 3, 4, 5, 1_000] {
        let harness = Harness::new();
        visits(&harness, &[]);
        held(&harness.memory).await?;
        let file = harness.land(KEY, GOOD);
        harness.memory.before(call, |memory| async move { released(&memory).await.expect("no fault") });
        until_acknowledged(&harness, &file).await;
        let left = waiting(&harness.memory).await?;
        let is_held = harness.memory.hold("north", "visits").await?.is_some();
        assert!(left.is_empty() || is_held, "call {call}: it waits after the release");
        ends.insert((harness.state(&file).as_str(), is_held));
        released(&harness.memory).await?;
        until_acknowledged(&harness, &file).await;
        assert_eq!(harness.memory.state(), expected, "call {call}");
    }
    assert_eq!(ends, BTreeSet::from([("COMPLETE", false), ("HELD", true)]));
    Ok(())
}

/// The hold comes before each call of a file that is processed: it is finished, or it waits.
#[tokio::test]
async fn a_hold_at_any_call_lets_the_file_wait_or_end() -> Result<(), Error> {
    let expected = never_held(&[], &[(KEY, MIXED)]).await;
    let mut ends = BTreeSet::new();
    for call in 1..16 {
        for dies in [false, true] {
            let harness = Harness::new();
            visits(&harness, &[]);
            let file = harness.land(KEY, MIXED);
            harness.memory.before(call, |memory| async move { held(&memory).await.expect("no fault") });
            if dies {
                harness.memory.die_at(call + 2, When::AfterEffect);
            }
            harness.deliver(&[&file]).await;
            harness.memory.revive();
            harness.wait(3_600_000);
            until_acknowledged(&harness, &file).await;
            ends.insert(harness.state(&file).as_str());
            released(&harness.memory).await?;
            until_acknowledged(&harness, &file).await;
            assert_eq!(harness.memory.state(), expected, "call {call} {dies}");
        }
    }
    assert_eq!(ends, BTreeSet::from(["COMPLETE", "HELD"]));
    Ok(())
}

#[tokio::test]
async fn what_is_decided_stays_so_and_is_announced_while_its_feed_is_held() -> Result<(), Error> {
    let clean = Harness::new();
    visits(&clean, &[]);
    let same = clean.land(KEY, GOOD);
    clean.until_terminal(&[&same]).await;
    let (expected, calls) = (clean.memory.state(), clean.memory.calls().len());
    // It dies after its commit, before it is announced.
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land(KEY, GOOD);
    harness.memory.die_at(calls - 1, When::BeforeEffect);
    harness.deliver(&[&file]).await;
    harness.memory.revive();
    assert!(!harness.entry(&file).announced);
    held(&harness.memory).await?;
    until_acknowledged(&harness, &file).await;
    assert!(harness.entry(&file).announced);
    assert_eq!(harness.counted("RedundantDeliveries"), 1);
    released(&harness.memory).await?;
    assert_eq!(harness.memory.state(), expected);
    Ok(())
}

#[tokio::test]
async fn the_time_for_which_a_file_waits_for_its_release_is_no_time_in_the_queue() -> Result<(), Error> {
    let harness = Harness::new();
    visits(&harness, &[]);
    held(&harness.memory).await?;
    let files = ["north/visits/a.csv", "north/visits/b.csv"].map(|key| harness.land(key, GOOD));
    for file in &files {
        until_acknowledged(&harness, file).await;
    }
    released(&harness.memory).await?;
    harness.wait(7 * 86_400_000);
    let release = body_of(&[&files[0]]).replace(r#""s3":{"#, r#""s3":{"configurationId":"release","#);
    assert!(harness.invoke(&[release]).await.is_empty());
    assert_eq!((harness.state(&files[0]), harness.counted("QueueAge")), (State::Complete, 0));
    until_acknowledged(&harness, &files[1]).await;
    assert_eq!(harness.counted("QueueAge"), 1, "of a message of its own it is");
    Ok(())
}

#[tokio::test]
async fn a_file_that_waited_is_processed_under_the_contract_that_is_in_force_at_its_release()
-> Result<(), Error> {
    let harness = Harness::new();
    visits(&harness, &[]);
    held(&harness.memory).await?;
    let file = harness.land(KEY, MIXED);
    until_acknowledged(&harness, &file).await;
    // The sandbox keeps the contract that it read a moment ago.
    let corrected = contract("csv", "active", &[]).replace("maxLength: 5", "maxLength: 50");
    harness.memory.publish_contract("visits", corrected.replace("version: 1.2.0", "version: 1.3.0"));
    released(&harness.memory).await?;
    let release = body_of(&[&file]).replace(r#""s3":{"#, r#""s3":{"configurationId":"release","#);
    assert!(harness.invoke(&[release]).await.is_empty());
    let outcome = harness.entry(&file).outcome.expect("decided");
    assert_eq!((outcome.contract_version.as_str(), outcome.counts.rejects), ("1.3.0", 1));
    Ok(())
}
