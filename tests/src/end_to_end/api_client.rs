//! A client that is generated from the OpenAPI document sends a file.

use std::process::Command;

use serde_json::{Value, json};

use super::api::Shows;
use super::emulator::{NOT_INHERITED, python};
use super::harness::Harness;
use crate::repository::root;

#[tokio::test]
async fn a_generated_client_sends_a_file_and_reads_its_state() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let Shows::Key(key) = &north.shows else { panic!("a key") };
    let mut command = Command::new(python());
    command.arg("infra/local/generated_client.py").args([harness.names.api.as_str(), key, "scans"]);
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    let output = command.current_dir(root()).output().expect("run python, which `make tools` installs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "generated_client.py: {said}");
    let answers: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for package in ["plain", "typed"] {
        let answer = &answers[package];
        assert_eq!(answer["name"], format!("{package}.csv"), "{answers}");
        let decided = north.decided(answer["id"].as_str().expect("an id"));
        assert_eq!((&decided["state"], &decided["loaded"]), (&json!("COMPLETE"), &json!(1)), "{decided}");
    }
}
