//! The partners' API: hazards A2, A4, A6, A16, A24–A26, X2, X3.

use serde_json::Value;

use super::expanded::{ExpandedTemplate, Resource, list, number, scalar};
use super::permissions::statements;
use super::with_every_choice;
use crate::tidy::regex;

/// All paths.
const ALL: [&str; 5] =
    ["/iam/v1/{proxy+}", "/oauth/v1/{proxy+}", "/v1/health", "/v1/openapi.json", "/v1/{proxy+}"];
/// Routes that answer without a credential.
const OPEN: [&str; 2] = ["/v1/health", "/v1/openapi.json"];

#[test]
fn there_is_one_api_with_one_stage_and_each_method_runs_the_same_function() {
    with_every_choice(|stack| {
        assert_eq!(stack.of_kind("AWS::ApiGateway::RestApi").count(), 1);
        let stages: Vec<_> = stack.of_kind("AWS::ApiGateway::Stage").collect();
        assert_eq!(stages.iter().map(|stage| scalar(stage.at("/StageName"))).collect::<Vec<_>>(), ["api"]);
        let mut paths: Vec<String> = methods(stack).into_iter().map(|(path, _, _)| path).collect();
        paths.dedup();
        assert_eq!(paths, ALL);
        for (path, method, operation) in methods(stack) {
            assert!(["get", "post", "delete", "options"].contains(&method.as_str()), "{method} {path}");
            let integration = &operation["x-amazon-apigateway-integration"];
            assert_eq!(integration["type"], "aws_proxy", "{method} {path}");
            assert!(scalar(&integration["uri"]).contains("${IngestFunction.Arn}"), "{method} {path}");
        }
    });
}

#[test]
fn every_method_but_health_and_the_document_asks_who_is_calling() {
    with_every_choice(|stack| {
        for (path, method, operation) in methods(stack) {
            let mut asked: Vec<String> = operation["security"]
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|requirement| requirement.as_object().expect("a requirement").keys().cloned())
                .collect();
            asked.sort();
            let expected: &[&str] = match path.as_str() {
                // The key is metered by API Gateway, and is a credential to the authorizer. A page's question before
                // its call (CORS) carries no credential, and is answered without asking anything.
                _ if method == "options" => &[],
                "/v1/{proxy+}" => &["ByKey", "api_key"],
                "/oauth/v1/{proxy+}" => &["ByToken"],
                "/iam/v1/{proxy+}" => &["AWS_IAM"],
                open => {
                    assert!(OPEN.contains(&open) && method == "get", "{method} {open} is open");
                    &[]
                }
            };
            assert_eq!(asked, expected, "{method} {path}");
            // With the caller's own permissions on the function, a role would have to hold them.
            assert!(operation["x-amazon-apigateway-integration"]["credentials"].is_null(), "{method} {path}");
        }
    });
}

#[test]
fn an_answer_about_a_credential_is_believed_for_a_minute_at_most() {
    with_every_choice(|stack| {
        for (name, header) in [("ByKey", "x-api-key"), ("ByToken", "Authorization")] {
            let scheme = &api(stack).at("/Body")["components"]["securitySchemes"][name];
            let authorizer = &scheme["x-amazon-apigateway-authorizer"];
            assert_eq!(authorizer["type"], "request", "{name}");
            assert_eq!(number(&authorizer["authorizerResultTtlInSeconds"]), 60, "{name}");
            assert_eq!(authorizer["identitySource"], format!("method.request.header.{header}"), "{name}");
            assert!(scalar(&authorizer["authorizerUri"]).contains("${AuthorizerFunction.Arn}"), "{name}");
        }
    });
}

#[test]
fn what_counts_a_request_is_named_by_the_authorizer_and_is_no_credential() {
    with_every_choice(|stack| {
        assert_eq!(api(stack).at("/ApiKeySourceType"), "AUTHORIZER");
        for (path, method, operation) in methods(stack) {
            let counted = operation["security"].to_string().contains("api_key");
            // Under AUTHORIZER only a route that asks the authorizer can be counted.
            assert!(!counted || operation["security"].to_string().contains("ByKey"), "{method} {path}");
        }
    });
}

#[test]
fn only_this_api_the_alarm_topic_and_the_schedule_may_call_their_functions() {
    with_every_choice(|stack| {
        let permissions: Vec<_> = stack.of_kind("AWS::Lambda::Permission").collect();
        assert!(permissions.len() > 2);
        for permission in permissions {
            if permission.at("/Principal") == "sns.amazonaws.com" {
                assert_eq!(scalar(permission.at("/FunctionName")), "${NotifierFunction}");
                assert_eq!(scalar(permission.at("/SourceArn")), "${AlarmTopic}");
                continue;
            }
            if permission.at("/Principal") == "events.amazonaws.com" {
                assert_eq!(scalar(permission.at("/FunctionName")), "${WatcherFunction}");
                let rule = stack
                    .resource_behind(&scalar(permission.at("/SourceArn")))
                    .expect("a rule of the template");
                assert_eq!(rule.kind, "AWS::Events::Rule");
                continue;
            }
            assert_eq!(permission.at("/Principal"), "apigateway.amazonaws.com", "{}", permission.id);
            let source = scalar(permission.at("/SourceArn"));
            assert!(source.contains(":111122223333:${PartnersApi}/"), "{}: {source}", permission.id);
        }
    });
}

