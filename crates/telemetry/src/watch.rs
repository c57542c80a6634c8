//! The records of the watcher's runs: gauges, which return to 0 when the cause is gone.

use serde_json::{Value, json};

use crate::metric::{MetricValue, PLAIN, float, line, metric_names as names};
use crate::{Label, Metrics, Monitoring};

/// Maximum number of names in a line; the counts are complete.
const MOST_NAMES: usize = 20;

/// Returns the first names, for a log line.
fn some(names: &[Label]) -> Vec<&str> {
    names.iter().take(MOST_NAMES).map(Label::as_str).collect()
}

/// The partners of a feed whose newest file is not as the contract expects it. Their names are in the log line only,
/// because a metric for each would be billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedWatchRecord {
    /// The feed; a metric dimension.
    pub feed: Label,
    /// No file arrived for the newest scheduled time.
    pub missing: Vec<Label>,
    /// The file arrived after its deadline, a short while ago.
    pub late: Vec<Label>,
    /// The newest complete file has far fewer rows than usual.
    pub volume_low: Vec<Label>,
    /// It has far more rows than usual.
    pub volume_high: Vec<Label>,
}

impl FeedWatchRecord {
    /// Writes a warning with the partners' names; nothing when all files are as expected.
    pub fn log(&self) {
        let Self { feed, missing, late, volume_low, volume_high } = self;
        if missing.is_empty() && late.is_empty() && volume_low.is_empty() && volume_high.is_empty() {
            return;
        }
        tracing::warn!(
            feed = feed.as_str(),
            missing = some(missing).join(" "),
            late = some(late).join(" "),
            volume_low = some(volume_low).join(" "),
            volume_high = some(volume_high).join(" "),
            "the files of a feed are late, missing or of unusual size"
        );
    }

    /// Returns the metric record: one line without its line end. Dimensions: none, and the feed.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let count = |partners: &[Label]| float(partners.len() as u64);
        let metrics: [MetricValue; 5] = [
            (names::FILES_MISSING, count(&self.missing)),
            (names::FILES_LATE, count(&self.late)),
            (names::FILES_OVERDUE, count(&self.missing) + count(&self.late)),
            (names::FILES_VOLUME_LOW, count(&self.volume_low)),
            (names::FILES_VOLUME_HIGH, count(&self.volume_high)),
        ];
        let members = [("feed", json!(self.feed))];
        let details = vec![
            ("missing", json!(some(&self.missing))),
            ("late", json!(some(&self.late))),
            ("volumeLow", json!(some(&self.volume_low))),
            ("volumeHigh", json!(some(&self.volume_high))),
        ];
        line(published, now_ms, &[&[], &["feed"]], &metrics, &members, details)
    }
}

/// One run. A value that could not be read is `None`, and its metric is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchRecord {
    /// Loads whose lease has ended and that no invocation continues.
    pub stuck: Option<u64>,
    /// Some of their files.
    pub stuck_files: Vec<Label>,
    /// Messages in the dead-letter queues.
    pub dead_letters: Option<u64>,
    /// Some of the files that they are about.
    pub dead_files: Vec<Label>,
    /// Feeds whose newest contract does not compile.
    pub contracts_broken: Option<u64>,
    /// Some of them.
    pub broken_feeds: Vec<Label>,
    /// Versions of the inbox that were compared with the ledger.
    pub compared: u64,
    /// Versions that were sent to the inbox queue again.
    pub resent: u64,
    /// Some of them.
    pub resent_files: Vec<Label>,
    /// The age of the newest heartbeat file that is loaded, seconds; `None` also when there is none.
    pub heartbeat_age: Option<u64>,
    /// How many parts of the run failed.
    pub failed: u64,
}

impl WatchRecord {
    /// One log line, with ids and counts.
    pub fn log(&self) {
        tracing::info!(
            stuck = self.stuck,
            stuck_files = some(&self.stuck_files).join(" "),
            dead_letters = self.dead_letters,
            dead_files = some(&self.dead_files).join(" "),
            contracts_broken = self.contracts_broken,
            broken_feeds = some(&self.broken_feeds).join(" "),
            compared = self.compared,
            resent = self.resent,
            resent_files = some(&self.resent_files).join(" "),
            heartbeat_age_seconds = self.heartbeat_age,
            failed = self.failed,
            "watched"
        );
    }

