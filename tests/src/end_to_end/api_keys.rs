//! Keys at API Gateway: none of them opens anything, and lost ones are put back.

use std::process::Command;

use serde_json::{Value, json};

use super::api::{Shows, problem};
use super::emulator::{NOT_INHERITED, python};
use super::harness::{ACCOUNT, Harness};

/// Every key with its value, and the deletion of every usage plan when it is asked for.
const GATEWAY: &str = r#"
import boto3, json, sys
gateway = boto3.client("apigateway")
keys = [{"name": key["name"], "value": key["value"]} for key in gateway.get_api_keys(includeValues=True)["items"]]
if sys.argv[1] == "delete-plans":
    for plan in gateway.get_usage_plans()["items"]:
        for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]:
            gateway.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
        gateway.delete_usage_plan(usagePlanId=plan["id"])
print(json.dumps(keys))
"#;

fn gateway(harness: &Harness, step: &str) -> Vec<Value> {
    let mut command = Command::new(python());
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command.envs([
        ("AWS_ENDPOINT_URL", harness.emulator.endpoint.as_str()),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ]);
    command.envs([("AWS_ACCESS_KEY_ID", ACCOUNT), ("AWS_SECRET_ACCESS_KEY", "local")]);
    let output = command.args(["-c", GATEWAY, step]).output().expect("run python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn what_api_gateway_shows_opens_nothing() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    let Shows::Key(own) = &north.shows else { panic!("a key") };
    assert_eq!(north.get("/v1/feeds").status, 200);
    let keys = gateway(&harness, "list");
    assert_eq!(keys.len(), 1, "{keys:?}");
    let shown = keys[0]["value"].as_str().expect("a value");
    assert!(!shown.contains(own.as_str()), "the credential is shown in clear");
    assert_eq!(problem(&harness.holder(shown).get("/v1/feeds"), 401), "unauthorized");
}

#[tokio::test]
async fn a_usage_plan_that_was_deleted_is_found_and_put_back() {
    let harness = Harness::open().await;
    let north = harness.add_partner("north");
    assert_eq!(north.get("/v1/feeds").status, 200);
    gateway(&harness, "delete-plans");
    let rejected = north.get("/v1/feeds");
    assert_eq!(problem(&rejected, 403), "forbidden");
    assert!(rejected.text().contains("scalper doctor"), "{}", rejected.text());
    // Some of what the doctor asks for is not on the emulator, so that its exit code says nothing here.
    let found = harness.command(&["--json"], "doctor").output().expect("run scalper");
    let found: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    let of_keys =
        found["findings"].as_array().expect("findings").iter().find(|one| one["check"] == "API keys");
    let of_keys = of_keys.unwrap_or_else(|| panic!("{found}"));
    assert_eq!(of_keys["level"], "fail", "{of_keys}");
    let line = of_keys["command"].as_str().expect("a command").split("silent-scalper-dev ").nth(1);
    assert_eq!(harness.scalper(line.expect("words of a command"))["did"], json!("kept"));
    assert_eq!(north.get("/v1/feeds").status, 200, "the same credential, without a new secret");
}
