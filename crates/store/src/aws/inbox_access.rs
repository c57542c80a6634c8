//! Who may upload into the inbox by S3 and read the outbox: the bucket policies of both, and the grants of their key.

use aws_sdk_s3::types::ServerSideEncryptionConfiguration;
use serde_json::{Value, json};

use super::client::Connection;
use super::failure::{code, failure};
use super::signed::{SignedCall, SigningClient};
use super::stack::Home;
use crate::{BucketUse, Error, InboxAccess, KeyGrant, Operation, PartnerBucket};

/// The bucket policies of a stack's inbox and outbox, and the grants of their key.
pub struct InboxPolicy {
    connection: Connection,
    stack: String,
    s3: aws_sdk_s3::Client,
    signed: SigningClient,
}

impl InboxPolicy {
    /// Returns those of the stack of this name.
    #[must_use]
    pub fn new(connection: &Connection, stack: &str) -> Self {
        Self {
            connection: connection.clone(),
            stack: stack.to_owned(),
            s3: connection.s3(None).client,
            signed: connection.signed(),
        }
    }

    async fn kms(&self, operation: Operation, target: &'static str, body: &Value) -> Result<Value, Error> {
        let body = body.to_string();
        let call = SignedCall {
            operation,
            service: "kms",
            method: "POST",
            path: "/",
            target: Some(target),
            body: &body,
        };
        self.signed.call(call).await
    }

    /// Returns the customer key with which a bucket encrypts, if it has one; `None` without such a bucket.
    async fn key(&self, bucket: &str, home: &Home) -> Result<Option<Option<String>>, Error> {
        let request = self.s3.get_bucket_encryption().bucket(bucket).expected_bucket_owner(&home.account);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("ServerSideEncryptionConfigurationNotFoundError") => {
                return Ok(Some(None));
            }
            Err(error) if code(&error) == Some("NoSuchBucket") => return Ok(None),
            Err(error) => return Err(failure(Operation::ReadBucket, &error)),
        };
        let all = answer.server_side_encryption_configuration();
        let mut rules = all.into_iter().flat_map(ServerSideEncryptionConfiguration::rules);
        let key = rules.find_map(|rule| rule.apply_server_side_encryption_by_default()?.kms_master_key_id());
        Ok(Some(key.map(|key| key_arn(key, home))))
    }

    /// Returns the stack's bucket of this use; `None` when there is none.
    async fn find(&self, bucket_use: BucketUse, home: Home) -> Result<Option<PartnerBucket>, Error> {
        let part = match bucket_use {
            BucketUse::Upload => "inbox",
            BucketUse::Read => "outbox",
        };
        let bucket = format!("{}-{part}-{}-{}", self.stack, home.account, home.region);
        let Some(key) = self.key(&bucket, &home).await? else { return Ok(None) };
        let arn = format!("arn:{}:s3:::{bucket}", home.partition);
        Ok(Some(PartnerBucket { bucket_use, bucket, arn, account: home.account, region: home.region, key }))
    }
}

/// S3 may know a key by its ARN, its id or an alias.
fn key_arn(key: &str, home: &Home) -> String {
    if key.starts_with("arn:") {
        return key.to_owned();
    }
    let Home { partition, region, account } = home;
    let own = if key.starts_with("alias/") { key.to_owned() } else { format!("key/{key}") };
    format!("arn:{partition}:kms:{region}:{account}:{own}")
}

impl<T: AsRef<InboxPolicy> + Sync> InboxAccess for T {
    async fn inbox(&self) -> Result<Option<PartnerBucket>, Error> {
        let policy = self.as_ref();
        let home = Home::find(&policy.connection, &format!("{}-ledger", policy.stack)).await?;
        let Some(home) = home else { return Ok(None) };
        policy.find(BucketUse::Upload, home).await
    }

    async fn outbox(&self, inbox: &PartnerBucket) -> Result<Option<PartnerBucket>, Error> {
        let partition = inbox.arn.split(':').nth(1).unwrap_or_default().to_owned();
        let home = Home { partition, region: inbox.region.clone(), account: inbox.account.clone() };
        self.as_ref().find(BucketUse::Read, home).await
    }

    async fn bucket_policy(&self, bucket: &PartnerBucket) -> Result<Option<String>, Error> {
        let request = self
            .as_ref()
            .s3
            .get_bucket_policy()
            .bucket(&bucket.bucket)
            .expected_bucket_owner(&bucket.account);
        match request.send().await {
            Ok(answer) => Ok(answer.policy),
            Err(error) if code(&error) == Some("NoSuchBucketPolicy") => Ok(None),
            Err(error) => Err(failure(Operation::ReadBucketPolicy, &error)),
        }
    }

