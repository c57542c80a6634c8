//! One file's history: what is known of it, and the next step.

use std::fmt::Write as _;

use runtime::{Terms, format_second};
use serde::Serialize;
use store::{Acknowledgement, Entry, FileId, Outcome, State};

use super::find::{FaultRead, FoundFile, PlaceRead, ReceiptRead, rejects_key, was_visible};
use super::next::{NextStep, steps};
use super::plain::plain;
use super::view::FileView;
use super::{Readable, StackView};
use crate::error::CommandError;
use crate::feeds;
use crate::report::{Mark, Style, paragraph};

/// How long the processor keeps a contract (`processor::Settings`).
const CONTRACT_CACHE_SECONDS: u64 = 60;

/// One file's history. Holds no content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Story {
    #[serde(flatten)]
    pub file: FileView,
    pub bucket: String,
    pub version: String,
    pub order: String,
    pub load: String,
    pub sha256: Option<String>,
    pub contract_hash: Option<String>,
    /// Raised by each claim.
    pub fence: u64,
    /// Attempts since the last checkpoint whose process crashed.
    pub deaths: u32,
    /// When the claim on the file ends; none when nothing processes it.
    pub lease_until: Option<String>,
    pub rows_written: u64,
    /// Whether the outcome was published.
    pub announced: bool,
    /// Whether `status` waits for a good file of its name, a correction or an acknowledgement.
    pub open: bool,
    pub acknowledged: Option<AcknowledgedView>,
    /// The feed's newest contract; none where the key names no feed.
    newest_contract: Option<NewestContract>,
    /// How long the processor may work under a contract after a newer one was published.
    pub contract_cache_seconds: u64,
    fault_details: Option<FaultRead>,
    receipt_warnings: Vec<String>,
    pub receipt: Option<String>,
    pub rejects_at: Option<String>,
    original: Option<PlaceRead>,
    /// The older file that this one's commit replaced.
    pub replaced: Option<String>,
    /// The other versions of this name that the ledger knows, newest first.
    pub versions: Vec<FileView>,
    pub next: Vec<NextStep>,
    #[serde(skip)]
    now_ms: u64,
}

/// Who acknowledged a quarantined file, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcknowledgedView {
    at: String,
    #[serde(flatten)]
    acknowledgement: Acknowledgement,
}

impl AcknowledgedView {
    pub(crate) fn new(acknowledgement: &Acknowledgement) -> Self {
        Self { at: format_second(acknowledgement.at_ms), acknowledgement: acknowledgement.clone() }
    }

    /// Renders who acknowledged, when and why.
    pub(crate) fn to_text(&self) -> String {
        let Acknowledgement { by, reason, .. } = &self.acknowledgement;
        format!("by {by} at {}: {reason}", self.at)
    }
}

/// The contract that is in force for the next files of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewestContract {
    version: Option<String>,
    hash: Option<String>,
    /// The errors of the newest version, or why no contract is in force.
    problem: Option<String>,
}

impl<S: Readable> StackView<S> {
    pub(super) async fn show(&self, word: &str, version: Option<&str>) -> Result<Story, CommandError> {
        let found = self.find_version(word, version).await?;
        let FoundFile { file, entry } = &found;
        let outcome = entry.outcome.as_ref().filter(|_| entry.state.is_terminal());
        let receipt = match outcome {
            Some(outcome) => self.read_receipt(&outcome.receipt).await?,
            None => None,
        };
        let lost = outcome.is_some_and(|outcome| !outcome.receipt.is_empty()) && receipt.is_none();
        let feed = if entry.partner.is_empty() { store::UNKNOWN } else { &entry.feed };
        let versions = self.versions(entry.listed_partner(), feed, &entry.file.key, false).await?;
        let others = versions.iter().filter(|listed| listed.file != *file);
        let versions =
            others.map(|listed| FileView::of_listed(&self.stack, entry.listed_partner(), listed)).collect();
        let mut story = self.story(file, entry, outcome, receipt.unwrap_or_default());
        if lost {
            story.receipt_warnings.push("the receipt that the ledger names is missing".to_owned());
        }
        let newest_contract = self.newest_contract(&entry.feed).await;
        Ok(Story { newest_contract, versions, ..story })
    }

