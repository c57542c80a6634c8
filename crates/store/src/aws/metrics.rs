//! ReadMetrics by `GetMetricData`, in one request, and alarms by `DescribeAlarms`.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, ScanBy,
    StateValue, Statistic,
};

use super::client::Late;
use super::failure::failure;
use super::millis;
use crate::{AlarmNow, Datapoint, Error, MetricMeasure, MetricQuery, Operation, PeriodRange, ReadMetrics};

/// Alarms and metrics.
#[derive(Clone)]
pub struct CloudWatch {
    client: Late<Client>,
}

impl CloudWatch {
    /// Makes the alarms and metrics that the caller may read.
    #[must_use]
    pub fn new(client: &Late<Client>) -> Self {
        Self { client: client.clone() }
    }
}

impl<T: AsRef<CloudWatch> + Sync> ReadMetrics for T {
    async fn alarms_now(&self, prefix: &str) -> Result<Vec<AlarmNow>, Error> {
        alarms(self.as_ref().client.get(), prefix).await
    }

    async fn measured(&self, queries: &[MetricQuery], span: PeriodRange) -> Result<Vec<Datapoint>, Error> {
        read(self.as_ref().client.get(), queries, span).await
    }
}

/// The id of the only metric of an alarm.
const ONLY: &str = "it";

/// Asks for the values of a span.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
async fn read(client: &Client, queries: &[MetricQuery], span: PeriodRange) -> Result<Vec<Datapoint>, Error> {
    let period = i32::try_from(span.period_seconds).unwrap_or(i32::MAX);
    let asked = queries.iter().map(|query| asked(query, period)).collect();
    let answer = client
        .get_metric_data()
        .set_metric_data_queries(Some(asked))
        .start_time(instant(span.from_ms))
        .end_time(instant(span.until_ms))
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await
        .map_err(|error| failure(Operation::ReadMetrics, &error))?;
    let results = answer.metric_data_results.unwrap_or_default().into_iter();
    let pairs = results.flat_map(|result| {
        let instants = result.timestamps.unwrap_or_default().into_iter();
        instants.zip(result.values.unwrap_or_default())
    });
    let known =
        pairs.filter_map(|(instant, value)| Some(Datapoint { at_ms: millis(Some(&instant))?, value }));
    Ok(known.collect())
}

/// Asks for the metric alarms whose names begin like this.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
async fn alarms(client: &Client, prefix: &str) -> Result<Vec<AlarmNow>, Error> {
    let request = client.describe_alarms().alarm_name_prefix(prefix).alarm_types(AlarmType::MetricAlarm);
    let mut pages = request.into_paginator().send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failure(Operation::ReadAlarms, &error))?;
        alarms.extend(page.metric_alarms().iter().map(now));
    }
    Ok(alarms)
}

fn now(alarm: &MetricAlarm) -> AlarmNow {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let several = alarm.metrics().iter();
    let mut stats = several.clone().filter_map(MetricDataQuery::metric_stat);
    let period = stats.find_map(MetricStat::period).or(alarm.period());
    let queries: Vec<MetricQuery> = several.filter_map(compared).collect();
    AlarmNow {
        name: text(alarm.alarm_name()),
        description: text(alarm.alarm_description()),
        is_on: alarm.state_value() == Some(&StateValue::Alarm),
        reason: text(alarm.state_reason()),
        queries: if queries.is_empty() { only(alarm).into_iter().collect() } else { queries },
        period_seconds: period.and_then(|seconds| u32::try_from(seconds).ok()),
        comparison: text(alarm.comparison_operator().map(ComparisonOperator::as_str)),
        threshold: alarm.threshold(),
    }
}

