//! The audit trail: what operators did, newest first.

use runtime::{DAY_MS, format_second};
use serde::Serialize;
use store::{ActDetail, ActEnd, ActRecord, ActResult, ActWord, Actor, AuditQuery, FileId, LoadId, UNKNOWN};

use super::moment::{short, since};
use super::plain::plain;
use super::{Readable, StackView};
use crate::arguments::AuditArguments;
use crate::error::CommandError;
use crate::names;
use crate::report::{Fit, Mark, Style, marked_table, paragraph};

/// Acts of the audit trail.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Acts {
    pub acts: Vec<ActView>,
    /// Acts that a newer version of this program noted, and this one cannot read.
    pub unread: u64,
    /// Whether older acts may match too.
    pub more: bool,
}

/// An act as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActView {
    pub act: String,
    pub at: String,
    pub by: Actor,
    pub verb: &'static str,
    pub partner: Option<ActWord>,
    pub feed: Option<ActWord>,
    pub file: Option<FileId>,
    pub contract_version: Option<ActWord>,
    pub reason: Option<String>,
    /// None: the command is still running, or was interrupted.
    pub result: Option<&'static str>,
    pub error: Option<ActWord>,
    pub ended: Option<String>,
    pub changes: Vec<ChangeView>,
}

/// One thing that an act changed.
#[derive(Serialize)]
pub struct ChangeView {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl<S: Readable> StackView<S> {
    pub(super) async fn acts(&self, arguments: &AuditArguments) -> Result<Acts, CommandError> {
        let query = self.audit_query(arguments).await?;
        let page = self.store.acts(&query).await.map_err(CommandError::TrailNotRead)?;
        let acts = page.acts.iter().map(ActView::new).collect();
        Ok(Acts { acts, unread: page.unread, more: !page.complete })
    }

    async fn audit_query(&self, arguments: &AuditArguments) -> Result<AuditQuery, CommandError> {
        let now_ms = self.host.now();
        let moment =
            |text: &str| since(text, now_ms).ok_or_else(|| CommandError::NotATime { found: text.to_owned() });
        let file = match &arguments.file {
            None => None,
            Some(word) => match FileId::parse(word).or_else(|| LoadId::parse(word).map(|load| load.file())) {
                Some(file) => Some(file),
                None => Some(self.entry_of(word).await?.0),
            },
        };
        let until_ms = arguments.until.as_deref().map(moment).transpose()?;
        let partner = arguments.partner.as_deref();
        // A clock that is ahead may have begun a new month.
        let until_ms = until_ms.unwrap_or_else(|| now_ms.saturating_add(DAY_MS));
        Ok(AuditQuery {
            from_ms: moment(&arguments.since)?,
            until_ms: until_ms.min(now_ms.saturating_add(DAY_MS)),
            verb: arguments.verb,
            by: arguments.by.clone().filter(|by| !by.is_empty()),
            partner: partner.map(named).transpose()?.map(str::to_owned),
            feed: arguments.feed.as_deref().map(names::feed).transpose()?.map(str::to_owned),
            file,
            limit: arguments.limit,
        })
    }
}

/// Reads a partner's name, or the one under which files without one are listed.
fn named(name: &str) -> Result<&str, CommandError> {
    if name == UNKNOWN { Ok(name) } else { names::partner(name) }
}

impl ActView {
    fn new(record: &ActRecord) -> Self {
        let ActRecord { act, end } = record;
        let subject = act.subject.clone();
        let changes = end.iter().flat_map(|end| end.details.iter().map(ChangeView::new));
        Self {
            act: act.id.as_str().to_owned(),
            at: format_second(act.at_ms),
            by: act.by.clone(),
            verb: act.verb.as_str(),
            partner: subject.partner,
            feed: subject.feed,
            file: subject.file,
            contract_version: subject.contract_version,
            reason: act.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            result: end.as_ref().map(|end| end.result.as_str()),
            error: end.as_ref().and_then(|end| end.error.clone()),
            ended: end.as_ref().map(|end: &ActEnd| format_second(end.at_ms)),
            changes: changes.collect(),
        }
    }