    /// Returns the newest contract of a feed; `None` when it cannot be read, so that the rest is shown.
    async fn newest_contract(&self, feed: &str) -> Option<NewestContract> {
        let none = |problem: String| NewestContract { version: None, hash: None, problem: Some(problem) };
        if feed.is_empty() {
            return None;
        }
        let held = match runtime::in_force(&self.store, feed).await {
            Ok(held) => held,
            Err(error) => return Some(none(format!("it could not be read ({error})"))),
        };
        let broken = feeds::broken(feed, &held).map(|broken| broken.problem);
        Some(match held.terms {
            Terms::Active(contract) => {
                let hash = hex::encode(contract.identity.hash);
                let version = contract.identity.version.clone();
                NewestContract { version: Some(version), hash: Some(hash), problem: broken }
            }
            Terms::Quarantine(rejection) => none(broken.unwrap_or(rejection.fault.found)),
        })
    }

    fn story(&self, file: &FileId, entry: &Entry, outcome: Option<&Outcome>, receipt: ReceiptRead) -> Story {
        let now_ms = self.host.now();
        let view = FileView::of_entry(&self.stack, file, entry);
        let text = |part: fn(&Outcome) -> &String| outcome.map(part).filter(|text| !text.is_empty()).cloned();
        let lease = Some(entry.lease_until_ms).filter(|until| !entry.state.is_terminal() && *until > now_ms);
        let rejects_at = outcome.and_then(|outcome| rejects_key(outcome, &receipt));
        let next = steps(&self.stack, &self.places, &view, entry, lease.is_some(), &receipt);
        // A receipt names the kind of bucket, and this is where it is.
        let original = receipt.original.map(|place| {
            let inbox = place.is_in_inbox();
            PlaceRead {
                bucket: if inbox { entry.file.bucket.clone() } else { self.places.quarantine.clone() },
                ..place
            }
        });
        Story {
            bucket: entry.file.bucket.clone(),
            version: entry.file.version.clone(),
            order: entry.order.to_string(),
            load: entry.load.to_string(),
            sha256: text(|outcome| &outcome.sha256),
            contract_hash: text(|outcome| &outcome.contract_hash),
            fence: entry.fence,
            deaths: entry.deaths,
            lease_until: lease.map(format_second),
            rows_written: entry.rows_written,
            announced: entry.announced,
            open: entry.open,
            acknowledged: entry.acknowledged.as_ref().map(AcknowledgedView::new),
            newest_contract: None,
            contract_cache_seconds: CONTRACT_CACHE_SECONDS,
            receipt: text(|outcome| &outcome.receipt).map(|key| self.places.kept(&key)),
            rejects_at: rejects_at.map(|key| self.places.kept(&key)),
            replaced: outcome.and_then(|outcome| Some(outcome.replaced.as_ref()?.to_string())),
            fault_details: receipt.fault,
            receipt_warnings: receipt.warnings,
            original,
            versions: Vec::new(),
            next,
            file: view,
            now_ms,
        }
    }
}

impl Story {
    pub(super) fn to_text(&self, style: Style) -> String {
        let file = &self.file;
        let mark = super::files::mark(file);
        let mut text = format!("{} {}\n\n", style.mark(&file.verdict(), mark), plain(&file.key));
        for (name, value) in self.facts().into_iter().chain(self.links()) {
            text.push_str(&paragraph(&format!("{name:<13}"), &plain(&value), style));
        }
        for version in &self.versions {
            let described = format!("{} {}, {}", version.file, version.verdict(), version.ago(self.now_ms));
            text.push_str(&paragraph(&format!("{:<13}", "same name"), &described, style));
        }
        text.push_str("\nwhat to do\n");
        for NextStep { what, command } in &self.next {
            text.push_str(&style.mark(&paragraph("  ", &plain(what), style), Mark::None));
            if let Some(command) = command {
                // Writing to a string cannot fail.
                writeln!(text, "    {command}").ok();
            }
        }
        text
    }

