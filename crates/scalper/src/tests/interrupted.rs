//! Commands that are killed before or after any of their calls.

use super::fakes::FakeFailure;
use super::*;

/// Runs a command to its death at every call in turn, in a set-up of its own that was made ready, and hands it over.
async fn killed_everywhere(ready: &str, line: &str, check: impl AsyncFn(PartnerHarness, String)) {
    for when in [FakeFailure::BeforeEffect, FakeFailure::AfterEffect] {
        for call in 1.. {
            let setup = PartnerHarness::new();
            if !ready.is_empty() {
                setup.json(ready).await;
            }
            let (before, noted) = {
                let mut fake = setup.fake.state();
                fake.fault = Some((fake.calls + call, when));
                (fake.effects(), fake.acts.len())
            };
            let finished = setup.run(line).await.is_ok();
            setup.fake.state().fault = None;
            if finished {
                assert!(call > 4, "the command makes calls between two notes");
                break;
            }
            let case = format!("killed at call {call}, {when:?}");
            {
                let fake = setup.fake.state();
                let traced = fake.acts.get(noted).is_some_and(|record| record.end.is_none());
                assert!(traced || fake.effects() == before, "{case}: an effect without a trace");
            }
            check(setup, case).await;
        }
    }
}

/// Each valid credential has a key on the plan; no other key is left.
fn assert_whole(setup: &PartnerHarness, credentials: usize, case: &str) {
    let fake = setup.fake.state();
    let valid: Vec<_> = fake.credentials.values().filter(|one| one.is_valid(NOW_MS)).collect();
    assert_eq!(valid.len(), credentials, "{case}");
    let mut named: Vec<_> = valid.iter().map(|one| one.gateway_key.clone().expect("a key")).collect();
    named.sort();
    let keys: Vec<_> = fake.keys.keys().cloned().collect();
    assert_eq!(keys, named, "{case}");
    assert!(fake.keys.values().all(|key| key.plan.is_some()), "{case}");
}

#[tokio::test]
async fn adding_again_finishes_what_was_killed() {
    killed_everywhere("", "add north --feeds labs", async |setup, case| {
        // Nothing is open before everything exists.
        let open: Vec<_> = setup.fake.state().credentials.values().cloned().collect();
        if !open.is_empty() {
            assert_whole(&setup, 1, &case);
        }
        let answer = setup.json("add north --feeds labs").await;
        if answer["did"] == "kept" {
            // The answer was lost with its secret: the message says to rotate.
            let (_, secret) = setup.credential("rotate north").await;
            let lost = answer["credentials"][0]["id"].as_str().expect("an id");
            setup.json(&format!("revoke north {lost}")).await;
            assert_eq!(setup.authorize(&secret).await, "Allow", "{case}");
        } else {
            let secret = answer["secret"].as_str().expect("a secret");
            assert_eq!(setup.authorize(secret).await, "Allow", "{case}");
        }
        assert_whole(&setup, 1, &case);
        assert_eq!(setup.fake.state().plans.len(), 1, "{case}");
    })
    .await;
}

#[tokio::test]
async fn rotating_again_finishes_what_was_killed() {
    killed_everywhere("add north", "rotate north", async |setup, case| {
        match setup.run("rotate north").await {
            Ok(_) => {}
            Err(CommandError::TwoCredentials { second, .. }) => {
                setup.json(&format!("revoke north {second}")).await;
                setup.json("rotate north").await;
            }
            Err(failure) => panic!("{case}: {failure}"),
        }
        assert_whole(&setup, 2, &case);
    })
    .await;
}

#[tokio::test]
async fn putting_keys_of_an_earlier_version_right_can_be_killed_and_done_again() {
    for when in [FakeFailure::BeforeEffect, FakeFailure::AfterEffect] {
        for call in 1.. {
            let setup = PartnerHarness::new();
            let (id, secret) = setup.credential("add north").await;
            {
                let mut fake = setup.fake.state();
                let (_, key) = fake.keys.pop_first().expect("a key");
                let old = fakes::FakeKey {
                    name: format!("silent-scalper.north.{id}"),
                    value: secret.clone(),
                    ..key
                };
                fake.keys.insert("old".to_owned(), old);
                fake.credentials.values_mut().for_each(|one| one.gateway_key = Some("old".to_owned()));
                fake.fault = Some((fake.calls + call, when));
            }
            let finished = setup.run("add north").await.is_ok();
            setup.fake.state().fault = None;
            setup.json("add north").await;
            assert_whole(&setup, 1, &format!("killed at call {call}, {when:?}"));
            assert!(setup.fake.state().keys.values().all(|key| key.value != secret));
            assert_eq!(setup.authorize(&secret).await, "Allow");
            if finished {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_revocation_that_was_killed_never_leaves_a_key_without_its_lock() {
    for when in [FakeFailure::BeforeEffect, FakeFailure::AfterEffect] {
        for call in 1..=6 {
            let setup = PartnerHarness::new();
            let (id, secret) = setup.credential("add north").await;
            {
                let mut fake = setup.fake.state();
                fake.fault = Some((fake.calls + call, when));
            }
            let line = format!("revoke north {id}");
            assert!(setup.run(&line).await.is_err(), "a revocation makes four calls between two notes");
            setup.fake.state().fault = None;
            let gone = setup.fake.state().keys.is_empty();
            assert!(
                !gone || setup.authorize(&secret).await == "Unauthorized",
                "killed at call {call}, {when:?}"
            );
            setup.json(&line).await;
            assert_eq!(setup.authorize(&secret).await, "Unauthorized");
            assert!(setup.fake.state().keys.is_empty());
        }
    }
}

#[tokio::test]
async fn every_other_command_that_is_killed_leaves_its_trace_and_can_be_done_again() {
    for line in [
        "suspend north",
        "webhook north --url https://hooks.example.org/in",
        "role north arn:aws:iam::123456789012:role/sender --feeds labs",
    ] {
        killed_everywhere("add north", line, async |setup, case| {
            setup.json(line).await;
            let last = setup.fake.state().acts.last().cloned().expect("a note");
            let end = last.end.unwrap_or_else(|| panic!("{line}: {case}"));
            assert_ne!(end.result, store::ActResult::Failed, "{line}: {case}");
        })
        .await;
    }
}
