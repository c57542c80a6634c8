//! What is published: the feeds, the versions of a feed's contract, and one of them.

use contract::{Contract, Published, Status};
use runtime::{InForce, format_second, in_force};
use serde::Serialize;
use store::{ContractObject, ContractText, VersionId};

use super::ContractStore;
use super::compiled::CompiledContract;
use super::document::{FoundContract, compile, counted_errors, first_error};
use crate::error::CommandError;
use crate::names;
use crate::reading::{StackView, plain, plain_lines};
use crate::report::{Fit, Mark, Style, marked_table};

/// Characters of an object version by which it can be named.
const SHORT: usize = 8;

/// A version of a contract that was read.
pub(super) struct ReadVersion {
    pub(super) object: ContractObject,
    /// Its text; `None`: too long, or not UTF-8.
    pub(super) text: Option<String>,
    /// It, or what is wrong with it.
    pub(super) compiled: Result<Contract, (String, String)>,
}

impl ReadVersion {
    pub(super) fn of(object: ContractObject) -> Self {
        let unread = |problem: &str| Err(("1 error".to_owned(), problem.to_owned()));
        let text = match &object.text {
            ContractText::Whole(bytes) => String::from_utf8(bytes.to_vec()).ok(),
            ContractText::TooLong(_) => None,
        };
        let compiled = match (&text, &object.text) {
            (Some(text), _) => contract::compile(text)
                .map(|(contract, _)| contract)
                .map_err(|findings| (counted_errors(&findings), first_error(&findings))),
            (None, ContractText::TooLong(_)) => unread("more than 1 MiB"),
            (None, ContractText::Whole(_)) => unread("not UTF-8"),
        };
        Self { object, text, compiled }
    }

    fn own_version(&self) -> Option<&str> {
        self.compiled.as_ref().ok().map(|contract| contract.identity.version.as_str())
    }
}

/// Returns how a version of a feed's contract is called in messages.
pub(super) fn name_of(feed: &str, version: &str) -> String {
    format!("{feed}@{}", short(version))
}

fn short(version: &str) -> String {
    version.chars().take(SHORT).collect()
}

/// Feeds and their versions in force.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractList {
    /// The feeds, by name.
    pub feeds: Vec<ListedContract>,
}

/// A feed and its version in force.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ListedContract {
    pub feed: String,
    /// The document's `version`; none of a feed that never had one without errors.
    pub version: Option<String>,
    pub object_version: Option<VersionId>,
    pub published: Option<String>,
    /// Whether files are accepted.
    pub status: &'static str,
    /// What is wrong with the newest version, when it has errors.
    pub problem: Option<String>,
}

/// Versions of a feed's contract, newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ContractHistory {
    pub feed: String,
    pub versions: Vec<HistoryVersion>,
}

/// A version in a history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct HistoryVersion {
    pub object_version: VersionId,
    pub published: String,
    /// The document's `version`; none of a document with errors.
    pub version: Option<String>,
    pub in_force: bool,
    /// What is wrong with it, when it has errors.
    pub problem: Option<String>,
}

/// A contract, as it was published.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct ShownContract {
    pub feed: String,
    pub object_version: VersionId,
    pub published: String,
    pub version: Option<String>,
    pub status: &'static str,
    /// The document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// What was compiled from it, where that was asked for.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub compiled: Option<CompiledContract>,
}

impl<S: ContractStore> StackView<S> {
    pub(super) async fn contract_list(&self) -> Result<ContractList, CommandError> {
        let published = self.store.published().await.map_err(CommandError::Read)?;
        let mut feeds = Vec::new();
        for contract in published.into_iter().filter(|contract| runtime::is_name(&contract.feed)) {
            let held = in_force(&self.store, &contract.feed).await.map_err(CommandError::Read)?;
            feeds.push(ListedContract::of(&contract.feed, held));
        }
        feeds.sort_by(|one, other| one.feed.cmp(&other.feed));
        Ok(ContractList { feeds })
    }

