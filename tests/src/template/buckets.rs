//! Buckets: hazards S13, S21–S25, S28, S30, X3–X5, X11, O13.

use serde_json::Value;

use super::expanded::{ExpandedTemplate, Resource, list, number, scalar};
use super::permissions::{denies_plain_http, statements};
use super::{CHOICES, with_every_choice};

const BUCKET: &str = "AWS::S3::Bucket";

#[test]
fn every_bucket_keeps_versions_to_itself_and_encrypted() {
    with_every_choice(|stack| {
        assert!(stack.of_kind(BUCKET).count() >= 4, "inbox, contracts, quarantine and outbox");
        for bucket in stack.of_kind(BUCKET) {
            let id = &bucket.id;
            assert_eq!(bucket.at("/VersioningConfiguration/Status"), "Enabled", "{id}");
            assert_eq!(
                bucket.at("/OwnershipControls/Rules/0/ObjectOwnership"),
                "BucketOwnerEnforced",
                "{id}"
            );
            for flag in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]
            {
                assert_eq!(
                    bucket.at(&format!("/PublicAccessBlockConfiguration/{flag}")),
                    true,
                    "{id} {flag}"
                );
            }
            let encryption = bucket.at("/BucketEncryption/ServerSideEncryptionConfiguration/0");
            let algorithm = &encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"];
            if stack.uses_customer_keys() {
                assert_eq!(algorithm, "aws:kms", "{id}");
                assert_eq!(encryption["BucketKeyEnabled"], true, "{id}: a call to KMS for each object");
            } else {
                assert_eq!(algorithm, "AES256", "{id}");
            }
        }
    });
}

#[test]
fn the_quarantine_has_a_key_of_its_own() {
    with_every_choice(|stack| {
        let key = |id: &str| {
            let pointer = "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID";
            scalar(stack.resource(id).at(pointer))
        };
        if stack.uses_customer_keys() {
            assert_ne!(key("QuarantineBucket"), key("InboxBucket"));
            assert_eq!(
                stack.resource_behind(&key("QuarantineBucket")).map(|key| key.kind.as_str()),
                Some("AWS::KMS::Key")
            );
        } else {
            assert_eq!(stack.of_kind("AWS::KMS::Key").count(), 0, "a customer key costs money idle");
        }
    });
}

#[test]
fn unfinished_uploads_and_old_versions_do_not_stay_for_ever() {
    with_every_choice(|stack| {
        for bucket in stack.of_kind(BUCKET) {
            let abort = lifecycle(bucket, "/AbortIncompleteMultipartUpload/DaysAfterInitiation");
            assert!(
                abort.is_some_and(|days| days <= 7),
                "{}: unfinished uploads stay {abort:?} days",
                bucket.id
            );
        }
        for id in ["InboxBucket", "QuarantineBucket", "OutboxBucket"] {
            let bucket = stack.resource(id);
            let current = lifecycle(bucket, "/ExpirationInDays");
            let noncurrent = lifecycle(bucket, "/NoncurrentVersionExpiration/NoncurrentDays");
            assert!(current.is_some_and(|days| days >= 30), "{id} keeps files {current:?} days");
            assert!(
                noncurrent.is_some_and(|days| days >= 30),
                "{id} keeps older versions {noncurrent:?} days"
            );
        }
    });
}

#[test]
fn a_file_outlives_its_message() {
    with_every_choice(|stack| {
        let days = lifecycle(stack.resource("InboxBucket"), "/ExpirationInDays").expect("an expiry");
        let longest =
            stack.of_kind("AWS::SQS::Queue").map(|queue| number(queue.at("/MessageRetentionPeriod"))).max();
        assert!(
            longest.is_some_and(|seconds| seconds < days * 86_400),
            "a dead letter could outlive its file"
        );
    });
}

#[test]
fn every_bucket_rejects_plain_http() {
    with_every_choice(|stack| {
        for bucket in stack.of_kind(BUCKET) {
            let policies = stack.of_kind("AWS::S3::BucketPolicy");
            let own = policies.filter(|policy| scalar(policy.at("/Bucket")) == format!("${{{}}}", bucket.id));
            let covered = [format!("${{{}.Arn}}", bucket.id), format!("${{{}.Arn}}/*", bucket.id)];
            assert!(
                own.into_iter().any(|policy| denies_plain_http(policy, "s3:*", &covered)),
                "{}",
                bucket.id
            );
        }
    });
}

