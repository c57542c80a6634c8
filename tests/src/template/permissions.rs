//! What each role may do: hazards X1, X2, X24, D29, S12, S13.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expanded::{ExpandedTemplate, Resource, list, scalar};
use super::with_every_choice;

const ROLE: &str = "AWS::IAM::Role";

/// The one action on everything, of the one role that has it: "GetMetricData" has no resource types and no condition
/// keys (Service Authorization Reference, "Actions, resources, and condition keys for Amazon CloudWatch"). It reads
/// numbers.
const ON_EVERYTHING: (&str, &str) = ("NotifierRole", "cloudwatch:GetMetricData");
/// The one action on all alarms, of the one role that has it: alarms are found by the beginning of their names
/// (`DescribeAlarms` with `AlarmNamePrefix`). It reads states and descriptions.
const ON_ALARMS: (&str, &str) = ("NotifierRole", "cloudwatch:DescribeAlarms");
/// All alarms of the account and region.
const ALARMS: &str = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:*";

#[test]
fn a_role_names_each_action_and_each_resource() {
    with_every_choice(|stack| {
        for role in stack.of_kind(ROLE) {
            // A managed policy has every resource. API Gateway takes nothing less for the account's access logs.
            let managed = list(role.at("/ManagedPolicyArns"));
            if role.id == "GatewayLogs" {
                let trust = statements(role.at("/AssumeRolePolicyDocument"));
                assert_eq!(trust[0]["Principal"]["Service"], "apigateway.amazonaws.com");
                assert_eq!(managed.len(), 1, "{managed:?}");
                assert!(managed[0].ends_with("AmazonAPIGatewayPushToCloudWatchLogs"), "{managed:?}");
            } else {
                assert!(managed.is_empty(), "{}: {managed:?}", role.id);
            }
            for (action, resource) in allowed_by(role) {
                assert!(!action.contains('*'), "{}: {action}", role.id);
                if (role.id.as_str(), action.as_str()) == ON_EVERYTHING {
                    assert_eq!(resource, "*", "{}: {action} on {resource} is rejected", role.id);
                    continue;
                }
                if (role.id.as_str(), action.as_str()) == ON_ALARMS {
                    assert_eq!(resource, ALARMS, "{}: {action}", role.id);
                    continue;
                }
                assert!(stack.resource_behind(&resource).is_some(), "{}: {action} on {resource}", role.id);
            }
        }
        assert_eq!(stack.of_kind("AWS::IAM::Policy").count(), 0, "policies stand in their role");
    });
}

#[test]
fn no_role_deletes_scans_or_manages() {
    with_every_choice(|stack| {
        for role in stack.of_kind(ROLE) {
            for (action, resource) in allowed_by(role) {
                let verb = action.split(':').nth(1).unwrap_or_default();
                // A message is taken off its queue, and a partner's rejected request is forgotten (which rows those
                // are, the test of the API says).
                let may = action == "sqs:DeleteMessage"
                    || role.id == "IngestRole"
                        && action == "dynamodb:DeleteItem"
                        && resource == "${PartnersTable.Arn}";
                let removes = verb.starts_with("Delete") && !may;
                let rejected = removes
                    || verb == "Scan"
                    || ["Create", "Tag", "Attach", "PassRole"]
                        .iter()
                        .any(|word| verb.starts_with(word) && action != "logs:CreateLogStream");
                assert!(!rejected, "{}: {action} on {resource}", role.id);
            }
        }
    });
}

#[test]
fn each_function_has_a_role_that_only_it_takes() {
    with_every_choice(|stack| {
        let mut taken = Vec::new();
        for function in stack.of_kind("AWS::Lambda::Function") {
            let role = stack.resource_behind(&scalar(function.at("/Role"))).expect("a role of the template");
            let trust = statements(role.at("/AssumeRolePolicyDocument"));
            assert_eq!(trust.len(), 1, "{}", role.id);
            assert_eq!(trust[0]["Principal"]["Service"], "lambda.amazonaws.com", "{}", role.id);
            assert!(!taken.contains(&role.id), "{} is shared", role.id);
            taken.push(role.id.clone());
        }
    });
}