    /// Returns the facts about the file itself, by name.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let file = &self.file;
        let named = |name: &str| {
            if name == store::UNKNOWN { "unknown: the key names none".to_owned() } else { name.to_owned() }
        };
        let landed = file.landed.as_deref().unwrap_or("not known");
        let acknowledged = self.acknowledged.as_ref().map(AcknowledgedView::to_text);
        let facts = [
            ("file", Some(file.file.to_string())),
            ("partner", Some(named(&file.partner))),
            ("feed", Some(named(&file.feed))),
            ("landed", Some(format!("{landed}, {}", file.ago(self.now_ms)))),
            ("version", Some(format!("{} in s3://{}", self.version, self.bucket))),
            ("work", self.work()),
            ("records", self.counts()),
            ("fault", self.fault_details.as_ref().map(fault_text)),
            ("acknowledged", acknowledged),
        ];
        let mut facts: Vec<_> = facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        facts.extend(self.receipt_warnings.iter().map(|warning| ("warning", warning.clone())));
        if let Some(bytes) = file.bytes {
            facts.push((
                "bytes",
                format!("{bytes}, SHA-256 {}", self.sha256.as_deref().unwrap_or("not known")),
            ));
        }
        facts.extend(self.contracts());
        facts
    }

    /// Returns which contract decided the file, and which one decides the next.
    fn contracts(&self) -> Vec<(&'static str, String)> {
        let described = |version: &str, hash: Option<&str>| {
            format!("version {version}, SHA-256 {}", hash.unwrap_or("not known"))
        };
        let (decided, hash) = (self.file.contract_version.as_deref(), self.contract_hash.as_deref());
        let mut lines = Vec::new();
        lines.extend(decided.map(|version| ("contract", described(version, hash))));
        let Some(NewestContract { version, hash: newest, problem }) = &self.newest_contract else {
            return lines;
        };
        let cache = format!("the processor caches a contract for up to {CONTRACT_CACHE_SECONDS} s");
        let now = match (version, problem) {
            (Some(_), _) if decided.is_some() && newest.as_deref() == hash => {
                format!("still in force; {cache}")
            }
            (Some(version), _) => {
                format!("in force now: {}; {cache}", described(version, newest.as_deref()))
            }
            (None, problem) => {
                format!("none is in force: {}", problem.as_deref().unwrap_or("it could not be read"))
            }
        };
        lines.push((if decided.is_some() { "" } else { "contract" }, now));
        if let (Some(_), Some(problem)) = (version, problem) {
            lines.push(("", format!("the newest version has errors: {problem}")));
        }
        lines
    }

    /// Returns the claims of a file that is not decided or was claimed several times; `None` for the usual single one.
    fn work(&self) -> Option<String> {
        let Self { fence, deaths, rows_written, .. } = self;
        let decided = self.file.state.is_terminal();
        let mut parts = Vec::new();
        if (!decided && *fence > 0) || *fence > 1 {
            let times = if *fence == 1 { "once".to_owned() } else { format!("{fence} times") };
            parts.push(format!("claimed {times}"));
        }
        if !decided && *deaths > 0 {
            parts.push(format!("{deaths} of them ended with a crash of the process"));
        }
        if !decided && *rows_written > 0 {
            parts.push(format!("{rows_written} rows written"));
        }
        parts.extend(self.lease_until.as_ref().map(|until| format!("the claim ends at {until}")));
        if decided && !self.announced && self.receipt.is_some() {
            parts.push("outcome not published yet".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn counts(&self) -> Option<String> {
        let FileView { records, rows, rejects, dropped, warnings, .. } = &self.file;
        let visible = |rows: u64| match self.file.state {
            state if was_visible(state) => "no longer visible".to_owned(),
            _ => format!("{rows} visible"),
        };
        let warned = warnings.filter(|warnings| *warnings > 0);
        let warned = warned.map(|warnings| format!("; {warnings} warnings")).unwrap_or_default();
        let dropped = dropped.map(|dropped| format!(", {dropped} left out (`dropIf`)")).unwrap_or_default();
        Some(format!(
            "{} read: {}, {} rejected{dropped}{warned}",
            (*records)?,
            visible((*rows)?),
            (*rejects)?
        ))
    }

    fn links(&self) -> Vec<(&'static str, String)> {
        let file = &self.file;
        let other = match file.state {
            State::Duplicate => "repeats",
            _ => "replaced by",
        };
        let original = self.original.as_ref().map(|place| {
            let version = place.version.as_ref().map(|version| format!(", version {version}"));
            format!("s3://{}/{}{}", place.bucket, place.key, version.unwrap_or_default())
        });
        let links = [
            ("load", Some(self.load.clone())),
            ("receipt", self.receipt.clone()),
            ("rejects", self.rejects_at.clone()),
            ("original", original),
            (other, file.other.clone()),
            ("replaces", self.replaced.clone()),
            ("corrects", file.corrects.clone()),
        ];
        links.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn fault_text(fault: &FaultRead) -> String {
    let line = fault.line.map(|line| format!(" on line {line}")).unwrap_or_default();
    let column = fault.column.map(|column| format!(" in column {column}")).unwrap_or_default();
    let message = fault
        .message
        .clone()
        .unwrap_or_else(|| format!("found {}, expected {}", fault.found, fault.expected));
    format!("{}{line}{column}: {message}", fault.code)
}