#[test]
fn bytes_pass_through_as_they_are_over_tls_1_2_or_better() {
    with_every_choice(|stack| {
        let api = api(stack);
        // CloudFormation writes the slash as `~1`.
        assert_eq!(list(api.at("/BinaryMediaTypes")), ["*~1*"]);
        assert_eq!(list(&api.at("/Body")["x-amazon-apigateway-binary-media-types"]), ["*/*"]);
        assert_eq!(list(api.at("/EndpointConfiguration/Types")), ["REGIONAL"]);
        assert!(scalar(api.at("/SecurityPolicy")).starts_with("SecurityPolicy_TLS13_1_2"));
        assert_eq!(api.at("/EndpointAccessMode"), "STRICT");
        assert!(
            api.at("/MinimumCompressionSize").is_null(),
            "a compressed body would no longer be the sender's"
        );
    });
}

#[test]
fn the_policy_allows_the_routes_of_each_way_in_that_is_switched_on() {
    with_every_choice(|stack| {
        let mut allowed = Vec::new();
        let mut denied = Vec::new();
        for statement in statements(api(stack).at("/Policy")) {
            let side = if statement["Effect"] == "Allow" { &mut allowed } else { &mut denied };
            side.extend(list(&statement["Resource"]));
            if statement["Effect"] == "Deny" {
                let ranges = list(&statement["Condition"]["NotIpAddress"]["aws:SourceIp"]);
                assert_eq!(ranges.join(","), stack.parameters["AllowedCidrs"]);
            }
        }
        let trees = if stack.parameters["AllowIam"] == "true" { 3 } else { 2 };
        for (tree, open) in [("v1", true), ("oauth/v1", true), ("iam/v1", trees == 3)] {
            for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                let asked = format!("execute-api:/api/{method}/{tree}/files");
                // In an ARN a `*` matches slashes too.
                let matches = |pattern: &String| {
                    let pattern = pattern.split('*').map(regex_escaped).collect::<Vec<_>>().join(".*");
                    regex(&format!("^{pattern}$")).is_match(&asked)
                };
                assert_eq!(allowed.iter().any(matches), open, "{asked}");
            }
        }
        let everything: &[&str] =
            if stack.parameters["AllowedCidrs"].is_empty() { &[] } else { &["execute-api:/*"] };
        assert_eq!(denied, everything);
    });
}

#[test]
fn api_gateway_answers_as_we_do_and_says_nothing_of_the_inside() {
    let codes = crate::repository::text("docs/codes.md");
    with_every_choice(|stack| {
        let answers =
            api(stack).at("/Body")["x-amazon-apigateway-gateway-responses"].as_object().expect("answers");
        for kind in ["UNAUTHORIZED", "ACCESS_DENIED", "INVALID_API_KEY", "THROTTLED", "QUOTA_EXCEEDED"] {
            assert!(answers.contains_key(kind), "{kind}");
        }
        for kind in [
            "REQUEST_TOO_LARGE",
            "UNSUPPORTED_MEDIA_TYPE",
            "RESOURCE_NOT_FOUND",
            "DEFAULT_4XX",
            "DEFAULT_5XX",
        ] {
            assert!(answers.contains_key(kind), "{kind}");
        }
        for (kind, answer) in answers {
            let header =
                |name: &str| answer["responseParameters"][format!("gatewayresponse.header.{name}")].as_str();
            assert_eq!(header("Content-Type"), Some("'application/problem+json'"), "{kind}");
            assert_eq!(header("Cache-Control"), Some("'no-store'"), "{kind}");
            // Static texts, so that one origin more may read them; without origins no page may.
            let allowed = (!stack.parameters["AllowedOrigins"].is_empty()).then_some("'*'");
            assert_eq!(header("Access-Control-Allow-Origin"), allowed, "{kind}");
            // A page reads no header but those that are named.
            let waits = header("Retry-After").is_some() && allowed.is_some();
            assert_eq!(header("Access-Control-Expose-Headers"), waits.then_some("'Retry-After'"), "{kind}");
            let template = answer["responseTemplates"]["application/json"].as_str().expect("a template");
            assert!(!template.contains("$context.error"), "{kind} tells an inner cause: {template}");
            let problem: Value =
                serde_json::from_str(template).unwrap_or_else(|error| panic!("{kind}: {error}"));
            let status = scalar(&answer["statusCode"]);
            assert_eq!(scalar(&problem["status"]), status, "{kind}");
            let (code, title) = (scalar(&problem["code"]), scalar(&problem["title"]));
            let row = |line: &str| {
                line.starts_with(&format!("| `{code}` |")) && line.ends_with(&format!("| {title} |"))
            };
            assert!(codes.lines().any(row), "{kind}: {code} has another title on docs/codes.md than {title}");
            assert_eq!(header("Retry-After").is_some(), status == "429" || status.starts_with('5'), "{kind}");
            assert_eq!(header("WWW-Authenticate").is_some(), status == "401", "{kind}");
            assert_eq!(problem["requestId"], "$context.requestId", "{kind}");
            assert_eq!(
                scalar(&problem["type"]),
                format!("urn:silent-scalper:problem:{}", scalar(&problem["code"]))
            );
            assert!(problem["title"].is_string() && problem["detail"].is_string(), "{kind}");
        }
    });
}

