//! `contract push` and `contract rollback`: a version is checked, compared, tried on stored files, and published over
//! the version that it was compared with.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use contract::{Contract, Published};
use runtime::{Terms, in_force};
use serde::Serialize;
use store::{
    ActDetail, ActReason, ActSubject, CallerIdentity, Condition, ContractObject, ContractPut, ContractText,
    DetailName, DetailValue, Error, Verb, VersionId, WriteAudit,
};

use super::changes::ChangesReport;
use super::document::{Documents, FoundContract, compile, feed_of, shown_name};
use super::lint::LintedFile;
use super::rescue::RescuedFiles;
use super::versions::{ReadVersion, name_of};
use super::{ContractStore, PreviewProgress};
use crate::arguments::{PublishArguments, PushArguments, RollbackArguments};
use crate::audited::{Audited, Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::names::{self, Stack};
use crate::preview::{
    Before, EarlierContracts, FilePreview, PreviewCase, PreviewTotals, changed_files, preview,
};
use crate::reading::{StackView, plain};
use crate::replay::ReplayReport;
use crate::report::{Style, paragraph};

/// How long functions may use a version that they know, in words.
const DELAY: &str = "within 60 seconds";

/// A version that could be published, and what it changes. Nothing was written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct PublishPlan {
    pub feed: String,
    /// Errors and warnings of the document. With errors the rest is not there.
    pub lint: LintedFile,
    /// Whether the text is that of the newest version, so that nothing is to be published.
    pub unchanged: bool,
    /// What changes; none for the first contract of a feed.
    pub changes: Option<ChangesReport>,
    pub preview: Option<PreviewReport>,
    /// When it takes effect.
    pub in_force: &'static str,
    pub dry_run: bool,
    pub reason: Option<String>,
    #[serde(skip)]
    bytes: Bytes,
    #[serde(skip)]
    condition: Condition,
    /// The newest version, when it has the text already.
    #[serde(skip)]
    published: Option<VersionId>,
}

/// What a version makes of stored files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct PreviewReport {
    pub totals: PreviewTotals,
    /// Whether it tried as many files as it may: older ones of the feed were not tried.
    pub limited: bool,
    /// Files of which a replay would make more rows.
    pub rescues: RescuedFiles,
    pub files: Vec<FilePreview>,
}

/// A version that was published.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are those of the JSON document, named as they read")]
pub struct PublishReport {
    pub feed: String,
    pub object_version: VersionId,
    pub in_force: &'static str,
    pub reason: Option<String>,
    /// Files of which a replay would make more rows.
    #[serde(skip)]
    pub rescues: RescuedFiles,
}

/// How a command ends that published a version.
pub struct PushEnd {
    /// One JSON document, on lines.
    pub json: String,
    /// The exit code, or why the replay failed.
    pub code: Result<u8, CommandError>,
}

/// What is published now.
struct Newest {
    /// The newest version, whether it has errors or not.
    object: Option<ContractObject>,
    /// The version in force.
    in_force: Option<(ContractObject, Arc<Contract>)>,
}

impl<S: ContractStore> StackView<S> {
    pub(super) async fn plan_push(
        &self,
        arguments: &PushArguments,
        documents: &Documents,
        input: &mut impl Read,
        progress: &mut dyn PreviewProgress,
    ) -> Result<PublishPlan, CommandError> {
        let PushArguments { file, feed, publish } = arguments;
        let text = documents.text(file, input)?;
        let feed = match feed.as_deref().or_else(|| feed_of(file)) {
            Some(feed) => names::feed(feed)?.to_owned(),
            None => return Err(CommandError::NoFeedName { path: shown_name(file) }),
        };
        self.plan(&feed, &shown_name(file), text, publish, progress).await
    }

    pub(super) async fn plan_rollback(
        &self,
        arguments: &RollbackArguments,
        progress: &mut dyn PreviewProgress,
    ) -> Result<PublishPlan, CommandError> {
        let RollbackArguments { feed, to, publish } = arguments;
        let target = match to {
            Some(version) => self.version_named(feed, version).await?,
            None => before_in_force(feed, self.contract_versions(feed).await?)?,
        };
        let name = name_of(feed, &target.object.version);
        let unread =
            || CommandError::ContractUnread { path: name.clone(), kind: "not a document".to_owned() };
        let text = target.text.ok_or_else(unread)?;
        self.plan(feed, &name, text, publish, progress).await
    }