/// Returns the metric of an alarm that has one.
fn only(alarm: &MetricAlarm) -> Option<MetricQuery> {
    let statistic = alarm.extended_statistic().or(alarm.statistic().map(Statistic::as_str));
    let measure = MetricMeasure::Metric {
        namespace: alarm.namespace()?.to_owned(),
        name: alarm.metric_name()?.to_owned(),
        dimensions: pairs(alarm.dimensions()),
        statistic: statistic?.to_owned(),
    };
    Some(MetricQuery { id: ONLY.to_owned(), measure, returned: true })
}

/// Returns one of several that an alarm computes with.
fn compared(query: &MetricDataQuery) -> Option<MetricQuery> {
    let measure = match (query.metric_stat(), query.expression()) {
        (Some(stat), _) => {
            let metric = stat.metric()?;
            MetricMeasure::Metric {
                namespace: metric.namespace()?.to_owned(),
                name: metric.metric_name()?.to_owned(),
                dimensions: pairs(metric.dimensions()),
                statistic: stat.stat()?.to_owned(),
            }
        }
        (None, expression) => MetricMeasure::Expression(expression?.to_owned()),
    };
    let id = query.id()?.to_owned();
    Some(MetricQuery { id, measure, returned: query.return_data().unwrap_or(true) })
}

fn pairs(dimensions: &[Dimension]) -> Vec<(String, String)> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    dimensions.iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect()
}

fn asked(query: &MetricQuery, period: i32) -> MetricDataQuery {
    let asked = MetricDataQuery::builder().id(&query.id).return_data(query.returned);
    match &query.measure {
        MetricMeasure::Expression(expression) => asked.expression(expression).period(period).build(),
        MetricMeasure::Metric { namespace, name, dimensions, statistic } => {
            let dimensions =
                dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
            let metric = Metric::builder()
                .namespace(namespace)
                .metric_name(name)
                .set_dimensions(Some(dimensions.collect()))
                .build();
            let stat = MetricStat::builder().metric(metric).period(period).stat(statistic).build();
            asked.metric_stat(stat).build()
        }
    }
}