#[test]
fn an_access_log_line_holds_ids_and_neither_keys_nor_names() {
    with_every_choice(|stack| {
        let stage = stage(stack);
        let group =
            stack.resource_behind(&scalar(stage.at("/AccessLogSetting/DestinationArn"))).expect("a group");
        assert_eq!(group.kind, "AWS::Logs::LogGroup");
        assert!(number(group.at("/RetentionInDays")) > 0);
        assert_eq!(group.at("/KmsKeyId").is_null(), !stack.uses_customer_keys());
        let format = scalar(stage.at("/AccessLogSetting/Format"));
        assert!(serde_json::from_str::<Value>(&format).is_ok_and(|line| line.is_object()), "{format}");
        let variables =
            format.split("$context.").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        let mut logged: Vec<&str> = variables.collect();
        logged.sort_unstable();
        let ids = [
            "authorizer.principalId",
            "error.responseType",
            "httpMethod",
            "identity.sourceIp",
            "requestId",
            "requestTimeEpoch",
            "resourcePath",
            "responseLatency",
            "responseLength",
            "status",
        ];
        assert_eq!(logged, ids);
    });
}

#[test]
fn the_stage_is_throttled_and_never_logs_a_whole_request() {
    with_every_choice(|stack| {
        let stage = stage(stack);
        let settings = stage.at("/MethodSettings").as_array().expect("settings");
        assert_eq!(settings.len(), 1);
        let all = &settings[0];
        assert_eq!((&all["ResourcePath"], &all["HttpMethod"]), (&"/*".into(), &"*".into()));
        assert!(number(&all["ThrottlingRateLimit"]) > 0 && number(&all["ThrottlingBurstLimit"]) > 0);
        assert_eq!(all["DataTraceEnabled"], false);
        assert_eq!(all["LoggingLevel"], "OFF");
        assert_eq!(stage.at("/TracingEnabled"), false, "a trace holds addresses");
    });
}

#[test]
fn the_accounts_role_for_access_logs_is_made_or_left_as_asked() {
    with_every_choice(|stack| {
        let accounts = stack.of_kind("AWS::ApiGateway::Account").count();
        assert_eq!(accounts, usize::from(stack.parameters["GatewayLogsRole"] == "Create"));
        for account in stack.of_kind("AWS::ApiGateway::Account") {
            // Other APIs of the account log with it, also when this stack is not created.
            assert_eq!(account.body["DeletionPolicy"], "Retain");
            // Without the role API Gateway rejects a stage that logs: the stage names the account, and so waits for it.
            assert_eq!(scalar(stage(stack).at("/Variables/accessLogsRole")), "${GatewayAccount}");
        }
    });
}

#[test]
fn a_parameter_that_changes_the_api_deploys_it_again() {
    // SAM names a deployment by the API's document, in which a parameter is only a reference; `AlwaysDeploy` gives each
    // deployment a new name.
    let name = || {
        let stack = ExpandedTemplate::expand(&[]);
        stack.of_kind("AWS::ApiGateway::Deployment").next().expect("a deployment").id.clone()
    };
    assert_ne!(name(), name());
}

#[test]
fn pages_may_ask_before_they_call() {
    with_every_choice(|stack| {
        let asked =
            methods(stack).into_iter().filter(|(_, method, _)| method == "options").map(|(path, ..)| path);
        assert_eq!(asked.collect::<Vec<_>>(), ALL);
    });
}

#[test]
fn a_request_is_answered_before_api_gateway_gives_up() {
    with_every_choice(|stack| {
        for id in ["IngestFunction", "AuthorizerFunction"] {
            assert!(number(stack.resource(id).at("/Timeout")) < 29, "{id}");
        }
    });
}

/// Returns a text as a regular expression that matches it alone.
fn regex_escaped(text: &str) -> String {
    text.replace('.', "\\.")
}

fn api(stack: &ExpandedTemplate) -> &Resource {
    stack.resource("PartnersApi")
}

fn stage(stack: &ExpandedTemplate) -> &Resource {
    stack.of_kind("AWS::ApiGateway::Stage").next().expect("a stage")
}

/// Path, method and operation of everything that the API serves, by path.
fn methods(stack: &ExpandedTemplate) -> Vec<(String, String, Value)> {
    let paths = api(stack).at("/Body")["paths"].as_object().expect("paths");
    let mut found: Vec<(String, String, Value)> = Vec::new();
    for (path, item) in paths {
        let operations = item.as_object().expect("operations").iter();
        found.extend(operations.map(|(method, operation)| (path.clone(), method.clone(), operation.clone())));
    }
    found.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
    found
}
