//! A partner's files, newest first.

use serde::Serialize;
use store::State;
use store::door::FileQuery;
use store::operator::Survey;

use super::moment::{of_order, since};
use super::view::{FileView, count};
use super::{Desk, Readable, find};
use crate::arguments::FilesArguments;
use crate::failure::Failure;
use crate::names;
use crate::report::{Mark, Style, marked_table};

/// Pages that are looked through when a filter leaves most files out: the newest 2,000 files and more.
const MOST_PAGES: usize = 20;

/// Files of a partner.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct Files {
    pub partner: String,
    pub files: Vec<FileView>,
    /// Whether older files may match too.
    pub more: bool,
    #[serde(skip)]
    now_ms: u64,
}

impl<S: Readable, V: Survey> Desk<S, V> {
    pub(super) async fn files(&self, arguments: &FilesArguments) -> Result<Files, Failure> {
        let now_ms = self.host.now();
        let query = query(arguments, now_ms)?;
        let partner = self.one_partner(arguments.partner.as_deref()).await?;
        let query = FileQuery { partner: partner.clone(), ..query };
        let limit = usize::from(arguments.limit);
        let mut files = Vec::new();
        let rest = self
            .pages(query, MOST_PAGES, |listed| {
                let fits = files.len() < limit;
                if fits {
                    files.push(FileView::of_listed(&partner, &listed));
                }
                fits
            })
            .await?;
        if files.is_empty() {
            self.must_be_known(&partner).await?;
        }
        Ok(Files { partner, files, more: rest.is_some(), now_ms })
    }
}

fn query(arguments: &FilesArguments, now_ms: u64) -> Result<FileQuery, Failure> {
    let feed = arguments.feed.as_deref().map(names::feed).transpose()?.map(str::to_owned);
    let state = arguments.state.as_deref().map(|word| {
        let known = State::parse(&word.to_ascii_uppercase());
        known.ok_or_else(|| Failure::not_a_state(word))
    });
    let from = arguments.since.as_deref().map(|text| {
        let from = since(text, now_ms).ok_or_else(|| Failure::NotATime { found: text.to_owned() });
        from.map(of_order)
    });
    Ok(FileQuery {
        feed,
        state: state.transpose()?,
        from: from.transpose()?,
        limit: arguments.limit.min(find::PAGE),
        ..FileQuery::default()
    })
}

impl Files {
    pub(super) fn to_text(&self, style: Style) -> String {
        let Self { partner, files, .. } = self;
        if files.is_empty() {
            let looked = if self.more { " among the newest: --since looks at fewer" } else { "" };
            return format!("{partner} has no such file{looked}\n");
        }
        let heads = ["file", "feed", "name", "state", "landed", "rows", "rejects"];
        let rows = files.iter().map(|file| {
            let row = [
                file.file.clone(),
                file.feed.clone(),
                file.name(),
                file.verdict(),
                file.ago(self.now_ms),
                count(file.rows),
                count(file.rejects),
            ];
            (row, mark(file))
        });
        let table = marked_table(heads, &rows.collect::<Vec<_>>(), style);
        let more = if self.more {
            "\nthere may be older ones: --limit, --since, --state and --feed choose\n"
        } else {
            ""
        };
        format!("{table}{more}")
    }
}

/// How a file's line is marked.
pub(super) fn mark(file: &FileView) -> Mark {
    match State::parse(file.state) {
        Some(State::Quarantined) => Mark::Wrong,
        Some(State::Complete) if file.rejects.unwrap_or_default() > 0 => Mark::Note,
        _ => Mark::None,
    }
}