    pub(super) async fn contract_history(&self, feed: &str) -> Result<ContractHistory, CommandError> {
        let versions = self.contract_versions(feed).await?;
        let in_force = versions.iter().position(|version| version.compiled.is_ok());
        let of = |(place, version): (usize, &ReadVersion)| HistoryVersion {
            object_version: version.object.version.clone(),
            published: format_second(version.object.published_ms),
            version: version.own_version().map(|version| plain(version).into_owned()),
            in_force: in_force == Some(place),
            problem: version.compiled.as_ref().err().map(|(errors, first)| format!("{errors}: {first}")),
        };
        Ok(ContractHistory { feed: feed.to_owned(), versions: versions.iter().enumerate().map(of).collect() })
    }

    pub(super) async fn shown_contract(
        &self,
        word: &str,
        compiled: bool,
    ) -> Result<ShownContract, CommandError> {
        let (feed, version) = self.published_version(word).await?;
        let contract = version.compiled.as_ref();
        if compiled && let Err((errors, problem)) = &version.compiled {
            let name = name_of(&feed, &version.object.version);
            return Err(CommandError::ContractErrors {
                name,
                errors: errors.clone(),
                problem: problem.clone(),
            });
        }
        Ok(ShownContract {
            object_version: version.object.version.clone(),
            published: format_second(version.object.published_ms),
            version: version.own_version().map(|version| plain(version).into_owned()),
            status: contract.map_or("errors", |contract| status(contract.identity.status)),
            compiled: contract.ok().filter(|_| compiled).map(CompiledContract::of),
            document: version.text.filter(|_| !compiled),
            feed,
        })
    }

    /// Returns a published contract that has no errors.
    pub(super) async fn published_contract(&self, word: &str) -> Result<FoundContract, CommandError> {
        let (feed, version) = self.published_version(word).await?;
        let name = name_of(&feed, &version.object.version);
        match (version.text, version.compiled) {
            (Some(text), Ok(_)) => compile(name, &text, Published { feed: Some(&feed), inbox: None }),
            (_, Err((errors, problem))) => Err(CommandError::ContractErrors { name, errors, problem }),
            (None, Ok(_)) => Err(CommandError::NoContract { feed, hint: String::new() }),
        }
    }

    /// Returns the version that `<feed>` or `<feed>@<version>` names.
    async fn published_version(&self, word: &str) -> Result<(String, ReadVersion), CommandError> {
        let (feed, version) =
            word.split_once('@').map_or((word, None), |(feed, version)| (feed, Some(version)));
        let feed = names::feed(feed)?.to_owned();
        if let Some(version) = version {
            let found = self.version_named(&feed, version).await?;
            return Ok((feed, found));
        }
        let held = in_force(&self.store, &feed).await.map_err(CommandError::Read)?;
        match held.document {
            Some(document) => Ok((feed, ReadVersion::of(document))),
            None => Err(self.no_contract(&feed).await?),
        }
    }

    /// Returns the version with this id, whose id begins so, or whose document names itself so: the newest of them.
    pub(super) async fn version_named(&self, feed: &str, wanted: &str) -> Result<ReadVersion, CommandError> {
        let versions = self.contract_versions(feed).await?;
        let by_id = |version: &ReadVersion| {
            let id = &version.object.version;
            id == wanted || (wanted.chars().count() >= SHORT && id.starts_with(wanted))
        };
        let place = versions
            .iter()
            .position(by_id)
            .or_else(|| versions.iter().position(|version| version.own_version() == Some(wanted)));
        let missing =
            || CommandError::NoSuchVersion { feed: feed.to_owned(), version: plain(wanted).into_owned() };
        place.and_then(|place| versions.into_iter().nth(place)).ok_or_else(missing)
    }

    /// Reads the versions of a feed's contract, newest first.
    pub(super) async fn contract_versions(&self, feed: &str) -> Result<Vec<ReadVersion>, CommandError> {
        names::feed(feed)?;
        let ids = self.store.contract_versions(feed).await.map_err(CommandError::Read)?;
        let mut versions = Vec::new();
        for id in ids {
            let object = self.store.contract_version(feed, &id).await.map_err(CommandError::Read)?;
            versions.extend(object.map(ReadVersion::of));
        }
        if versions.is_empty() { Err(self.no_contract(feed).await?) } else { Ok(versions) }
    }