#[test]
fn every_kind_of_upload_notifies_the_queue_and_only_the_inbox_notifies() {
    with_every_choice(|stack| {
        for bucket in stack.of_kind(BUCKET) {
            let notification = bucket.at("/NotificationConfiguration");
            if bucket.id == "InboxBucket" {
                let queue = &notification["QueueConfigurations"][0];
                assert_eq!(queue["Event"], "s3:ObjectCreated:*");
                assert!(queue["Filter"].is_null(), "a filter would leave files unseen");
                let target = stack.resource_behind(&scalar(&queue["Queue"])).map(|queue| queue.id.as_str());
                assert_eq!(target, Some("InboxQueue"));
                // S3 tests the queue's policy when the notification is configured.
                assert!(list(&bucket.body["DependsOn"]).contains(&"InboxQueuePolicy".to_owned()));
            } else {
                assert!(notification.is_null(), "{} starts something", bucket.id);
            }
        }
    });
}

#[test]
fn data_outlives_the_stack_unless_asked_otherwise() {
    with_every_choice(|stack| {
        let chosen = stack.parameters["OnDelete"].as_str();
        // A key stays whatever is chosen: what it encrypted would be lost with it, backups too.
        for (kind, expected) in
            [(BUCKET, chosen), ("AWS::DynamoDB::Table", chosen), ("AWS::KMS::Key", "RetainExceptOnCreate")]
        {
            for resource in stack.of_kind(kind) {
                assert_eq!(resource.body["DeletionPolicy"], expected, "{}", resource.id);
                // Only `Retain` keeps a resource that is replaced: `RetainExceptOnCreate` is no such policy.
                assert_eq!(resource.body["UpdateReplacePolicy"], "Retain", "{}", resource.id);
            }
        }
    });
    let kept = |stack: &ExpandedTemplate| stack.parameters["OnDelete"] == "RetainExceptOnCreate";
    assert!(CHOICES.iter().any(kept), "the default keeps data");
}

#[test]
fn the_days_that_a_version_is_kept_are_the_sum_that_the_parameters_promise() {
    // S3 hides an expired object behind a delete marker, and counts the days of a noncurrent version from then on.
    let kept = |chosen: &[(&str, &str)], id: &str| {
        let stack = ExpandedTemplate::expand(chosen);
        let bucket = stack.resource(id);
        let days = |pointer| lifecycle(bucket, pointer).expect("days");
        (days("/ExpirationInDays"), days("/NoncurrentVersionExpiration/NoncurrentDays"))
    };
    assert_eq!(kept(&[], "InboxBucket"), (365, 35), "400 days by default");
    assert_eq!(kept(&[], "QuarantineBucket"), (370, 30), "400 days by default");
    let chosen =
        [("InboxRetentionDays", "60"), ("ReplacedRetentionDays", "30"), ("QuarantineRetentionDays", "90")];
    assert_eq!(kept(&chosen, "InboxBucket"), (60, 30));
    assert_eq!(kept(&chosen, "QuarantineBucket"), (90, 30));
    for (name, parameter) in CHOICES[0].declared_parameters() {
        if name.ends_with("RetentionDays") && name != "LogRetentionDays" {
            let text = parameter["Description"].as_str().unwrap_or_default();
            assert!(
                text.contains("later") || text.contains(" + "),
                "{name} does not say what is added to it"
            );
        }
    }
}

#[test]
fn an_upload_that_could_never_be_read_is_denied_on_arrival() {
    with_every_choice(|stack| {
        let policy =
            stack.of_kind("AWS::S3::BucketPolicy").find(|one| scalar(one.at("/Bucket")) == "${InboxBucket}");
        let policy = policy.expect("a policy of the inbox").at("/PolicyDocument").clone();
        let denied: Vec<Value> = statements(&policy)
            .into_iter()
            .filter(|one| one["Effect"] == "Deny" && list(&one["Action"]) == ["s3:PutObject"])
            .collect();
        let condition = |sid: &str| {
            let found = denied.iter().find(|one| one["Sid"] == sid);
            found.map(|one| one["Condition"].clone())
        };
        // A key of the caller (SSE-C) is sent with each request, and the processor has none.
        let callers = condition("NoKeysOfCallers").expect("a statement");
        assert_eq!(callers["Null"]["s3:x-amz-server-side-encryption-customer-algorithm"], "false");
        let others = condition("OnlyOurKeys").expect("a statement");
        if stack.uses_customer_keys() {
            assert_eq!(
                others["StringNotEqualsIfExists"]["s3:x-amz-server-side-encryption-aws-kms-key-id"],
                "${InboxKey.Arn}"
            );
            let none = condition("NoOtherEncryption").expect("a statement");
            assert_eq!(none["Null"]["s3:x-amz-server-side-encryption"], "false");
            assert_eq!(none["Null"]["s3:x-amz-server-side-encryption-aws-kms-key-id"], "true");
        } else {
            assert_eq!(others["StringNotEquals"]["s3:x-amz-server-side-encryption"], "AES256");
        }
        // Without such a header the bucket's own encryption is used, and nothing is denied.
        for one in &denied {
            let needed = one["Condition"]["Null"].as_object().expect("asks for a header");
            assert!(needed.values().any(|value| value == "false"), "{}", one["Sid"]);
        }
    });
}