    /// Returns the metric record: one line without its line end, without dimensions.
    ///
    /// Basic has ten alarms, all of which are in use: there the alarm on overdue files also reports contracts that do
    /// not compile. A broken contract counts as one more overdue file than the feeds' lines count; the alarm takes
    /// the highest value.
    #[must_use]
    pub fn metric(&self, published: &Metrics, now_ms: u64) -> String {
        let well = if self.failed == 0 { 1.0 } else { 0.0 };
        let mut metrics: Vec<MetricValue> =
            vec![(names::WATCHES, well), (names::FILES_RESENT, float(self.resent))];
        let gauges = [
            (names::LOADS_STUCK, self.stuck),
            (names::DEAD_LETTER_FILES, self.dead_letters),
            // Its absence sets off an alarm. In Basic that is the only alarm about a watcher that fails in part.
            (names::HEARTBEAT_AGE, self.heartbeat_age.filter(|_| self.failed == 0)),
            (names::CONTRACTS_BROKEN, self.contracts_broken),
            (names::FILES_OVERDUE, self.overdue(published.monitoring)),
        ];
        metrics.extend(gauges.into_iter().filter_map(|(metric, value)| Some((metric, float(value?)))));
        let details: Vec<(&str, Value)> = vec![
            ("stuckFiles", json!(some(&self.stuck_files))),
            ("deadFiles", json!(some(&self.dead_files))),
            ("brokenFeeds", json!(some(&self.broken_feeds))),
            ("resentFiles", json!(some(&self.resent_files))),
            ("compared", json!(self.compared)),
            ("failed", json!(self.failed)),
        ];
        line(published, now_ms, PLAIN, &metrics, &[], details)
    }

    /// Returns the number of broken contracts that count as overdue files; `None` where a metric of their own is
    /// published.
    fn overdue(&self, monitoring: Monitoring) -> Option<u64> {
        match monitoring {
            Monitoring::Basic => self.contracts_broken.filter(|broken| *broken > 0),
            Monitoring::Off | Monitoring::Full => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feeds_line_counts_partners_and_names_them_without_a_dimension() {
        let partners: Vec<Label> = (0..500).map(|number| Label::new(&format!("partner-{number}"))).collect();
        let record = FeedWatchRecord {
            feed: Label::new("labs"),
            missing: partners,
            volume_low: vec![Label::new("north")],
            ..FeedWatchRecord::default()
        };
        let root: Value = serde_json::from_str(&record.metric(&Metrics::all("n"), 1)).expect("JSON");
        assert_eq!(
            (&root["FilesMissing"], &root["FilesVolumeLow"], &root["FilesLate"]),
            (&json!(500), &json!(1), &json!(0))
        );
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["feed"]]));
        assert_eq!(
            (root["missing"].as_array().map(Vec::len), &root["volumeLow"]),
            (Some(20), &json!(["north"]))
        );
    }

    #[test]
    fn a_broken_contract_has_a_metric_of_its_own_or_in_basic_that_of_overdue_files() {
        let published = |metrics: &Metrics, broken: u64| -> Vec<(String, Value)> {
            let record = WatchRecord { contracts_broken: Some(broken), ..WatchRecord::default() };
            let root: Value = serde_json::from_str(&record.metric(metrics, 1)).expect("JSON");
            let directives = root["_aws"]["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
            let named =
                directives.iter().flat_map(|one| one["Metrics"].as_array().cloned().unwrap_or_default());
            let found = named.filter_map(|metric| metric["Name"].as_str().map(str::to_owned));
            found
                .filter(|name| !["Watches", "FilesResent"].contains(&name.as_str()))
                .map(|name| (name.clone(), root[&name].clone()))
                .collect()
        };
        let (full, basic) = (Metrics::all("n"), Metrics::basic("n"));
        for count in [0, 2] {
            assert_eq!(published(&full, count), [("ContractsBroken".to_owned(), json!(count))]);
        }
        assert_eq!(published(&basic, 2), [("FilesOverdue".to_owned(), json!(2))]);
        assert_eq!(published(&basic, 0), [], "the lines of the feeds say that nothing is overdue");
    }

    #[test]
    fn a_value_that_a_run_could_not_read_is_left_out() {
        let root: Value = serde_json::from_str(
            &WatchRecord { failed: 2, ..WatchRecord::default() }.metric(&Metrics::all("n"), 1),
        )
        .expect("JSON");
        assert_eq!((&root["Watches"], &root["FilesResent"]), (&json!(0), &json!(0)));
        assert!(
            root["LoadsStuck"].is_null()
                && root["HeartbeatAge"].is_null()
                && root["DeadLetterFiles"].is_null()
        );
        let well = WatchRecord {
            stuck: Some(0),
            dead_letters: Some(3),
            heartbeat_age: Some(9),
            ..WatchRecord::default()
        };
        let root: Value = serde_json::from_str(&well.metric(&Metrics::all("n"), 1)).expect("JSON");
        assert_eq!(
            (&root["Watches"], &root["LoadsStuck"], &root["HeartbeatAge"]),
            (&json!(1), &json!(0), &json!(9))
        );
        assert_eq!(root["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    }
}
