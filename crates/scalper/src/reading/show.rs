//! One file's whole story.

use std::fmt::Write as _;

use serde::Serialize;
use store::operator::Survey;
use store::{Entry, FileId, Outcome};

use super::find::{FaultRead, Found, PlaceRead, ReceiptRead, rejects_key, was_visible};
use super::next::{Step, steps};
use super::plain::plain;
use super::view::FileView;
use super::{Desk, Readable};
use crate::failure::Failure;
use crate::report::{Mark, Style, instant};

/// One file's whole story. Holds no content.
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
    /// Attempts since the last checkpoint whose process is known to have died.
    pub deaths: u32,
    /// Until when a claim holds the file; none when nothing does.
    pub lease_until: Option<String>,
    pub rows_written: u64,
    /// Whether the outcome was published.
    pub announced: bool,
    fault_told: Option<FaultRead>,
    warnings_told: Vec<String>,
    pub receipt: Option<String>,
    pub rejects_at: Option<String>,
    original: Option<PlaceRead>,
    /// The older file that this one's commit replaced.
    pub replaced: Option<String>,
    /// The other versions of this name that the ledger knows, newest first.
    pub versions: Vec<FileView>,
    pub next: Vec<Step>,
    #[serde(skip)]
    now_ms: u64,
}

impl<S: Readable, V: Survey> Desk<S, V> {
    pub(super) async fn show(&self, word: &str) -> Result<Story, Failure> {
        let found = self.find(word).await?;
        let Found { file, entry } = &found;
        let outcome = entry.outcome.as_ref().filter(|_| entry.state.is_terminal());
        let receipt = match outcome {
            Some(outcome) => self.read_receipt(&outcome.receipt).await?,
            None => None,
        };
        let lost = outcome.is_some_and(|outcome| !outcome.receipt.is_empty()) && receipt.is_none();
        let versions = if entry.partner.is_empty() {
            Vec::new()
        } else {
            self.versions(&entry.partner, &entry.feed, &entry.file.key, false).await?
        };
        let others = versions.iter().filter(|listed| listed.file != *file);
        let versions = others.map(|listed| FileView::of_listed(&entry.partner, listed)).collect();
        let mut story = self.story(file, entry, outcome, receipt.unwrap_or_default());
        if lost {
            story.warnings_told.push("the receipt that the ledger names is not there".to_owned());
        }
        Ok(Story { versions, ..story })
    }

    fn story(&self, file: &FileId, entry: &Entry, outcome: Option<&Outcome>, receipt: ReceiptRead) -> Story {
        let now_ms = self.host.now();
        let view = FileView::of_entry(file, entry);
        let text = |part: fn(&Outcome) -> &String| outcome.map(part).filter(|text| !text.is_empty()).cloned();
        let lease = Some(entry.lease_until_ms).filter(|until| !entry.state.is_terminal() && *until > now_ms);
        let next = steps(&self.stack, &self.places, &view, entry, lease.is_some(), &receipt);
        Story {
            bucket: entry.file.bucket.clone(),
            version: entry.file.version.clone(),
            order: entry.order.clone(),
            load: entry.load.to_string(),
            sha256: text(|outcome| &outcome.sha256),
            contract_hash: text(|outcome| &outcome.contract_hash),
            fence: entry.fence,
            deaths: entry.deaths,
            lease_until: lease.map(instant),
            rows_written: entry.rows_written,
            announced: entry.announced,
            receipt: text(|outcome| &outcome.receipt).map(|key| self.places.kept(&key)),
            rejects_at: outcome.and_then(rejects_key).map(|key| self.places.kept(&key)),
            replaced: outcome.and_then(|outcome| Some(outcome.replaced.as_ref()?.to_string())),
            fault_told: receipt.fault,
            warnings_told: receipt.warnings,
            original: receipt.original,
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
        let mut line = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            writeln!(text, "{name:<12}{}", plain(value)).ok();
        };
        line("file", &file.file);
        line("partner", if file.partner.is_empty() { "none named by the key" } else { &file.partner });
        line("feed", if file.feed.is_empty() { "none named by the key" } else { &file.feed });
        let landed = file.landed.as_deref().unwrap_or("not known");
        line("landed", &format!("{landed}, {}", file.ago(self.now_ms)));
        line("version", &format!("{} in s3://{}", self.version, self.bucket));
        line("order", &self.order);
        line("work", &self.work());
        if let Some(counts) = self.counts() {
            line("records", &counts);
        }
        if let Some(fault) = &self.fault_told {
            line("fault", &told(fault));
        }
        for warning in &self.warnings_told {
            line("warning", warning);
        }
        if let Some(bytes) = file.bytes {
            line("bytes", &format!("{bytes}, SHA-256 {}", self.sha256.as_deref().unwrap_or("not known")));
        }
        if let Some(version) = &file.contract_version {
            let hash = self.contract_hash.as_deref().unwrap_or("not known");
            line("contract", &format!("version {version}, SHA-256 {hash}"));
        }
        for (name, value) in self.links() {
            line(name, &value);
        }
        for version in &self.versions {
            let described =
                format!("{} {}, landed {}", version.file, version.verdict(), version.ago(self.now_ms));
            line("same name", &described);
        }
        text.push_str("\nwhat to do\n");
        for Step { what, command } in &self.next {
            writeln!(text, "  {}", style.mark(&plain(what), Mark::None)).ok();
            if let Some(command) = command {
                writeln!(text, "    {command}").ok();
            }
        }
        text
    }

    fn work(&self) -> String {
        let Self { fence, deaths, rows_written, .. } = self;
        let held =
            self.lease_until.as_ref().map_or_else(String::new, |until| format!(", held until {until}"));
        let told = if self.announced { ", outcome published" } else { "" };
        format!(
            "attempts {fence}, of which died since the last checkpoint {deaths}; rows confirmed written \
             {rows_written}{held}{told}"
        )
    }

    fn counts(&self) -> Option<String> {
        let FileView { records, rows, rejects, warnings, .. } = &self.file;
        let visible =
            if store::State::parse(self.file.state).is_some_and(was_visible) { " any more" } else { "" };
        Some(format!(
            "{} read: {} visible{visible}, {} refused; {} warnings",
            (*records)?,
            (*rows)?,
            (*rejects)?,
            (*warnings)?
        ))
    }

    fn links(&self) -> Vec<(&'static str, String)> {
        let file = &self.file;
        let other = match store::State::parse(file.state) {
            Some(store::State::Duplicate) => "repeats",
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

fn told(fault: &FaultRead) -> String {
    let line = fault.line.map(|line| format!(" on line {line}")).unwrap_or_default();
    let column = fault.column.map(|column| format!(" in column {column}")).unwrap_or_default();
    format!("{}{line}{column}: found {}, expected {}", fault.code, fault.found, fault.expected)
}
