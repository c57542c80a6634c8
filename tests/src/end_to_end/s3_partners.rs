//! Partners that upload by S3 themselves: what their roles may put, and what is denied. Uploads under foreign keys
//! are denied by conditions that the emulator does not know: `tests/src/template` asserts them.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder;
use serde_json::json;

use super::files::csv;
use super::harness::{ACCOUNT, Harness, client};
use super::http;
use super::roles::assert_denied;

/// Everybody of the account may assume the role. It has no policy of its own, so that the bucket's alone decides.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;

#[tokio::test]
async fn a_partner_s_role_uploads_below_its_own_prefix_only_and_while_it_is_not_suspended() {
    let harness = Harness::open().await;
    harness.add_partner("north");
    harness.add_partner("south");
    let (arn, role) = partner_role(&harness, "north-sender");
    let s3 = client!(aws_sdk_s3, &harness.emulator.endpoint, role);
    let put = async |key: &str| {
        let body = ByteStream::from(csv(0, 3).as_bytes().to_vec());
        s3.put_object().bucket(&harness.names.inbox).key(key).body(body).send().await
    };
    assert_denied("upload before it is given", &put("north/scans/day.csv").await);

    let given = harness.scalper(&format!("partner s3 north --principal {arn}"));
    assert_eq!((&given["did"], &given["uploads"]["inForce"]), (&json!("s3-given"), &json!(true)));
    let sent = put("north/scans/day.csv").await.expect("its own prefix");
    let entry = harness.outcome("north/scans/day.csv", &sent.version_id.expect("a version")).await;
    assert_eq!(entry.state(), "COMPLETE");
    for key in ["south/scans/day.csv", "heartbeat/heartbeat/day.csv", "day.csv", "northern/scans/day.csv"] {
        assert_denied("upload elsewhere", &put(key).await);
    }
    let read = s3.get_object().bucket(&harness.names.inbox).key("north/scans/day.csv").send().await;
    assert_denied("read the inbox", &read);
    let delete = s3.delete_object().bucket(&harness.names.inbox).key("north/scans/day.csv").send().await;
    assert_denied("delete in the inbox", &delete);
    assert_denied("list the inbox", &s3.list_objects_v2().bucket(&harness.names.inbox).send().await);

    harness.scalper("partner suspend north");
    assert_denied("upload while it is suspended", &put("north/scans/2.csv").await);
    harness.scalper("partner resume north");
    put("north/scans/2.csv").await.expect("active again");
    harness.scalper("partner s3 north --remove");
    assert_denied("upload after it is taken", &put("north/scans/3.csv").await);
}

/// Makes a role without any policy, and assumes it.
pub(super) fn partner_role(harness: &Harness, name: &str) -> (String, Credentials) {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let form = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        text.bytes().fold(String::new(), |form, byte| {
            if plain(byte) { form + &char::from(byte).to_string() } else { form + &format!("%{byte:02X}") }
        })
    };
    let call = |service: &str, body: &str| {
        let owner = http::owner_of(ACCOUNT, service);
        let headers =
            [("authorization", owner.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let answer = http::send(&harness.emulator.endpoint, "POST", "/", &headers, body.as_bytes());
        let text = String::from_utf8(answer.body).expect("XML");
        assert_eq!(answer.status, 200, "{text}");
        text
    };
    let trust = form(TRUST);
    call(
        "iam",
        &format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument={trust}"),
    );
    let role = form(&arn);
    let text =
        call("sts", &format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=test&RoleArn={role}"));
    let part = |name: &str| {
        let after = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")).1;
        after.split('<').next().unwrap_or_default().to_owned()
    };
    let token = Some(part("SessionToken"));
    (arn, Credentials::new(part("AccessKeyId"), part("SecretAccessKey"), token, None, "a partner's role"))
}
