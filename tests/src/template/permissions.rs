//! What each role may do: hazards X1, X2, X24, D29, S12, S13.

use serde_json::Value;

use super::expanded::{Resource, Stack, list, scalar};
use super::with_every_choice;

const ROLE: &str = "AWS::IAM::Role";

#[test]
fn a_role_names_each_action_and_each_resource() {
    with_every_choice(|stack| {
        for role in stack.of_kind(ROLE) {
            assert!(
                role.at("/ManagedPolicyArns").is_null(),
                "{}: a managed policy has every resource",
                role.id
            );
            for (action, resource) in allowed_by(role) {
                assert!(!action.contains('*'), "{}: {action}", role.id);
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
                // Taking a message off its queue is the one deletion there is.
                let removes = verb.starts_with("Delete") && action != "sqs:DeleteMessage";
                let refused = removes
                    || verb == "Scan"
                    || ["Create", "Tag", "Attach", "PassRole"]
                        .iter()
                        .any(|word| verb.starts_with(word) && action != "logs:CreateLogStream");
                assert!(!refused, "{}: {action} on {resource}", role.id);
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
    // What `store::aws` calls, and the event source mapping on the queue. A copy or a part of an upload is a PutObject; a
    // transaction needs the permission of each of its writes.
    let needed = [
        ("InboxBucket", "s3:GetObject s3:GetObjectVersion s3:ListBucket s3:ListBucketVersions"),
        ("ContractsBucket", "s3:GetObject s3:ListBucket"),
        ("QuarantineBucket", "s3:AbortMultipartUpload s3:PutObject"),
        ("LedgerTable", "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem"),
        ("RecordsTable", "dynamodb:BatchWriteItem"),
        (
            "InboxQueue",
            "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        ),
        ("OutcomeTopic", "sns:Publish"),
        ("ProcessorLogs", "logs:CreateLogStream logs:PutLogEvents"),
    ];
    with_every_choice(|stack| {
        let all = allowed(stack, stack.resource("ProcessorFunction"));
        let mut found: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
        for (action, resource) in all.into_iter().filter(|(action, _)| !action.starts_with("kms:")) {
            let id = stack.resource_behind(&resource).map(|found| found.id.clone()).unwrap_or(resource);
            found.entry(id).or_default().push(action);
        }
        let found = found.into_iter().map(|(id, mut actions)| {
            actions.sort();
            (id, actions.join(" "))
        });
        let needed = needed.map(|(id, actions)| (id.to_owned(), actions.to_owned()));
        assert_eq!(found.collect::<std::collections::BTreeMap<_, _>>(), needed.into());
    });
}

/// Action and resource of everything that a function's role allows.
pub(super) fn allowed(stack: &Stack, function: &Resource) -> Vec<(String, String)> {
    allowed_by(stack.resource_behind(&scalar(function.at("/Role"))).expect("a role of the template"))
}

fn allowed_by(role: &Resource) -> Vec<(String, String)> {
    let policies = role.at("/Policies").as_array().cloned().unwrap_or_default();
    let statements = policies.iter().flat_map(|policy| statements(&policy["PolicyDocument"]));
    statements
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

/// The statements of a policy document.
pub(super) fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Whether a resource policy refuses the action to everybody who comes without TLS, on all of these resources.
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