    async fn no_contract(&self, feed: &str) -> Result<CommandError, CommandError> {
        let known = self.store.feeds().await.map_err(CommandError::Read)?;
        let hint = names::hint(feed, known.iter().map(String::as_str));
        Ok(CommandError::NoContract { feed: feed.to_owned(), hint })
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Deprecated => "deprecated",
        Status::Inactive => "not active",
    }
}

impl ListedContract {
    fn of(feed: &str, held: InForce) -> Self {
        let broken = held.broken.as_ref();
        let problem = broken.map(|broken| {
            let place = broken.place.map(|(line, column)| format!("line {line}, column {column}: "));
            let number =
                if broken.errors == 1 { "1 error".to_owned() } else { format!("{} errors", broken.errors) };
            format!("newest version: {number}; {}{}", place.unwrap_or_default(), plain(&broken.problem))
        });
        let version = held.document.map(ReadVersion::of);
        let compiled = version.as_ref().and_then(|version| version.compiled.as_ref().ok());
        let object = version.as_ref().filter(|_| compiled.is_some()).map(|version| &version.object);
        Self {
            feed: feed.to_owned(),
            version: compiled.map(|contract| plain(&contract.identity.version).into_owned()),
            object_version: object.map(|object| object.version.clone()),
            published: object.map(|object| format_second(object.published_ms)),
            status: compiled.map_or("errors", |contract| status(contract.identity.status)),
            problem,
        }
    }
}

impl ContractList {
    pub(super) fn to_text(&self, style: Style) -> String {
        if self.feeds.is_empty() {
            return "no contract is published\n".to_owned();
        }
        let rows = self.feeds.iter().map(|feed| {
            let mark = match (&feed.problem, feed.status) {
                (Some(_), _) => Mark::Wrong,
                (None, "active") => Mark::None,
                (None, _) => Mark::Note,
            };
            let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let id = feed.object_version.as_deref().map_or_else(|| "-".to_owned(), short);
            let problem = feed.problem.clone().unwrap_or_default();
            (
                [
                    feed.feed.clone(),
                    cell(&feed.version),
                    id,
                    cell(&feed.published),
                    feed.status.to_owned(),
                    problem,
                ],
                mark,
            )
        });
        let heads = ["feed", "version", "object", "published", "status", "problem"];
        marked_table(heads, &rows.collect::<Vec<_>>(), Fit::wrap_last(&[0]), style)
    }
}

impl ContractHistory {
    pub(super) fn to_text(&self, style: Style) -> String {
        let rows = self.versions.iter().map(|version| {
            let note = match (&version.problem, version.in_force) {
                (Some(problem), _) => (problem.clone(), Mark::Wrong),
                (None, true) => ("in force".to_owned(), Mark::Good),
                (None, false) => (String::new(), Mark::None),
            };
            let own = version.version.clone().unwrap_or_else(|| "-".to_owned());
            ([version.object_version.clone(), version.published.clone(), own, note.0], note.1)
        });
        let heads = ["object version", "published", "version", "state"];
        marked_table(heads, &rows.collect::<Vec<_>>(), Fit::wrap_last(&[]), style)
    }
}

impl ShownContract {
    /// Renders the document; on a terminal without control characters.
    pub(super) fn to_text(&self, style: Style) -> String {
        let Some(compiled) = &self.compiled else {
            let document = self.document.clone().unwrap_or_default();
            return if style.width.is_some() { plain_lines(&document) } else { document };
        };
        let version = self.version.as_deref().unwrap_or("-");
        let head = format!(
            "{} version {version}, {}, object version {}, published {}\n\n",
            self.feed, self.status, self.object_version, self.published
        );
        head + &compiled.to_text(style)
    }
}