    /// Returns what the act is about: the file, else feed and partner.
    fn subject(&self) -> String {
        let word = |word: &Option<ActWord>| word.as_ref().map(|word| word.as_str().to_owned());
        match (&self.file, word(&self.partner), word(&self.feed)) {
            (Some(file), _, _) => file.to_string(),
            (None, Some(partner), Some(feed)) => format!("{partner}/{feed}"),
            (None, Some(one), None) | (None, None, Some(one)) => one,
            (None, None, None) => "the stack".to_owned(),
        }
    }

    fn result(&self) -> &'static str {
        self.result.unwrap_or("no end noted")
    }

    fn mark(&self) -> Mark {
        match self.result {
            None => Mark::Note,
            Some(result) if result == ActResult::Failed.as_str() => Mark::Wrong,
            Some(_) => Mark::None,
        }
    }

    /// Returns the error, the changes and the reason, in one line.
    fn story(&self) -> String {
        let error = self.error.as_ref().map(|error| error.as_str().to_owned());
        let changes = self.changes.iter().map(ChangeView::to_text);
        let reason = self.reason.as_ref().map(|reason| format!("reason: {}", plain(reason)));
        error.into_iter().chain(changes).chain(reason).collect::<Vec<_>>().join("; ")
    }
}

impl ChangeView {
    fn new(detail: &ActDetail) -> Self {
        Self {
            name: detail.name.as_str(),
            before: detail.before.as_ref().map(ToString::to_string),
            after: detail.after.as_ref().map(ToString::to_string),
        }
    }

    fn to_text(&self) -> String {
        let Self { name, before, after } = self;
        match (before, after) {
            (Some(before), Some(after)) => format!("{name} {before} → {after}"),
            (Some(before), None) if before == "set" => format!("{name} removed"),
            (Some(before), None) => format!("{name} {before} removed"),
            (None, Some(after)) => format!("{name} {after}"),
            (None, None) => (*name).to_owned(),
        }
    }
}

impl Acts {
    pub(super) fn to_text(&self, style: Style) -> String {
        let mut text = if self.acts.is_empty() {
            paragraph("", "no matching act; --since shows older ones", style)
        } else if style.width.is_some() {
            self.on_a_terminal(style)
        } else {
            self.off_a_terminal(style)
        };
        if self.more {
            let more = "older acts may match too: raise --limit, or choose with --until, --verb or --partner";
            text.push('\n');
            text.push_str(&paragraph("", more, style));
        }
        if self.unread > 0 {
            let unread = format!("{} acts of a newer version are left out: update scalper", self.unread);
            text.push('\n');
            text.push_str(&paragraph("", &unread, style));
        }
        text
    }

    /// Returns a line for each act, and below it what was changed and why.
    fn on_a_terminal(&self, style: Style) -> String {
        let heads = ["when (UTC)", "command", "on", "result", "by"];
        let rows = self.acts.iter().map(|act| {
            let by = plain(&act.by.short()).into_owned();
            let cells = [short(&act.at), act.verb.to_owned(), act.subject(), act.result().to_owned(), by];
            (cells, act.mark())
        });
        let table = marked_table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[4]), style);
        let mut lines = table.lines();
        let mut text = lines.next().map(|heads| format!("{heads}\n")).unwrap_or_default();
        for (line, act) in lines.zip(&self.acts) {
            text.push_str(line);
            text.push('\n');
            let story = act.story();
            if !story.is_empty() {
                text.push_str(&paragraph("    ", &story, style));
            }
        }
        text
    }

    fn off_a_terminal(&self, style: Style) -> String {
        let heads = ["when", "command", "on", "result", "by", "changes and reason"];
        let rows = self.acts.iter().map(|act| {
            let by = act.by.to_string();
            let cells = [
                act.at.clone(),
                act.verb.to_owned(),
                act.subject(),
                act.result().to_owned(),
                by,
                act.story(),
            ];
            (cells, Mark::None)
        });
        marked_table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[]), style)
    }
}