    async fn put_bucket_policy(&self, bucket: &PartnerBucket, policy: Option<&str>) -> Result<(), Error> {
        let Some(policy) = policy else {
            let request = self.as_ref().s3.delete_bucket_policy().bucket(&bucket.bucket);
            let answer = request.expected_bucket_owner(&bucket.account).send().await;
            answer.map_err(|error| failure(Operation::WriteBucketPolicy, &error))?;
            return Ok(());
        };
        let request = self.as_ref().s3.put_bucket_policy().bucket(&bucket.bucket).policy(policy);
        let answer = request.expected_bucket_owner(&bucket.account).send().await;
        answer.map_err(|error| failure(Operation::WriteBucketPolicy, &error))?;
        Ok(())
    }

    async fn grants(&self, key: &str) -> Result<Vec<KeyGrant>, Error> {
        let mut grants = Vec::new();
        let mut request = json!({ "KeyId": key, "Limit": 100 });
        loop {
            let page = self.as_ref().kms(Operation::ListGrants, "TrentService.ListGrants", &request).await?;
            for grant in page["Grants"].as_array().into_iter().flatten() {
                let member = |name: &str| grant[name].as_str().unwrap_or_default().to_owned();
                grants.push(KeyGrant { id: member("GrantId"), name: member("Name") });
            }
            match page["NextMarker"].as_str().filter(|_| page["Truncated"] == true) {
                Some(marker) => request["Marker"] = marker.into(),
                None => return Ok(grants),
            }
        }
    }

    /// With a bucket key, which the template switches on, S3 encrypts under the bucket's ARN as context.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
    async fn put_grant(
        &self,
        bucket: &PartnerBucket,
        key: &str,
        name: &str,
        principal: &str,
    ) -> Result<(), Error> {
        let operations: &[&str] = match bucket.bucket_use {
            BucketUse::Upload => &["GenerateDataKey", "Decrypt"],
            BucketUse::Read => &["Decrypt"],
        };
        let request = json!({
            "KeyId": key,
            "Name": name,
            "GranteePrincipal": principal,
            "Operations": operations,
            "Constraints": { "EncryptionContextSubset": { "aws:s3:arn": bucket.arn } },
        });
        self.as_ref().kms(Operation::WriteGrant, "TrentService.CreateGrant", &request).await?;
        Ok(())
    }

    /// Revoked and not retired: to retire a grant is its grantee's or its retiring principal's right, to revoke it
    /// the key administrator's.
    async fn revoke_grant(&self, key: &str, id: &str) -> Result<(), Error> {
        let request = json!({ "KeyId": key, "GrantId": id });
        match self.as_ref().kms(Operation::WriteGrant, "TrentService.RevokeGrant", &request).await {
            Err(error) if error.code != "NotFoundException" => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::SharedHttpConnector;

    use super::*;
    use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, dynamodb_error, s3_error};

    const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1";

    fn owner(answers: impl IntoIterator<Item = ReplayedResponse>) -> (InboxPolicy, ScriptedService) {
        let (config, replay) = ScriptedService::configuration(answers);
        let mut owner = InboxPolicy::new(&Connection::new(&config), "s");
        owner.signed = SigningClient::over(&config, SharedHttpConnector::new(replay.clone()));
        (owner, replay)
    }

    fn table() -> ReplayedResponse {
        let arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/s-ledger";
        answer(200, json!({ "Table": { "TableArn": arn } }).to_string())
    }

    fn inbox() -> PartnerBucket {
        PartnerBucket {
            bucket_use: BucketUse::Upload,
            bucket: "s-inbox-123456789012-eu-central-1".to_owned(),
            arn: "arn:aws:s3:::s-inbox-123456789012-eu-central-1".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            key: None,
        }
    }

    #[tokio::test]
    async fn the_inbox_is_found_with_its_key_and_without_one() -> Result<(), Error> {
        let encryption = format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID>\
             </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        );
        let none = s3_error(404, "ServerSideEncryptionConfigurationNotFoundError");
        let absent = dynamodb_error("ResourceNotFoundException", "");
        let (owner, _) = owner([table(), answer(200, encryption), table(), none, absent]);
        assert_eq!(owner.inbox().await?, Some(PartnerBucket { key: Some(KEY.to_owned()), ..inbox() }));
        assert_eq!(owner.inbox().await?, Some(inbox()));
        assert_eq!(owner.inbox().await?, None);
        let home = Home::of_arn("arn:aws:dynamodb:eu-central-1:123456789012:table/s").expect("a home");
        assert_eq!(key_arn("1", &home), KEY);
        assert_eq!(key_arn("alias/a", &home), "arn:aws:kms:eu-central-1:123456789012:alias/a");
        Ok(())
    }