#[test]
fn the_processor_reads_the_inbox_and_can_tell_missing_from_denied() {
    with_every_choice(|stack| {
        let function = stack.resource("ProcessorFunction");
        let on = |id: &str| -> Vec<String> {
            let all = allowed(stack, function).into_iter();
            let own = all
                .filter(|(_, resource)| stack.resource_behind(resource).is_some_and(|found| found.id == id));
            own.map(|(action, _)| action).collect()
        };
        let inbox = on("InboxBucket");
        for needed in ["s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"] {
            assert!(inbox.iter().any(|action| action == needed), "{needed} on the inbox: {inbox:?}");
        }
        assert!(
            inbox.iter().all(|action| action.starts_with("s3:Get") || action.starts_with("s3:List")),
            "{inbox:?}"
        );
        // It writes into the quarantine and never looks back.
        assert!(
            on("QuarantineBucket")
                .iter()
                .all(|action| !action.starts_with("s3:Get") && !action.starts_with("s3:List"))
        );
    });
}

#[test]
fn the_processor_may_do_what_it_calls_and_nothing_more() {
    // What `store::aws` calls, and the event source mapping on the queue. A copy or a part of an upload is a
    // PutObject; a transaction needs the permission of each of its writes.
    let needed = [
        ("InboxBucket/*", "s3:GetObject s3:GetObjectVersion"),
        ("InboxBucket", "s3:ListBucket s3:ListBucketVersions"),
        ("ContractsBucket/*", "s3:GetObject s3:GetObjectVersion"),
        ("ContractsBucket", "s3:ListBucket s3:ListBucketVersions"),
        ("QuarantineBucket/*", "s3:AbortMultipartUpload s3:PutObject"),
        ("LedgerTable", "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem"),
        ("LedgerTable/index/open-by-partner", "dynamodb:Query"),
        ("RecordsTable", "dynamodb:BatchWriteItem"),
        ("PartnersTable of partners", "dynamodb:GetItem"),
        (
            "InboxQueue",
            "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage",
        ),
        ("OutcomeTopic", "sns:Publish"),
        ("ProcessorLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("ProcessorFunction", &needed);
}

#[test]
fn the_api_can_not_make_a_credential_nor_read_what_a_partner_may_not() {
    let needed = [
        (
            "InboxBucket/*",
            "s3:AbortMultipartUpload s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject",
        ),
        ("InboxBucket", "s3:ListBucket s3:ListBucketVersions"),
        ("ContractsBucket/*", "s3:GetObject s3:GetObjectVersion"),
        ("ContractsBucket", "s3:ListBucket s3:ListBucketVersions"),
        // Not the rejected bytes.
        ("QuarantineBucket", "s3:ListBucket"),
        ("QuarantineBucket/_receipts/*", "s3:GetObject"),
        ("QuarantineBucket/*/rejects.*", "s3:GetObject"),
        ("LedgerTable", "dynamodb:GetItem"),
        ("LedgerTable/index/by-partner", "dynamodb:Query"),
        ("RecordsTable", "dynamodb:Query"),
        ("PartnersTable of role#* partners", "dynamodb:GetItem"),
        ("PartnersTable of request#*", "dynamodb:DeleteItem"),
        (
            "PartnersTable of limit#* request#* upload#*",
            "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        ),
        // A replay: noted, then asked for. It reads no act and takes no message.
        ("AuditTable", "dynamodb:PutItem"),
        ("InboxQueue", "sqs:SendMessage"),
        ("IngestLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("IngestFunction", &needed);
}

#[test]
fn the_authorizer_reads_credentials_and_nothing_else() {
    let needed = [
        ("PartnersTable of credential#* partners", "dynamodb:GetItem"),
        ("AuthorizerLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("AuthorizerFunction", &needed);
}

#[test]
fn the_webhook_reads_addresses_and_its_own_queue() {
    let needed = [
        ("PartnersTable of webhook#*", "dynamodb:GetItem"),
        // A file's name, for its own partner.
        ("LedgerTable of file#*", "dynamodb:GetItem"),
        (
            "WebhookQueue",
            "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        ),
        ("WebhookLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("WebhookFunction", &needed);
}

#[test]
fn the_webhook_reads_the_key_and_the_partner_of_a_file_and_nothing_else() {
    with_every_choice(|stack| {
        let role = stack.resource("WebhookRole");
        let reads = role_statements(role);
        let ledger = reads.iter().find(|one| one["Sid"] == "ReadNamesOfFiles").expect("a statement");
        let limits = &ledger["Condition"];
        assert_eq!(
            list(&limits["ForAllValues:StringEquals"]["dynamodb:Attributes"]),
            ["pk", "partner", "key"]
        );
        assert_eq!(limits["StringEqualsIfExists"]["dynamodb:Select"], "SPECIFIC_ATTRIBUTES");
    });
}

#[test]
fn the_outbox_reads_receipts_and_rejects_and_writes_to_its_own_bucket_only() {
    let needed = [
        ("QuarantineBucket/_receipts/*", "s3:GetObject"),
        // Copied on the side of S3. Not the originals.
        ("QuarantineBucket/*/rejects.csv", "s3:GetObject"),
        ("QuarantineBucket/*/rejects.ndjson", "s3:GetObject"),
        ("QuarantineBucket", "s3:ListBucket"),
        ("OutboxBucket/*", "s3:AbortMultipartUpload s3:GetObject s3:PutObject"),
        ("OutboxBucket", "s3:ListBucket"),
        ("LedgerTable of file#*", "dynamodb:GetItem"),
        // Who uses S3, and nothing else of a partner.
        ("PartnersTable of s3", "dynamodb:GetItem"),
        (
            "OutboxQueue",
            "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        ),
        ("OutboxLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("OutboxFunction", &needed);
}

#[test]
fn with_the_key_that_the_outbox_shares_with_the_inbox_its_function_opens_the_outbox_only() {
    with_every_choice(|stack| {
        for statement in role_statements(stack.resource("OutboxRole")) {
            let on = list(&statement["Resource"]);
            if on.iter().any(|arn| stack.resource_behind(arn).is_some_and(|key| key.id == "InboxKey")) {
                let context =
                    scalar(&statement["Condition"]["StringEquals"]["kms:EncryptionContext:aws:s3:arn"]);
                assert_eq!(context, "${OutboxBucket.Arn}", "{statement}");
            }
        }
    });
}

#[test]
fn only_the_outbox_function_writes_to_the_outbox() {
    with_every_choice(|stack| {
        for role in stack.of_kind(ROLE).filter(|role| role.id != "OutboxRole") {
            let on_outbox = |resource: &str| {
                stack.resource_behind(resource).is_some_and(|found| found.id == "OutboxBucket")
            };
            let allowed = allowed_by(role);
            assert!(allowed.iter().all(|(_, resource)| !on_outbox(resource)), "{}: {allowed:?}", role.id);
        }
    });
}

#[test]
fn the_notifier_keeps_incidents_and_reads_no_file_and_no_record() {
    let needed = [
        ("LedgerTable of incident#*", "dynamodb:GetItem dynamodb:UpdateItem"),
        ("LedgerTable/index/by-partner", "dynamodb:Query"),
        ("PartnersTable of partners partner#*", "dynamodb:Query"),
        // Who drops files: the names of folders and no key.
        ("InboxBucket on its first level", "s3:ListBucketVersions"),
        // When each feed's files must have come.
        ("ContractsBucket", "s3:ListBucket s3:ListBucketVersions"),
        ("ContractsBucket/*", "s3:GetObject s3:GetObjectVersion"),
        // Recent values of the alarm's own metrics.
        ("everything", "cloudwatch:GetMetricData"),
        // Which alarms of an incident are on.
        ("alarms", "cloudwatch:DescribeAlarms"),
        ("MailTopic", "sns:Publish"),
        ("NotifierDeadLetterQueue", "sqs:SendMessage"),
        ("NotifierLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("NotifierFunction", &needed);
}

#[test]
fn the_watcher_opens_no_file_and_writes_only_its_heartbeat_and_how_far_it_got() {
    let needed = [
        ("InboxBucket", "s3:ListBucketVersions"),
        ("InboxBucket/heartbeat/heartbeat/*", "s3:PutObject"),
        ("ContractsBucket", "s3:ListBucket s3:ListBucketVersions"),
        ("ContractsBucket/*", "s3:GetObject s3:GetObjectVersion"),
        ("ContractsBucket/heartbeat.odcs.yaml", "s3:PutObject"),
        ("LedgerTable of file#*", "dynamodb:BatchGetItem"),
        ("LedgerTable of reconciliation", "dynamodb:GetItem dynamodb:PutItem"),
        ("LedgerTable of hold#*", "dynamodb:GetItem"),
        ("LedgerTable/index/by-partner", "dynamodb:Query"),
        ("LedgerTable/index/dead-by-shard", "dynamodb:Query"),
        ("PartnersTable of partners partner#*", "dynamodb:Query"),
        ("InboxQueue", "sqs:GetQueueAttributes sqs:SendMessage"),
        // Nothing is taken off them.
        ("InboxDeadLetterQueue", "sqs:GetQueueAttributes sqs:ReceiveMessage"),
        ("WebhookDeadLetterQueue", "sqs:GetQueueAttributes sqs:ReceiveMessage"),
        ("WatcherLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    assert_may_do_exactly("WatcherFunction", &needed);
}

#[test]
fn only_the_api_and_the_heartbeat_put_files_into_the_inbox_and_nobody_where_it_is_itself_triggered() {
    with_every_choice(|stack| {
        for role in stack.of_kind(ROLE) {
            for (action, resource) in allowed_by(role) {
                let on_inbox =
                    stack.resource_behind(&resource).is_some_and(|found| found.id == "InboxBucket");
                if !on_inbox || !action.starts_with("s3:Put") {
                    continue;
                }
                match role.id.as_str() {
                    "IngestRole" => {}
                    "WatcherRole" => assert!(resource.ends_with("/heartbeat/heartbeat/*"), "{resource}"),
                    other => panic!("{other}: {action} on {resource}"),
                }
            }
        }
    });
}

#[test]
fn only_the_api_adds_to_the_audit_trail_and_no_function_reads_or_changes_it() {
    with_every_choice(|stack| {
        let mut adds = Vec::new();
        for role in stack.of_kind(ROLE) {
            for (action, resource) in allowed_by(role) {
                if stack.resource_behind(&resource).is_some_and(|found| found.id == "AuditTable") {
                    adds.push((role.id.clone(), action));
                }
            }
        }
        assert_eq!(adds, [("IngestRole".to_owned(), "dynamodb:PutItem".to_owned())]);
    });
}

#[test]
fn the_notifier_reads_the_one_secret_that_it_is_given() {
    let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:channels-AbCdEf";
    let stack = ExpandedTemplate::expand(&[("ChannelsSecretArn", arn)]);
    let secrets: Vec<(String, String)> = allowed(&stack, stack.resource("NotifierFunction"))
        .into_iter()
        .filter(|(action, _)| action.starts_with("secretsmanager:"))
        .collect();
    assert_eq!(secrets, [("secretsmanager:GetSecretValue".to_owned(), arn.to_owned())]);
}

#[test]
fn keys_are_used_only_through_the_service_whose_data_they_encrypt() {
    with_every_choice(|stack| {
        for statement in stack.of_kind(ROLE).flat_map(role_statements) {
            if list(&statement["Action"]).iter().any(|action| action.starts_with("kms:")) {
                let services = list(&statement["Condition"]["StringEquals"]["kms:ViaService"]);
                assert!(!services.is_empty(), "{statement}");
            }
        }
    });
}

/// Compares what a function's role allows, keys for encryption aside. A resource is its logical id and what follows it;
/// `of` comes before the beginnings of partition keys that the statement is limited to.
fn assert_may_do_exactly(function: &str, needed: &[(&str, &str)]) {
    with_every_choice(|stack| {
        let role = stack.resource_behind(&scalar(stack.resource(function).at("/Role"))).expect("a role");
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for statement in role_statements(role) {
            let keys = list(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
            let level = &statement["Condition"]["StringEquals"];
            let limit = match keys.as_slice() {
                [] if level["s3:prefix"] == "" && level["s3:delimiter"] == "/" => {
                    " on its first level".to_owned()
                }
                [] => String::new(),
                keys => format!(" of {}", keys.join(" ")),
            };
            for resource in list(&statement["Resource"]) {
                let elsewhere = match resource.as_str() {
                    "*" => "everything",
                    ALARMS => "alarms",
                    _ => "nothing here",
                };
                let id = stack.resource_behind(&resource).map_or(elsewhere, |found| found.id.as_str());
                let part = resource.split_once('/').map(|(_, part)| format!("/{part}")).unwrap_or_default();
                let actions =
                    list(&statement["Action"]).into_iter().filter(|action| !action.starts_with("kms:"));
                found.entry(format!("{id}{part}{limit}")).or_default().extend(actions);
            }
        }
        let found = found.into_iter().filter(|(_, actions)| !actions.is_empty());
        let found: BTreeMap<String, String> =
            found.map(|(resource, actions)| (resource, Vec::from_iter(actions).join(" "))).collect();
        let needed = needed.iter().map(|(resource, actions)| ((*resource).to_owned(), (*actions).to_owned()));
        assert_eq!(found, needed.collect::<BTreeMap<_, _>>(), "{function}");
    });
}

/// Action and resource of everything that a function's role allows.
pub(super) fn allowed(stack: &ExpandedTemplate, function: &Resource) -> Vec<(String, String)> {
    allowed_by(stack.resource_behind(&scalar(function.at("/Role"))).expect("a role of the template"))
}

fn allowed_by(role: &Resource) -> Vec<(String, String)> {
    role_statements(role)
        .into_iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| {
            assert!(statement["NotAction"].is_null() && statement["NotResource"].is_null(), "{statement}");
            let resources = list(&statement["Resource"]);
            let pair = move |action: String| {
                resources.clone().into_iter().map(move |resource| (action.clone(), resource))
            };
            list(&statement["Action"]).into_iter().flat_map(pair)
        })
        .collect()
}

/// Returns every statement of a role's policies.
fn role_statements(role: &Resource) -> Vec<Value> {
    let policies = role.at("/Policies").as_array().cloned().unwrap_or_default();
    policies.iter().flat_map(|policy| statements(&policy["PolicyDocument"])).collect()
}

/// Returns the statements of a policy document.
pub(super) fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Returns whether a resource policy rejects the action to everybody who comes without TLS, on all of these resources.
pub(super) fn denies_plain_http(policy: &Resource, action: &str, covered: &[String]) -> bool {
    statements(policy.at("/PolicyDocument")).iter().any(|statement| {
        let resources = list(&statement["Resource"]);
        statement["Effect"] == "Deny"
            && (statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*")
            && list(&statement["Action"]).iter().any(|denied| denied == action)
            && scalar(&statement["Condition"]["Bool"]["aws:SecureTransport"]) == "false"
            && covered.iter().all(|resource| resources.contains(resource))
    })
}
