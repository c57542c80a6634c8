//! Checks that failures are reported: alarms, channels, logs of the API.

use store::{AlarmFact, AlarmState, Subscription};

use super::{ALARMS, CHANNELS, DoctorFinding, GATEWAY_LOGS, Known, MAIL};

/// How long an alarm may have no data: the slowest one has a period of an hour.
const LONG_MS: u64 = 3 * 60 * 60 * 1_000;

/// Maximum number of alarms that one finding names.
const NAMED: usize = 5;

pub(super) fn alarms(known: &Known, facts: &[AlarmFact]) -> Vec<DoctorFinding> {
    let stack = known.stack.as_str();
    // The name of another stack may begin as this one's does; its alarms report to its own topics.
    let topics = [format!(":{stack}-alarms"), format!(":{stack}-mail")];
    let ours = |action: &String| topics.iter().any(|topic| action.ends_with(topic.as_str()));
    let own = |alarm: &&AlarmFact| alarm.actions.is_empty() || alarm.actions.iter().any(ours);
    let own: Vec<&AlarmFact> = facts.iter().filter(own).collect();
    if own.is_empty() {
        let advice = "deploy with Monitoring=Basic or Full";
        return vec![
            DoctorFinding::warn(ALARMS.check, "no alarms: failures are not reported").advice(advice),
        ];
    }
    let mut findings = Vec::new();
    let named = |fits: &dyn Fn(&AlarmFact) -> bool| -> Vec<&str> {
        own.iter().filter(|alarm| fits(alarm)).map(|alarm| alarm.name.as_str()).collect()
    };
    let off = named(&|alarm| !alarm.actions_enabled);
    if !off.is_empty() {
        let what = format!("alarms whose actions are off, so that they are not reported: {}", some(&off));
        let command = format!("aws cloudwatch enable-alarm-actions --alarm-names {}", off.join(" "));
        findings.push(DoctorFinding::fail(ALARMS.check, what).advice("switch them on").command(command));
    }
    let on = named(&|alarm| alarm.state == AlarmState::Alarm);
    if !on.is_empty() {
        let what = format!("in ALARM ({} of {}): {}", on.len(), own.len(), some(&on));
        let advice = "see what is wrong; each alarm's description says what to do";
        findings.push(
            DoctorFinding::fail(ALARMS.check, what).advice(advice).command(known.stack.command("status")),
        );
    }
    let long = |alarm: &AlarmFact| {
        let since = alarm.since_ms.unwrap_or(known.now_ms);
        alarm.state == AlarmState::InsufficientData
            && !alarm.waits
            && known.now_ms.saturating_sub(since) > LONG_MS
    };
    let blind = named(&long);
    if !blind.is_empty() {
        let what = format!("alarms without data for hours: {}", some(&blind));
        let advice = "check that the functions run and write metrics";
        let command = format!("aws logs tail /aws/lambda/{stack}-watcher --since 1h");
        findings.push(DoctorFinding::warn(ALARMS.check, what).advice(advice).command(command));
    }
    if findings.is_empty() {
        findings
            .push(DoctorFinding::ok(ALARMS.check, format!("none in ALARM (0 of {}), all report", own.len())));
    }
    findings
}

fn some(names: &[&str]) -> String {
    let listed = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// Checks that incidents are reported by at least one channel.
pub(super) fn channels(secret: bool, mail: &[Subscription]) -> Vec<DoctorFinding> {
    let confirmed = mail.iter().filter(|one| !one.pending).count();
    let what = match (secret, confirmed) {
        (false, 0) => {
            let advice = "deploy with AlarmEmail=<address>, or with ChannelsSecretArn for Slack, PagerDuty, Teams or a webhook";
            let what = "no channel is configured and confirmed: incidents are not reported";
            return vec![DoctorFinding::warn(CHANNELS.check, what).advice(advice)];
        }
        (true, 0) => "incidents are reported to the channels of the secret".to_owned(),
        (true, mail) => {
            format!("incidents are reported to the channels of the secret and by mail ({mail} confirmed)")
        }
        (false, mail) => format!("incidents are reported by mail ({mail} confirmed)"),
    };
    vec![DoctorFinding::ok(CHANNELS.check, what)]
}

pub(super) fn mail(known: &Known, facts: &[Subscription]) -> Vec<DoctorFinding> {
    let pending = facts.iter().filter(|one| one.pending).count();
    if pending == 0 {
        return Vec::new();
    }
    let home = &known.places.home;
    let topic =
        format!("arn:{}:sns:{}:{}:{}-mail", home.partition, home.region, home.account, known.stack.as_str());
    let advice = "open the link in the mail from AWS Notifications; the command sends it again";
    let command =
        format!("aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint <address>");
    let what = format!("unconfirmed mail subscriptions: {pending}; nothing is mailed to them");
    vec![DoctorFinding::warn(MAIL.check, what).advice(advice).command(command)]
}

pub(super) fn gateway_logs(role: Option<&str>) -> Vec<DoctorFinding> {
    if role.is_some() {
        return vec![DoctorFinding::ok(GATEWAY_LOGS.check, "API Gateway has a role to write logs with")];
    }
    let what = "API Gateway has no role to write logs with in this region: requests to the partner API are not logged";
    let advice = "deploy with GatewayLogsRole=Create, or name a role";
    let command = "aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=<role ARN>";
    vec![DoctorFinding::warn(GATEWAY_LOGS.check, what).advice(advice).command(command)]
}
