//! Commands that are killed before or after any of their calls.

use super::world::When;
use super::*;

/// Runs a command to its death at every call in turn, on a stage that was made ready, and hands it over.
async fn killed_everywhere(ready: &str, line: &str, check: impl AsyncFn(Stage, String)) {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let stage = Stage::new();
            if !ready.is_empty() {
                stage.json(ready).await;
            }
            {
                let mut world = stage.world.state();
                world.fuse = Some((world.calls + call, when));
            }
            let finished = stage.run(line).await.is_ok();
            stage.world.state().fuse = None;
            if finished {
                assert!(call > 3, "the command makes calls");
                break;
            }
            check(stage, format!("killed at call {call}, {when:?}")).await;
        }
    }
}

/// Each valid credential has a key on the plan; no other key is left.
fn assert_whole(stage: &Stage, credentials: usize, case: &str) {
    let world = stage.world.state();
    let valid: Vec<_> = world.credentials.values().filter(|one| one.is_valid(NOW_MS)).collect();
    assert_eq!(valid.len(), credentials, "{case}");
    let mut named: Vec<_> = valid.iter().map(|one| one.gateway_key.clone().expect("a key")).collect();
    named.sort();
    let keys: Vec<_> = world.keys.keys().cloned().collect();
    assert_eq!(keys, named, "{case}");
    assert!(world.keys.values().all(|key| key.plan.is_some()), "{case}");
}

#[tokio::test]
async fn adding_again_finishes_what_was_killed() {
    killed_everywhere("", "add north --feeds labs", async |stage, case| {
        // Nothing is open before everything exists.
        let open: Vec<_> = stage.world.state().credentials.values().cloned().collect();
        if !open.is_empty() {
            assert_whole(&stage, 1, &case);
        }
        let answer = stage.json("add north --feeds labs").await;
        if answer["did"] == "kept" {
            // The answer was lost with its secret: the message says to rotate.
            let (_, secret) = stage.credential("rotate north").await;
            let lost = answer["credentials"][0]["id"].as_str().expect("an id");
            stage.json(&format!("revoke north {lost}")).await;
            assert_eq!(stage.door(&secret).await, "Allow", "{case}");
        } else {
            let secret = answer["secret"].as_str().expect("a secret");
            assert_eq!(stage.door(secret).await, "Allow", "{case}");
        }
        assert_whole(&stage, 1, &case);
        assert_eq!(stage.world.state().plans.len(), 1, "{case}");
    })
    .await;
}

#[tokio::test]
async fn rotating_again_finishes_what_was_killed() {
    killed_everywhere("add north", "rotate north", async |stage, case| {
        match stage.run("rotate north").await {
            Ok(_) => {}
            Err(Failure::TwoCredentials { second, .. }) => {
                stage.json(&format!("revoke north {second}")).await;
                stage.json("rotate north").await;
            }
            Err(failure) => panic!("{case}: {failure}"),
        }
        assert_whole(&stage, 2, &case);
    })
    .await;
}

#[tokio::test]
async fn putting_keys_of_an_earlier_version_right_can_be_killed_and_done_again() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1.. {
            let stage = Stage::new();
            let (id, secret) = stage.credential("add north").await;
            {
                let mut world = stage.world.state();
                let (_, key) = world.keys.pop_first().expect("a key");
                let old =
                    world::Key { name: format!("silent-scalper.north.{id}"), value: secret.clone(), ..key };
                world.keys.insert("old".to_owned(), old);
                world.credentials.values_mut().for_each(|one| one.gateway_key = Some("old".to_owned()));
                world.fuse = Some((world.calls + call, when));
            }
            let finished = stage.run("add north").await.is_ok();
            stage.world.state().fuse = None;
            stage.json("add north").await;
            assert_whole(&stage, 1, &format!("killed at call {call}, {when:?}"));
            assert!(stage.world.state().keys.values().all(|key| key.value != secret));
            assert_eq!(stage.door(&secret).await, "Allow");
            if finished {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_revocation_that_was_killed_never_leaves_a_key_without_its_lock() {
    for when in [When::BeforeEffect, When::AfterEffect] {
        for call in 1..=4 {
            let stage = Stage::new();
            let (id, secret) = stage.credential("add north").await;
            {
                let mut world = stage.world.state();
                world.fuse = Some((world.calls + call, when));
            }
            let line = format!("revoke north {id}");
            assert!(stage.run(&line).await.is_err(), "a revocation makes four calls");
            stage.world.state().fuse = None;
            let gone = stage.world.state().keys.is_empty();
            assert!(!gone || stage.door(&secret).await == "Unauthorized", "killed at call {call}, {when:?}");
            stage.json(&line).await;
            assert_eq!(stage.door(&secret).await, "Unauthorized");
            assert!(stage.world.state().keys.is_empty());
        }
    }
}