#[test]
fn pages_of_allowed_origins_may_use_the_addresses_that_the_api_gives_them() {
    with_every_choice(|stack| {
        let cors = |id: &str| stack.resource(id).at("/CorsConfiguration/CorsRules/0").clone();
        let (inbox, quarantine) = (cors("InboxBucket"), cors("QuarantineBucket"));
        if stack.parameters["AllowedOrigins"].is_empty() {
            assert!(inbox.is_null() && quarantine.is_null());
            return;
        }
        let origins: Vec<&str> = stack.parameters["AllowedOrigins"].split(',').collect();
        for (rule, methods) in [(&inbox, vec!["PUT"]), (&quarantine, vec!["GET", "HEAD"])] {
            assert_eq!(list(&rule["AllowedOrigins"]), origins);
            assert_eq!(list(&rule["AllowedMethods"]), methods);
        }
        // To complete an upload in parts a page names the ETag of each.
        assert!(list(&inbox["ExposedHeaders"]).contains(&"ETag".to_owned()));
    });
}

/// Returns the shortest period that any enabled rule for the whole bucket sets.
fn lifecycle(bucket: &Resource, pointer: &str) -> Option<u64> {
    let rules = bucket.at("/LifecycleConfiguration/Rules").as_array()?;
    let whole = rules.iter().filter(|rule| rule["Status"] == "Enabled" && rule["Prefix"].is_null());
    whole.filter_map(|rule| rule.pointer(pointer).map(number_of)).min()
}

fn number_of(value: &Value) -> u64 {
    number(value)
}

#[test]
fn no_function_writes_to_what_triggers_it() {
    with_every_choice(|stack| {
        for function in stack.of_kind("AWS::Lambda::Function") {
            let triggers = triggers_of(stack, function);
            assert!(!triggers.is_empty(), "{} is triggered by something", function.id);
            for (action, resource) in super::permissions::allowed(stack, function) {
                let writes = ["s3:Put", "s3:Copy", "s3:Restore", "sqs:Send", "sns:Publish"];
                let target = stack.resource_behind(&resource).map(|target| target.id.clone());
                // The one loop that is meant: a message is sent for a file only when a checkpoint of it was written,
                // which happens once for each of its rows at most.
                let hands_over = (function.id.as_str(), action.as_str(), target.as_deref())
                    == ("ProcessorFunction", "sqs:SendMessage", Some("InboxQueue"));
                let loops = writes.iter().any(|write| action.starts_with(write))
                    && target.is_some_and(|id| triggers.contains(&id))
                    && !hands_over;
                assert!(!loops, "{} may {action} on {resource}, which triggers it", function.id);
            }
        }
    });
}

/// Queues that feed the function, the buckets that feed those, the API that calls it, the topics that it is
/// subscribed to, the schedule that runs it.
fn triggers_of(stack: &ExpandedTemplate, function: &Resource) -> Vec<String> {
    let mappings = stack.of_kind("AWS::Lambda::EventSourceMapping");
    let own = mappings.filter(|mapping| {
        stack
            .resource_behind(&scalar(mapping.at("/FunctionName")))
            .is_some_and(|target| target.id == function.id)
    });
    let mut triggers: Vec<String> = own
        .filter_map(|mapping| stack.resource_behind(&scalar(mapping.at("/EventSourceArn"))))
        .map(|source| source.id.clone())
        .collect();
    let direct = triggers.clone();
    let feeds = |bucket: &&Resource| {
        let configured = bucket.at("/NotificationConfiguration").to_string();
        direct.iter().chain([&function.id]).any(|id| configured.contains(&format!("${{{id}.Arn}}")))
    };
    triggers.extend(stack.of_kind(BUCKET).filter(feeds).map(|bucket| bucket.id.clone()));
    let calls = |api: &&Resource| api.at("/Body").to_string().contains(&format!("${{{}.Arn}}", function.id));
    let subscribed = |one: &&Resource| scalar(one.at("/Endpoint")) == format!("${{{}.Arn}}", function.id);
    let topics = stack.of_kind("AWS::SNS::Subscription").filter(subscribed);
    let topics = topics.filter_map(|one| stack.resource_behind(&scalar(one.at("/TopicArn"))));
    triggers.extend(topics.map(|topic| topic.id.clone()));
    let runs = |rule: &&Resource| scalar(rule.at("/Targets/0/Arn")) == format!("${{{}.Arn}}", function.id);
    triggers.extend(stack.of_kind("AWS::Events::Rule").filter(runs).map(|rule| rule.id.clone()));
    triggers.extend(stack.of_kind("AWS::ApiGateway::RestApi").filter(calls).map(|api| api.id.clone()));
    triggers
}