    async fn plan(
        &self,
        feed: &str,
        name: &str,
        text: String,
        publish: &PublishArguments,
        progress: &mut dyn PreviewProgress,
    ) -> Result<PublishPlan, CommandError> {
        let lint = LintedFile::of(name, Some(feed), text.clone());
        let newest = self.published_now(feed).await?;
        let condition = match &newest.object {
            Some(object) => Condition::Replaces(object.etag.clone()),
            None => Condition::Absent,
        };
        let bytes = Bytes::from(text.clone());
        let same = |object: &ContractObject| object.text == ContractText::Whole(bytes.clone());
        let published = newest.object.as_ref().filter(|object| same(object));
        let published = published.map(|object| object.version.clone());
        let unchanged = published.is_some();
        let mut plan = PublishPlan {
            feed: feed.to_owned(),
            unchanged,
            changes: None,
            preview: None,
            in_force: if newest.in_force.is_some() { DELAY } else { "at once" },
            dry_run: publish.dry_run,
            reason: publish.why.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            lint,
            bytes,
            condition,
            published,
        };
        if plan.has_errors() || unchanged && !publish.replay {
            return Ok(plan);
        }
        let published = Published { feed: Some(feed), inbox: Some(&self.places.inbox) };
        let contract = compile(name.to_owned(), &text, published)?;
        // Of a text that is published already only the replay may be missing.
        let earlier = newest.in_force.as_ref().filter(|_| !unchanged);
        plan.changes = earlier.map(|(object, earlier)| {
            let name = name_of(feed, &object.version);
            ChangesReport::of(&FoundContract { name, contract: Arc::clone(earlier) }, &contract)
        });
        if publish.files == 0 {
            return Ok(plan);
        }
        let earlier = earlier.map(|(_, earlier)| earlier);
        plan.preview =
            Some(self.preview_recent(feed, &contract.contract, earlier, publish.files, progress).await?);
        Ok(plan)
    }

    /// Tries a contract on the newest stored files of a feed. They are compared with what they are under the contract
    /// in force, or without one with what the ledger says.
    async fn preview_recent(
        &self,
        feed: &str,
        contract: &Arc<Contract>,
        earlier: Option<&Arc<Contract>>,
        most: u16,
        progress: &mut dyn PreviewProgress,
    ) -> Result<PreviewReport, CommandError> {
        let entries = self.recent_entries(feed, usize::from(most)).await?;
        progress.begin(entries.len());
        let (mut files, mut rescues) = (Vec::new(), RescuedFiles::default());
        let mut decided_by = EarlierContracts::default();
        let hash = hex::encode(contract.identity.hash);
        for entry in &entries {
            let known = match earlier {
                Some(_) => None,
                None => decided_by.of(&self.store, entry).await.map_err(CommandError::Read)?,
            };
            let before = earlier.map_or(Before::Ledger(known.as_ref()), Before::Contract);
            let case = PreviewCase { entry, contract, before };
            let read = &mut |bytes| progress.read(bytes);
            let file = preview(&self.store, &case, read).await.map_err(CommandError::Read)?;
            // What the contract decided before is as a replay would make it.
            if !entry.is_decided_by(&hash) {
                rescues.add(entry, &file);
            }
            files.push(file);
            progress.end_file();
        }
        let limited = most > 0 && entries.len() >= usize::from(most);
        Ok(PreviewReport { totals: PreviewTotals::of(&files), limited, rescues, files })
    }

    async fn published_now(&self, feed: &str) -> Result<Newest, CommandError> {
        let held = in_force(&self.store, feed).await.map_err(CommandError::Read)?;
        let contract = match held.terms {
            Terms::Active(contract) => Some(contract),
            Terms::Quarantine(reason) => reason.contract,
        };
        let object = match held.broken {
            Some(_) => self.store.contract(feed).await.map_err(CommandError::Read)?,
            None => held.document.clone(),
        };
        Ok(Newest { object, in_force: held.document.zip(contract) })
    }

    /// Publishes a planned version between two notes in the audit trail: see [`StackView::publish`].
    pub async fn publish_noted<T: WriteAudit + CallerIdentity>(
        &self,
        plan: &PublishPlan,
        verb: Verb,
        auditor: &Auditor<T>,
    ) -> Result<PublishReport, CommandError> {
        let reason = plan.reason.as_deref().and_then(|reason| ActReason::parse(reason).ok());
        let planned = PlannedAct { verb, subject: ActSubject::feed(&plan.feed), reason };
        let publishing = async {
            let report = self.publish(plan).await?;
            let version = DetailValue::word(&report.object_version);
            Ok(Effect::new(report, [ActDetail::new(DetailName::ContractVersion, version)]))
        };
        auditor.audited(planned, publishing).await?.finished()
    }

    /// Publishes a planned version, if the newest one is still the one that it was compared with.
    ///
    /// # Errors
    ///
    /// [`CommandError::ContractContested`] when it is not; [`CommandError::NotPublished`] when S3 does not take it.
    pub async fn publish(&self, plan: &PublishPlan) -> Result<PublishReport, CommandError> {
        let put = self.store.put_contract(&plan.feed, plan.bytes.clone(), &plan.condition).await;
        let object_version = match put {
            Ok(ContractPut::Written(version)) => version,
            Ok(ContractPut::Conflict) => {
                return Err(CommandError::ContractContested { feed: plan.feed.clone() });
            }
            Err(error) => return self.published_all_the_same(plan, error).await,
        };
        Ok(PublishReport::of(plan, object_version))
    }

