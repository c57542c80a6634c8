//! What an alarm compares with what: the trigger of a metric alarm, as CloudWatch publishes it. A composite alarm has
//! none.

use serde::Deserialize;
use store::{MetricMeasure, MetricQuery};

use crate::quantity::{Limit, Quantity, Term};

/// The id of the only metric of an alarm.
const ONLY: &str = "it";
/// The most queries that are asked for again, which is the most that an alarm has (PutMetricAlarm).
const QUERIES: usize = 20;
/// Statistics as an alarm's message writes them, in capitals, and as `GetMetricData` takes them.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricStat.html>
const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Trigger {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Vec<Dimension>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    period: Option<u32>,
    metrics: Vec<MetricDataQuery>,
    comparison_operator: String,
    threshold: Option<f64>,
}

/// CloudWatch writes its own messages with small letters, and everything else of the API with capitals, as do programs
/// that pass such messages on.
#[derive(Clone, Deserialize)]
struct Dimension {
    #[serde(alias = "Name")]
    name: String,
    #[serde(alias = "Value")]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDataQuery {
    #[serde(default)]
    id: String,
    #[serde(default)]
    metric_stat: Option<Stat>,
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stat {
    metric: TriggerMetric,
    #[serde(default)]
    period: Option<u32>,
    #[serde(default, rename = "Stat")]
    statistic: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TriggerMetric {
    #[serde(default)]
    namespace: String,
    #[serde(rename = "MetricName")]
    name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

impl Trigger {
    /// Returns the metrics that the alarm reads.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        let several = self.stats().map(|stat| stat.metric.name.as_str());
        self.metric_name.as_deref().into_iter().chain(several).collect()
    }

    /// Returns the dimensions of its metrics, name and value, each once.
    pub(crate) fn places(&self) -> Vec<(&str, &str)> {
        let mut places = Vec::new();
        for Dimension { name, value } in
            self.dimensions.iter().chain(self.stats().flat_map(|stat| &stat.metric.dimensions))
        {
            let place = (name.as_str(), value.as_str());
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Returns what the alarm compares, in words; `None` for a composite alarm.
    pub(crate) fn quantity(&self) -> Option<Quantity> {
        let only = self.metric_name.as_deref().filter(|name| !name.is_empty()).map(|name| Term {
            namespace: self.namespace.as_deref().unwrap_or_default(),
            name,
            statistic: self.extended_statistic.as_deref().or(self.statistic.as_deref()),
        });
        let several = self.stats().map(|stat| Term {
            namespace: &stat.metric.namespace,
            name: &stat.metric.name,
            statistic: Some(&stat.statistic),
        });
        let terms: Vec<Term<'_>> = only.into_iter().chain(several).collect();
        let limit = Limit::new(&self.comparison_operator, self.threshold);
        Quantity::new(&terms, self.period_seconds(), limit)
    }

    /// Returns seconds of a period.
    pub(crate) fn period_seconds(&self) -> Option<u32> {
        let period = self.stats().find_map(|stat| stat.period).or(self.period);
        period.filter(|seconds| *seconds > 0)
    }

    /// Returns what the alarm compares, to be asked for again; empty when the message does not say it whole.
    pub(crate) fn queries(&self) -> Vec<MetricQuery> {
        let queries: Option<Vec<MetricQuery>> =
            if self.metrics.is_empty() { self.only().map(|query| vec![query]) } else { self.several() };
        queries.unwrap_or_default()
    }

    fn only(&self) -> Option<MetricQuery> {
        let stated = self.statistic.as_deref().and_then(|statistic| {
            STATISTICS.into_iter().find(|known| known.eq_ignore_ascii_case(statistic)).map(str::to_owned)
        });
        let measure = MetricMeasure::Metric {
            namespace: self.namespace.clone()?,
            name: self.metric_name.clone()?,
            dimensions: pairs(&self.dimensions),
            statistic: self.extended_statistic.clone().or(stated)?,
        };
        Some(MetricQuery { id: ONLY.to_owned(), measure, returned: true })
    }

    fn several(&self) -> Option<Vec<MetricQuery>> {
        let queries: Vec<MetricQuery> =
            self.metrics.iter().map(MetricDataQuery::query).collect::<Option<_>>()?;
        let returned = queries.iter().filter(|query| query.returned).count();
        (returned == 1 && queries.len() <= QUERIES).then_some(queries)
    }

    fn stats(&self) -> impl Iterator<Item = &Stat> {
        self.metrics.iter().filter_map(|part| part.metric_stat.as_ref())
    }
}

impl MetricDataQuery {
    fn query(&self) -> Option<MetricQuery> {
        let measure = match (&self.metric_stat, &self.expression) {
            (Some(stat), _) => MetricMeasure::Metric {
                namespace: stat.metric.namespace.clone(),
                name: stat.metric.name.clone(),
                dimensions: pairs(&stat.metric.dimensions),
                statistic: stat.statistic.clone(),
            },
            (None, Some(expression)) => MetricMeasure::Expression(expression.clone()),
            (None, None) => return None,
        };
        Some(MetricQuery { id: self.id.clone(), measure, returned: self.return_data.unwrap_or(true) })
    }
}

fn pairs(dimensions: &[Dimension]) -> Vec<(String, String)> {
    dimensions.iter().map(|Dimension { name, value }| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(trigger: Value) -> Trigger {
        serde_json::from_value(trigger).expect("a trigger")
    }

    #[test]
    fn the_only_metric_is_asked_for_under_its_own_statistic() {
        let trigger = json!({"MetricName": "Duration", "Namespace": "N", "StatisticType": "Statistic",
            "Statistic": "MAXIMUM", "Unit": null, "Dimensions": [{"value": "s-notifier", "name": "FunctionName"}],
            "Period": 60, "EvaluationPeriods": 1, "Threshold": 0.0});
        let read = read(trigger);
        let [query] = &read.queries()[..] else { panic!("one query") };
        let measure = MetricMeasure::Metric {
            namespace: "N".to_owned(),
            name: "Duration".to_owned(),
            dimensions: vec![("FunctionName".to_owned(), "s-notifier".to_owned())],
            statistic: "Maximum".to_owned(),
        };
        assert_eq!((&query.measure, query.returned, read.period_seconds()), (&measure, true, Some(60)));
    }

    #[test]
    fn a_percentile_is_its_own_statistic() {
        let trigger = json!({"MetricName": "Duration", "Namespace": "N", "StatisticType": "ExtendedStatistic",
            "ExtendedStatistic": "p95", "Period": 300});
        let queries = read(trigger).queries();
        assert!(
            matches!(&queries[..], [MetricQuery { measure: MetricMeasure::Metric { statistic, .. }, .. }] if statistic == "p95")
        );
    }

    #[test]
    fn an_expression_is_asked_for_with_its_metrics() {
        let stat = json!({"Metric": {"MetricName": "ReadThrottleEvents", "Namespace": "AWS/DynamoDB",
            "Dimensions": [{"name": "TableName", "value": "s-ledger"}]}, "Period": 300, "Stat": "Sum"});
        let trigger = json!({"Metrics": [{"Id": "reads", "MetricStat": stat, "ReturnData": false},
            {"Id": "all", "Expression": "FILL(reads, 0)", "ReturnData": true}]});
        let read = read(trigger);
        let ids: Vec<(String, bool)> =
            read.queries().into_iter().map(|query| (query.id, query.returned)).collect();
        assert_eq!(ids, [("reads".to_owned(), false), ("all".to_owned(), true)]);
        assert_eq!((read.period_seconds(), read.metrics()), (Some(300), vec!["ReadThrottleEvents"]));
        assert_eq!(read.places(), [("TableName", "s-ledger")]);
    }

    #[test]
    fn what_is_not_said_whole_is_not_asked_for() {
        for trigger in [
            json!({}),
            json!({"MetricName": "Duration", "Statistic": "SUM"}),
            json!({"MetricName": "Duration", "Namespace": "N", "Statistic": "MOST"}),
            json!({"Metrics": [{"Id": "a"}]}),
            json!({"Metrics": [{"Id": "a", "Expression": "1", "ReturnData": false}]}),
            json!({"Metrics": [{"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "2"}]}),
        ] {
            assert!(read(trigger.clone()).queries().is_empty(), "{trigger}");
        }
    }
}
