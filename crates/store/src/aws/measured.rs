//! Metrics by `GetMetricData`, in one request.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};

use super::failure::failure;
use crate::{Datapoint, Error, Measure, Operation, Query, Span};

/// Asks for the values of a span.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub(super) async fn read(client: &Client, queries: &[Query], span: Span) -> Result<Vec<Datapoint>, Error> {
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
    let known = pairs.filter_map(|(instant, value)| {
        let at_ms = instant.to_millis().ok().and_then(|ms| u64::try_from(ms).ok())?;
        Some(Datapoint { at_ms, value })
    });
    Ok(known.collect())
}

fn asked(query: &Query, period: i32) -> MetricDataQuery {
    let asked = MetricDataQuery::builder().id(&query.id).return_data(query.returned);
    match &query.measure {
        Measure::Expression(expression) => asked.expression(expression).period(period).build(),
        Measure::Metric { namespace, name, dimensions, statistic } => {
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
    use crate::aws::clients;
    use crate::aws::replay::{Answer, Replay, answer};

    const SPAN: Span = Span { from_ms: 600_000, until_ms: 1_200_000, period_seconds: 300 };

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

    /// A map of one member (RFC 8949): 0xa1, the name, the value.
    fn member(name: &str, value: &[u8]) -> Vec<u8> {
        [&[0xa1], text(name).as_slice(), value].concat()
    }

    /// `{"MetricDataResults": [{"Id": "it", "Timestamps": [600, 900], "Values": [2, 14.5]}]}`.
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

    fn client(answer: Answer) -> (Client, Replay) {
        let (config, replay) = Replay::configuration([answer]);
        (clients::cloudwatch(&config), replay)
    }

    fn query() -> Query {
        let measure = Measure::Metric {
            namespace: "SilentScalper/test".to_owned(),
            name: "Duration".to_owned(),
            dimensions: vec![("feed".to_owned(), "labs".to_owned())],
            statistic: "p95".to_owned(),
        };
        Query { id: "it".to_owned(), measure, returned: true }
    }

    fn cbor(status: u16, body: Vec<u8>) -> Answer {
        Answer { headers: vec![("smithy-protocol", "rpc-v2-cbor".to_owned())], ..answer(status, body) }
    }

    #[tokio::test]
    async fn values_come_with_their_instants_and_the_metric_is_named_in_full() {
        let (client, replay) = client(cbor(200, two_values()));
        let found = read(&client, &[query()], SPAN).await.expect("an answer");
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
        let sum = Query {
            id: "sum".to_owned(),
            measure: Measure::Expression("FILL(it, 0)".to_owned()),
            returned: true,
        };
        let found = read(&client, &[Query { returned: false, ..query() }, sum], SPAN).await;
        assert!(found.expect("an answer").is_empty());
        assert!(replay.seen()[0].body.contains("FILL(it, 0)"));
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_with_its_code() {
        let (client, _) = client(cbor(400, member("__type", &text("com.amazonaws#AccessDenied"))));
        let error = read(&client, &[query()], SPAN).await.expect_err("refused");
        assert!(error.is_refusal() && error.operation == Operation::ReadMetrics, "{error}");
    }
}