fn instant(ms: u64) -> DateTime {
    DateTime::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::Connection;
    use crate::aws::replay::{ReplayedResponse, ScriptedService, answer};

    const SPAN: PeriodRange = PeriodRange { from_ms: 600_000, until_ms: 1_200_000, period_seconds: 300 };

    fn text(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("a short text");
        let mut bytes = if length < 24 { vec![0x60 | length] } else { vec![0x78, length] };
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    fn double(value: f64) -> Vec<u8> {
        let mut bytes = vec![0xfb];
        bytes.extend_from_slice(&value.to_be_bytes());
        bytes
    }

    /// Returns a map of one member (RFC 8949): 0xa1, the name, the value.
    fn member(name: &str, value: &[u8]) -> Vec<u8> {
        [&[0xa1], text(name).as_slice(), value].concat()
    }

    /// Returns `{"MetricDataResults": [{"Id": "it", "Timestamps": [600, 900], "Values": [2, 14.5]}]}`.
    fn two_values() -> Vec<u8> {
        // An instant is a number of seconds under tag 1.
        let instant = |seconds: f64| [vec![0xc1], double(seconds)].concat();
        let result = [
            vec![0xa3],
            text("Id"),
            text("it"),
            text("Timestamps"),
            [vec![0x82], instant(600.0), instant(900.0)].concat(),
            text("Values"),
            [vec![0x82], double(2.0), double(14.5)].concat(),
        ];
        member("MetricDataResults", &[vec![0x81], result.concat()].concat())
    }

    fn client(answer: ReplayedResponse) -> (Late<Client>, ScriptedService) {
        let (config, replay) = ScriptedService::configuration([answer]);
        (Connection::new(&config).cloudwatch(), replay)
    }

    fn query() -> MetricQuery {
        let measure = MetricMeasure::Metric {
            namespace: "SilentScalper/test".to_owned(),
            name: "Duration".to_owned(),
            dimensions: vec![("feed".to_owned(), "labs".to_owned())],
            statistic: "p95".to_owned(),
        };
        MetricQuery { id: "it".to_owned(), measure, returned: true }
    }

    fn cbor(status: u16, body: Vec<u8>) -> ReplayedResponse {
        ReplayedResponse {
            headers: vec![("smithy-protocol", "rpc-v2-cbor".to_owned())],
            ..answer(status, body)
        }
    }

    #[tokio::test]
    async fn values_come_with_their_instants_and_the_metric_is_named_in_full() {
        let (client, replay) = client(cbor(200, two_values()));
        let found = read(client.get(), &[query()], SPAN).await.expect("an answer");
        let expected = [(600_000, 2.0), (900_000, 14.5)].map(|(at_ms, value)| Datapoint { at_ms, value });
        assert_eq!(found, expected);
        let [seen] = &replay.seen()[..] else { panic!("one request") };
        assert!(seen.uri.contains("GetMetricData"), "{}", seen.uri);
        for named in ["SilentScalper/test", "Duration", "feed", "labs", "p95", "TimestampAscending"] {
            assert!(seen.body.contains(named), "{named}: {:?}", seen.body);
        }
    }

    #[tokio::test]
    async fn an_expression_is_asked_for_with_what_it_computes_with() {
        let (client, replay) = client(cbor(200, member("MetricDataResults", &[0x80])));
        let sum = MetricQuery {
            id: "sum".to_owned(),
            measure: MetricMeasure::Expression("FILL(it, 0)".to_owned()),
            returned: true,
        };
        let found = read(client.get(), &[MetricQuery { returned: false, ..query() }, sum], SPAN).await;
        assert!(found.expect("an answer").is_empty());
        assert!(replay.seen()[0].body.contains("FILL(it, 0)"));
    }

    /// Returns a map (RFC 8949) of fewer than 24 members.
    fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let length = u8::try_from(members.len()).expect("few members");
        let members = members.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        [0xa0 | length].into_iter().chain(members).collect()
    }

    #[tokio::test]
    async fn an_alarm_comes_with_its_state_its_reason_and_what_it_compares() {
        let alarm = map(&[
            ("AlarmName", text("s-files")),
            ("AlarmDescription", text("Bad.")),
            ("StateValue", text("ALARM")),
            ("StateReason", text("[3.0 (…)]")),
            ("Namespace", text("N")),
            ("MetricName", text("Files")),
            ("Statistic", text("Sum")),
            ("Period", vec![0x19, 0x01, 0x2c]),
            ("ComparisonOperator", text("GreaterThanThreshold")),
            ("Threshold", double(2.0)),
        ]);
        let (client, replay) = client(cbor(200, member("MetricAlarms", &[vec![0x81], alarm].concat())));
        let found = alarms(client.get(), "s-").await.expect("an answer");
        let measure = MetricMeasure::Metric {
            namespace: "N".to_owned(),
            name: "Files".to_owned(),
            dimensions: Vec::new(),
            statistic: "Sum".to_owned(),
        };
        let expected = AlarmNow {
            name: "s-files".to_owned(),
            description: "Bad.".to_owned(),
            is_on: true,
            reason: "[3.0 (…)]".to_owned(),
            queries: vec![MetricQuery { id: "it".to_owned(), measure, returned: true }],
            period_seconds: Some(300),
            comparison: "GreaterThanThreshold".to_owned(),
            threshold: Some(2.0),
        };
        assert_eq!(found, [expected]);
        let [seen] = &replay.seen()[..] else { panic!("one request") };
        assert!(seen.uri.contains("DescribeAlarms") && seen.body.contains("s-"), "{}", seen.uri);
    }

    #[tokio::test]
    async fn a_rejection_is_an_error_with_its_code() {
        let (client, _) = client(cbor(400, member("__type", &text("com.amazonaws#AccessDenied"))));
        let error = read(client.get(), &[query()], SPAN).await.expect_err("rejected");
        assert!(error.is_denied() && error.operation == Operation::ReadMetrics, "{error}");
    }
}
