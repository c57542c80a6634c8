use serde_json::json;

use super::*;
use crate::aws::replay::{ScriptedService, answer};

#[tokio::test]
async fn a_credential_is_put_in_both_places_or_none_and_one_that_cannot_be_read_opens_nothing() {
    let item = r#"{"id":{"S":"c"},"partner":{"S":"north"},"feeds":{"S":"*"},"scopes":{"S":"read submit"},
        "created_ms":{"N":"1"},"hash":{"S":"HASH"}REVOKED}"#;
    let hash = CredentialHash::of("secret");
    let item = item.replace("HASH", hash.as_str());
    let found = |revoked: &str| answer(200, format!(r#"{{"Item":{}}}"#, item.replace("REVOKED", revoked)));
    let odd = found(r#","revoked_ms":{"S":"yesterday"}"#);
    let (store, replay) = ScriptedService::store([found(""), answer(200, "{}"), odd]);
    let credential = store.credential(&hash).await.unwrap().unwrap();
    assert!(credential.is_valid(2));
    store.put_credential(&hash, &credential).await.unwrap();
    assert_eq!(store.credential(&hash).await.unwrap_err().code, "malformed item");
    let seen = replay.seen();
    assert_eq!(seen[0].json()["ConsistentRead"], true);
    let writes = seen[1].json()["TransactItems"].clone();
    assert_eq!(writes[0]["Put"]["Item"]["pk"]["S"], format!("credential#{}", hash.as_str()));
    assert_eq!(writes[1]["Put"]["Item"]["pk"]["S"], "partner#north");
    assert_eq!(writes[1]["Put"]["Item"]["hash"]["S"], hash.as_str());
}

#[tokio::test]
async fn principals_are_remembered_as_one_item() -> Result<(), Error> {
    let two = "arn:aws:iam::210987654321:role/a arn:aws:iam::210987654321:user/b";
    let item = |principals: &str| json!({ "pk": {"S": "s3"}, "sk": {"S": "north"}, "principals": {"S": principals} });
    let one = |principals: &str| answer(200, json!({ "Item": item(principals) }).to_string());
    let all = answer(200, json!({ "Items": [item(two)] }).to_string());
    let (store, replay) =
        ScriptedService::store([answer(200, "{}"), answer(200, "{}"), one(two), one(""), all]);
    let both: BTreeSet<String> = two.split(' ').map(str::to_owned).collect();
    assert_eq!(store.s3_principals("north").await?, None);
    store.put_s3_principals("north", &both).await?;
    assert_eq!(store.s3_principals("north").await?, Some(both.clone()));
    assert_eq!(store.s3_principals("north").await?, Some(BTreeSet::new()));
    assert_eq!(store.all_s3_principals().await?, [("north".to_owned(), both)]);
    assert_eq!(replay.seen()[1].json()["Item"], item(two));
    Ok(())
}
