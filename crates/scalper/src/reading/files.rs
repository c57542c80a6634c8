//! Files, newest first: of one partner, or of all with those whose key names none.

use runtime::format_instant;
use serde::Serialize;
use store::{FileQuery, State, UNKNOWN};

use super::moment::since;
use super::plain::plain;
use super::view::{FileView, of};
use super::{Readable, StackView, find};
use crate::arguments::FilesArguments;
use crate::error::CommandError;
use crate::names;
use crate::report::{Fit, Mark, Style, marked_table, paragraph};

/// Pages that are looked through when a filter leaves most files out: the newest 2,000 files and more.
const MOST_PAGES: usize = 20;

/// Files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Files {
    /// None: of all partners.
    pub partner: Option<String>,
    pub files: Vec<FileView>,
    /// Whether older files may match too.
    pub more: bool,
    #[serde(skip)]
    pub(super) now_ms: u64,
}

impl<S: Readable> StackView<S> {
    pub(super) async fn files(&self, arguments: &FilesArguments) -> Result<Files, CommandError> {
        let now_ms = self.host.now();
        let query = query(arguments, now_ms)?;
        let chosen = arguments.partner.as_deref();
        let known = self.chosen(chosen).await?;
        let mut names: Vec<String> = known.partners.into_keys().collect();
        if chosen.is_none() {
            names.push(UNKNOWN.to_owned());
        }
        let limit = usize::from(arguments.limit);
        let (mut files, mut more) = (Vec::new(), false);
        for partner in &names {
            let query = FileQuery { partner: partner.clone(), ..query.clone() };
            let mut of_partner = Vec::new();
            let rest = self.pages(query, MOST_PAGES, |listed| {
                let fits = of_partner.len() < limit;
                if fits {
                    of_partner.push(FileView::of_listed(&self.stack, partner, &listed));
                }
                fits
            });
            more |= rest.await?.is_some();
            files.append(&mut of_partner);
        }
        if files.is_empty() {
            if let Some(partner) = chosen {
                self.must_be_known(partner).await?;
            }
            // Where more than the feed was asked for, the feed may have other files.
            if let Some(feed) = &arguments.feed
                && query.state.is_none()
                && query.from.is_none()
                && !more
            {
                self.feed_must_be_known(feed).await?;
            }
        }
        files.sort_by(|one: &FileView, other: &FileView| {
            (other.landed_ms, &other.file).cmp(&(one.landed_ms, &one.file))
        });
        more |= files.len() > limit;
        files.truncate(limit);
        Ok(Files { partner: chosen.map(str::to_owned), files, more, now_ms })
    }
}

fn query(arguments: &FilesArguments, now_ms: u64) -> Result<FileQuery, CommandError> {
    let feed = arguments.feed.as_deref().map(names::feed).transpose()?.map(str::to_owned);
    let from = arguments.since.as_deref().map(|text| {
        let from = since(text, now_ms).ok_or_else(|| CommandError::NotATime { found: text.to_owned() });
        from.map(format_instant)
    });
    Ok(FileQuery {
        feed,
        state: arguments.state,
        from: from.transpose()?,
        limit: arguments.limit.min(find::PAGE),
        ..FileQuery::default()
    })
}

impl Files {
    pub(super) fn to_text(&self, style: Style) -> String {
        let Self { partner, files, .. } = self;
        if files.is_empty() {
            let whose = partner.as_deref().map(|partner| format!(" of {partner}")).unwrap_or_default();
            let where_looked =
                if self.more { " among the newest; search fewer files with --since or --feed" } else { "" };
            return paragraph("", &format!("no matching file{whose}{where_looked}"), style);
        }
        let heads = ["file", "key", "outcome", "age", "rows"];
        // Without what all of them have in common.
        let common = partner.as_ref().map(|partner| format!("{partner}/")).unwrap_or_default();
        let rows = files.iter().map(|file| {
            let key = plain(file.key.strip_prefix(&common).unwrap_or(&file.key)).into_owned();
            ([file.file.to_string(), key, file.outcome(), file.age(self.now_ms), of(file)], mark(file))
        });
        let table = marked_table(heads, &rows.collect::<Vec<_>>(), Fit::shorten(&[1]), style);
        let more = if self.more {
            let more = "older files may match too: raise --limit, or choose with --since, --state or --feed";
            format!("\n{}", paragraph("", more, style))
        } else {
            String::new()
        };
        format!("{table}{more}")
    }
}

/// Returns how a file's line is marked.
pub(super) fn mark(file: &FileView) -> Mark {
    match file.state {
        State::Quarantined => Mark::Wrong,
        State::Complete if file.rejects.unwrap_or_default() > 0 => Mark::Note,
        _ => Mark::None,
    }
}