    /// Returns whether a call whose answer was lost had its effect: then the newest version has the plan's text.
    async fn published_all_the_same(
        &self,
        plan: &PublishPlan,
        error: Error,
    ) -> Result<PublishReport, CommandError> {
        match self.store.contract(&plan.feed).await {
            Ok(Some(newest)) if newest.text == ContractText::Whole(plan.bytes.clone()) => {
                Ok(PublishReport::of(plan, newest.version))
            }
            _ => Err(CommandError::NotPublished(error)),
        }
    }
}

/// Returns the version before the one in force: the newest older one without errors and with another text.
fn before_in_force(feed: &str, versions: Vec<ReadVersion>) -> Result<ReadVersion, CommandError> {
    let mut good = versions.into_iter().filter(|version| version.compiled.is_ok());
    let none = || CommandError::NoOlderVersion { feed: feed.to_owned() };
    let in_force = good.next().ok_or_else(none)?;
    good.find(|version| version.object.text != in_force.object.text).ok_or_else(none)
}

impl PublishPlan {
    /// Returns whether the document has errors.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.lint.errors > 0
    }

    /// Returns whether there is something to publish.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.has_errors() && !self.unchanged && !self.dry_run
    }

    /// Returns what was published before with this text, when files that it rescues are left: an earlier command ended
    /// before it had replayed them.
    #[must_use]
    pub fn left_to_replay(&self) -> Option<PublishReport> {
        let report = PublishReport::of(self, self.published.clone()?);
        (!self.has_errors() && !self.dry_run && !report.rescues.is_empty()).then_some(report)
    }

    /// Returns the question to answer before it is published.
    #[must_use]
    pub fn question(&self) -> String {
        format!("publish it as the newest version of `{}`? [y/N] ", self.feed)
    }

    /// Returns what to do about older files, where there can be some that were not tried.
    fn limit(&self, style: Style) -> String {
        let Some(PreviewReport { totals, .. }) = self.preview.as_ref().filter(|preview| preview.limited)
        else {
            return String::new();
        };
        let tried = match totals.files {
            1 => "only the newest file of the feed was tried".to_owned(),
            files => format!("only the newest {files} files of the feed were tried"),
        };
        let line = format!("{tried}; `scalper replay --feed {}` tries all that are open", self.feed);
        paragraph("", &line, style)
    }

    pub(super) fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        if !self.lint.findings.is_empty() {
            text += &self.lint.to_text();
        }
        if self.has_errors() {
            return text + &paragraph("", "nothing was published: correct the errors first", style);
        }
        if self.unchanged {
            let same = format!("the newest version of `{}` has this text: nothing to publish", self.feed);
            return text + &paragraph("", &same, style) + &self.limit(style);
        }
        match &self.changes {
            Some(changes) => text += &changes.to_text(style),
            None => text += &paragraph("", &format!("the first contract of `{}`", self.feed), style),
        }
        if let Some(PreviewReport { totals, files, .. }) = &self.preview {
            text.push('\n');
            text += &if totals.files == 0 {
                paragraph("", "no stored file of the feed to try it on", style)
            } else {
                paragraph("", &totals.acceptance(), style)
            };
            text += &changed_files(files, style);
            text += &self.limit(style);
        }
        if self.dry_run {
            text += &paragraph("", "nothing was published (--dry-run)", style);
        }
        text
    }
}

impl PublishReport {
    fn of(plan: &PublishPlan, object_version: VersionId) -> Self {
        let PublishPlan { feed, in_force, reason, preview, .. } = plan;
        let rescues = preview.as_ref().map(|preview| preview.rescues.clone()).unwrap_or_default();
        Self { feed: feed.clone(), object_version, in_force, reason: reason.clone(), rescues }
    }

    /// Returns one JSON document, on lines: the plan, what was published now, how to replay what it rescues, and the
    /// replay, when there was one.
    #[must_use]
    pub fn to_json(&self, plan: &PublishPlan, stack: &Stack, replay: Option<&ReplayReport>) -> String {
        let commands = self.replay_commands(stack);
        let published = (!plan.unchanged).then_some(self);
        super::pretty(&serde_json::json!({
            "plan": plan, "published": published, "replayCommands": commands, "replay": replay,
        }))
    }

    /// Ends the command, whatever came of the replay: what was published is shown also where it failed.
    #[must_use]
    pub fn end(
        &self,
        plan: &PublishPlan,
        stack: &Stack,
        replayed: Result<Option<Audited<ReplayReport>>, CommandError>,
    ) -> PushEnd {
        let report = replayed.as_ref().ok().and_then(Option::as_ref).map(|replayed| &replayed.report);
        let json = self.to_json(plan, stack, report);
        let ended = replayed.and_then(|replayed| replayed.map(Audited::finished).transpose());
        PushEnd { json, code: ended.map(|ended| ended.map_or(0, |replayed| replayed.exit_code())) }
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let Self { feed, object_version, in_force, .. } = self;
        let text =
            format!("published as version {} of `{feed}`; it is in force {in_force}", plain(object_version));
        paragraph("", &text, style)
    }
}
