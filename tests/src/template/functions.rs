//! Functions, their logs and their event sources: hazards Q3, Q9, Q24, O16, X7, X27.

use super::expanded::{list, number, scalar};
use super::with_every_choice;

const FUNCTION: &str = "AWS::Lambda::Function";

#[test]
fn every_function_runs_the_binary_for_the_chosen_architecture() {
    with_every_choice(|stack| {
        assert!(stack.of_kind(FUNCTION).count() > 0);
        for function in stack.of_kind(FUNCTION) {
            assert_eq!(
                list(function.at("/Architectures")),
                [stack.parameters["Architecture"].as_str()],
                "{}",
                function.id
            );
            assert_eq!(function.at("/Runtime"), "provided.al2023", "{}", function.id);
            assert!(number(function.at("/Timeout")) <= 900, "{}", function.id);
        }
    });
}

#[test]
fn lambda_stops_loops_except_the_one_that_is_meant() {
    with_every_choice(|stack| {
        for function in stack.of_kind(FUNCTION) {
            // A file of more than about 16 invocations would go to the dead letters otherwise.
            let expected =
                if function.id == "ProcessorFunction" { "Allow".into() } else { serde_json::Value::Null };
            assert_eq!(*function.at("/RecursiveLoop"), expected, "{}", function.id);
        }
    });
}

#[test]
fn every_function_logs_into_a_group_that_expires() {
    with_every_choice(|stack| {
        for function in stack.of_kind(FUNCTION) {
            let group = stack
                .resource_behind(&scalar(function.at("/LoggingConfig/LogGroup")))
                .expect("a log group of its own");
            assert_eq!(group.kind, "AWS::Logs::LogGroup");
            assert!(number(group.at("/RetentionInDays")) > 0, "{}", group.id);
            assert_eq!(group.at("/KmsKeyId").is_null(), !stack.uses_customer_keys(), "{}", group.id);
        }
    });
}

#[test]
fn the_inbox_gives_one_file_at_a_time_and_every_queue_takes_partial_answers() {
    with_every_choice(|stack| {
        for mapping in stack.of_kind("AWS::Lambda::EventSourceMapping") {
            assert_eq!(
                list(mapping.at("/FunctionResponseTypes")),
                ["ReportBatchItemFailures"],
                "{}",
                mapping.id
            );
            // Announcements are short and are handled side by side.
            let is_of_outcomes = ["Webhook", "Outbox"].iter().any(|part| mapping.id.starts_with(part));
            let most = if is_of_outcomes { 10 } else { 1 };
            assert_eq!(number(mapping.at("/BatchSize")), most, "{}", mapping.id);
            let cap = number(mapping.at("/ScalingConfig/MaximumConcurrency"));
            assert!((2..=1000).contains(&cap), "{}: {cap}", mapping.id);
        }
        for function in stack.of_kind(FUNCTION) {
            let reserved = function.at("/ReservedConcurrentExecutions");
            assert!(
                reserved.is_null(),
                "{}: a throttled function burns the receives of its messages",
                function.id
            );
        }
    });
}

#[test]
fn the_watcher_runs_every_five_minutes_and_is_not_run_twice_for_one_time() {
    with_every_choice(|stack| {
        let mut rules = stack.of_kind("AWS::Events::Rule");
        let rule = rules.next().expect("a schedule");
        assert!(rules.next().is_none(), "one schedule");
        assert_eq!(rule.at("/ScheduleExpression"), "rate(5 minutes)");
        let target = rule.at("/Targets/0");
        assert_eq!(scalar(&target["Arn"]), "${WatcherFunction.Arn}");
        // Later than the next run nobody needs it any more.
        assert!(number(&target["RetryPolicy"]["MaximumEventAgeInSeconds"]) < 300, "{target}");
        let permitted = stack.of_kind("AWS::Lambda::Permission").any(|permission| {
            scalar(permission.at("/FunctionName")) == "${WatcherFunction}"
                && permission.at("/Principal") == "events.amazonaws.com"
                && scalar(permission.at("/SourceArn")) == format!("${{{}.Arn}}", rule.id)
        });
        assert!(permitted, "the schedule may invoke it");
        let mut retries = stack.of_kind("AWS::Lambda::EventInvokeConfig");
        let retry =
            retries.find(|one| scalar(one.at("/FunctionName")) == "${WatcherFunction}").expect("retries");
        assert_eq!(number(retry.at("/MaximumRetryAttempts")), 0, "the next run makes it good");
        assert!(number(stack.resource("WatcherFunction").at("/Timeout")) < 300, "two runs seldom meet");
    });
}

#[test]
fn no_environment_holds_a_secret() {
    with_every_choice(|stack| {
        for function in stack.of_kind(FUNCTION) {
            let variables = function.at("/Environment/Variables").as_object().expect("variables");
            for name in variables.keys() {
                let secret =
                    ["SECRET", "PASSWORD", "TOKEN", "PRIVATE"].iter().any(|word| name.contains(word));
                assert!(!secret || name.ends_with("_ARN"), "{}: {name}", function.id);
            }
        }
    });
}
