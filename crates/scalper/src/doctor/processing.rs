//! Checks the way from the queue to the outcome: event source, concurrency, dead letters.

use store::{AccountConcurrency, Depth, Mapping, StackQueue};

use super::{CONCURRENCY, DEAD_LETTERS, DoctorFinding, EVENT_SOURCE, Known};

/// Invocations that the other functions of a stack need besides the processor: the API, its authorizer, webhooks, the
/// watcher and the notifier, one each.
const OTHERS: u64 = 5;

/// Returns the mapping of the inbox queue.
fn ours<'f>(known: &Known, facts: &'f [Mapping]) -> Option<&'f Mapping> {
    let queue = known.places.queue_arn(&known.stack, StackQueue::Inbox);
    facts.iter().find(|mapping| mapping.source == queue)
}

/// Returns the maximum number of files that are processed at the same time.
pub(super) fn maximum(known: &Known, facts: &[Mapping]) -> Option<u64> {
    ours(known, facts)?.maximum_concurrency
}

pub(super) fn event_source(known: &Known, facts: &[Mapping]) -> Vec<DoctorFinding> {
    let processor = format!("{}-processor", known.stack.as_str());
    let Some(mapping) = ours(known, facts) else {
        let queue = known.places.queue_arn(&known.stack, StackQueue::Inbox);
        let command = format!(
            "aws lambda create-event-source-mapping --function-name {processor} --event-source-arn {queue} --batch-size 1 \
             --function-response-types ReportBatchItemFailures --scaling-config MaximumConcurrency=5"
        );
        let what = format!("nothing calls {processor} with the messages of the inbox queue");
        return vec![
            DoctorFinding::fail(EVENT_SOURCE.check, what).advice("connect them again").command(command),
        ];
    };
    let mut findings = Vec::new();
    let update =
        |option: &str| format!("aws lambda update-event-source-mapping --uuid {} {option}", mapping.id);
    match mapping.state.as_str() {
        "Enabled" => {}
        "Creating" | "Enabling" | "Updating" => {
            let what = format!("the event source of {processor} is being changed ({})", mapping.state);
            findings.push(
                DoctorFinding::warn(EVENT_SOURCE.check, what)
                    .advice("run `scalper doctor` again in a minute"),
            );
        }
        state => {
            let what =
                format!("the event source of {processor} is off ({state}): files wait in the inbox queue");
            findings.push(
                DoctorFinding::fail(EVENT_SOURCE.check, what)
                    .advice("switch it on")
                    .command(update("--enabled")),
            );
        }
    }
    if !mapping.reports_failures {
        let what = "the event source does not take the list of failed messages: a file whose processing fails is lost";
        let finding = DoctorFinding::fail(EVENT_SOURCE.check, what).advice("switch the list on");
        findings.push(finding.command(update("--function-response-types ReportBatchItemFailures")));
    }
    if findings.is_empty() {
        findings.push(DoctorFinding::ok(
            EVENT_SOURCE.check,
            format!("{processor} is called, and says which messages failed"),
        ));
    }
    findings
}

/// Compares the account's concurrency with what the stack needs: new accounts may run 10 invocations at the same time.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub(super) fn concurrency(facts: AccountConcurrency, maximum: Option<u64>) -> Vec<DoctorFinding> {
    let AccountConcurrency { limit, unreserved } = facts;
    let Some(maximum) = maximum else {
        let what = format!(
            "the account may run {unreserved} invocations at the same time; how many the processor may is not known"
        );
        return vec![DoctorFinding::ok(CONCURRENCY.check, what)];
    };
    let what = format!(
        "the account may run {unreserved} unreserved invocations at the same time (limit {limit}), the processor {maximum} of them"
    );
    if unreserved >= maximum + OTHERS {
        return vec![DoctorFinding::ok(CONCURRENCY.check, what)];
    }
    let advice = match unreserved.saturating_sub(OTHERS) {
        0 | 1 => "ask AWS for more".to_owned(),
        room => format!("deploy with MaximumConcurrency={room}, or ask AWS for more"),
    };
    let command = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000";
    let what = format!("{what}; the other functions need {OTHERS}");
    let finding = if unreserved > maximum {
        DoctorFinding::warn(CONCURRENCY.check, what)
    } else {
        DoctorFinding::fail(CONCURRENCY.check, what)
    };
    vec![finding.advice(advice).command(command)]
}

pub(super) fn dead_letters(known: &Known, queue: StackQueue, depth: Option<Depth>) -> Vec<DoctorFinding> {
    let name = queue.name(known.stack.as_str());
    let Some(Depth { waiting, in_flight }) = depth else {
        let what = format!("the queue {name} is missing");
        return vec![DoctorFinding::fail(DEAD_LETTERS.check, what).advice("deploy the stack again")];
    };
    match waiting + in_flight {
        0 => vec![DoctorFinding::ok(DEAD_LETTERS.check, format!("{name} is empty"))],
        messages => {
            let status = known.stack.command("status");
            let advice =
                format!("find the cause (`{status}`, the function's log), fix it, then send them again");
            let finding = DoctorFinding::fail(DEAD_LETTERS.check, format!("messages in {name}: {messages}"))
                .advice(advice);
            vec![finding.command(known.stack.redrive(queue))]
        }
    }
}