    #[tokio::test]
    async fn the_outbox_is_beside_the_inbox_and_an_older_stack_has_none() -> Result<(), Error> {
        let plain = s3_error(404, "ServerSideEncryptionConfigurationNotFoundError");
        let (owner, replay) = owner([plain, s3_error(404, "NoSuchBucket"), answer(200, "{}")]);
        let outbox = owner.outbox(&inbox()).await?.expect("an outbox");
        assert_eq!(outbox.arn, "arn:aws:s3:::s-outbox-123456789012-eu-central-1");
        assert_eq!((outbox.bucket_use, &outbox.key), (BucketUse::Read, &None));
        assert_eq!(owner.outbox(&inbox()).await?, None);
        owner.put_grant(&outbox, KEY, "name", "arn:aws:iam::210987654321:role/sender").await?;
        let made = replay.seen()[2].json();
        assert_eq!(made["Operations"], json!(["Decrypt"]));
        assert_eq!(made["Constraints"]["EncryptionContextSubset"]["aws:s3:arn"], outbox.arn);
        Ok(())
    }

    #[tokio::test]
    async fn the_policy_is_read_written_and_deleted_as_the_owner() -> Result<(), Error> {
        let missing = s3_error(404, "NoSuchBucketPolicy");
        let policy = r#"{"Statement": []}"#;
        let answers =
            [answer(200, policy), missing, answer(204, ""), answer(204, ""), s3_error(403, "AccessDenied")];
        let (owner, replay) = owner(answers);
        assert_eq!(owner.bucket_policy(&inbox()).await?.as_deref(), Some(policy));
        assert_eq!(owner.bucket_policy(&inbox()).await?, None);
        owner.put_bucket_policy(&inbox(), Some(policy)).await?;
        owner.put_bucket_policy(&inbox(), None).await?;
        assert!(owner.bucket_policy(&inbox()).await.expect_err("denied").is_denied());
        let seen = replay.seen();
        let methods: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
        assert_eq!(methods, ["GET", "GET", "PUT", "DELETE", "GET"]);
        assert_eq!(seen[2].body, policy);
        assert!(seen.iter().all(|seen| seen.header("x-amz-expected-bucket-owner") == Some("123456789012")));
        Ok(())
    }

    #[tokio::test]
    async fn a_grant_is_for_the_inbox_bucket_only_and_is_revoked_once() -> Result<(), Error> {
        let first = r#"{"Grants":[{"GrantId":"g1","Name":"a"}],"Truncated":true,"NextMarker":"m"}"#;
        let gone = answer(400, r#"{"__type":"NotFoundException"}"#);
        let answers = [
            answer(200, r#"{"GrantId":"g"}"#),
            answer(200, first),
            answer(200, r#"{"Grants":[{"GrantId":"g2"}],"Truncated":false}"#),
            answer(200, ""),
            gone,
        ];
        let (owner, replay) = owner(answers);
        let principal = "arn:aws:iam::210987654321:role/sender";
        owner.put_grant(&inbox(), KEY, "name", principal).await?;
        let named = |id: &str, name: &str| KeyGrant { id: id.to_owned(), name: name.to_owned() };
        assert_eq!(owner.grants(KEY).await?, [named("g1", "a"), named("g2", "")]);
        owner.revoke_grant(KEY, "g1").await?;
        owner.revoke_grant(KEY, "g1").await?;
        let seen = replay.seen();
        let made = seen[0].json();
        assert_eq!(made["Constraints"]["EncryptionContextSubset"]["aws:s3:arn"], inbox().arn);
        assert_eq!((&made["GranteePrincipal"], &made["Name"]), (&json!(principal), &json!("name")));
        assert_eq!(seen[2].json()["Marker"], "m");
        assert_eq!(seen[3].header("x-amz-target"), Some("TrentService.RevokeGrant"));
        Ok(())
    }
}
