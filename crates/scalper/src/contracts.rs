//! The life of a contract: documents are checked, compared, tried on stored files, published, and rolled back.
//!
//! `lint`, and `diff` of two files, need no stack. Everything that is read here is text of contracts; of files, rules
//! and counts only. A version is published under the condition that the newest one is still the one that was compared,
//! and nothing is ever deleted.

mod changes;
mod compiled;
mod document;
mod lint;
mod publish;
mod rescue;
mod versions;

use std::io::Read;

use serde::Serialize;
use store::{ReadContracts, ReadInbox, WriteContracts};

use crate::arguments::ContractCommand;
use crate::error::CommandError;
use crate::reading::{Readable, StackView};
use crate::report::Style;

pub use changes::ChangesReport;
pub use compiled::{CompiledContract, ShownColumn, ShownRule};
pub use document::{Documents, FoundContract, is_local};
pub use lint::LintReport;
pub use publish::{PreviewReport, PublishPlan, PublishReport, PushEnd};
pub use rescue::RescuedFiles;
pub use versions::{ContractHistory, ContractList, HistoryVersion, ListedContract, ShownContract};

/// What the commands on contracts need of a store.
pub trait ContractStore: Readable + ReadContracts + ReadInbox + WriteContracts {}

impl<T> ContractStore for T where T: Readable + ReadContracts + ReadInbox + WriteContracts {}

/// An answer.
pub enum ContractAnswer {
    /// What is wrong with documents.
    Lint(LintReport),
    /// What changes.
    Changes(ChangesReport),
    /// Feeds.
    List(ContractList),
    /// A contract.
    Shown(Box<ShownContract>),
    /// Versions.
    History(ContractHistory),
    /// A version that could be published.
    Plan(Box<PublishPlan>),
}

/// Carries out a command that needs no stack; `None` for one that needs it.
///
/// # Errors
///
/// What cannot be read, or not be compared.
pub fn run_offline(
    command: &ContractCommand,
    documents: &Documents,
    input: &mut impl Read,
) -> Result<Option<ContractAnswer>, CommandError> {
    match command {
        ContractCommand::Lint { files } => {
            Ok(Some(ContractAnswer::Lint(LintReport::of(files, documents, input))))
        }
        ContractCommand::Diff { older, newer } if is_local(older) && is_local(newer) => {
            let (older, newer) = (documents.compiled(older, input)?, documents.compiled(newer, input)?);
            Ok(Some(ContractAnswer::Changes(ChangesReport::of(&older, &newer))))
        }
        _ => Ok(None),
    }
}

impl<S: ContractStore> StackView<S> {
    /// Carries out a command on the contracts of the stack. `progress` is told the files of a preview and what is read
    /// of them.
    ///
    /// # Errors
    ///
    /// What the stack answers, and what there is not.
    pub async fn contract_command(
        &self,
        command: &ContractCommand,
        documents: &Documents,
        input: &mut impl Read,
        progress: &mut dyn PreviewProgress,
    ) -> Result<ContractAnswer, CommandError> {
        match command {
            ContractCommand::Lint { files } => {
                Ok(ContractAnswer::Lint(LintReport::of(files, documents, input)))
            }
            ContractCommand::Diff { older, newer } => {
                let older = self.contract_of(older, documents, input).await?;
                let newer = self.contract_of(newer, documents, input).await?;
                Ok(ContractAnswer::Changes(ChangesReport::of(&older, &newer)))
            }
            ContractCommand::List => self.contract_list().await.map(ContractAnswer::List),
            ContractCommand::Show { contract, compiled } => {
                let shown = self.shown_contract(contract, *compiled).await?;
                Ok(ContractAnswer::Shown(Box::new(shown)))
            }
            ContractCommand::History { feed } => {
                self.contract_history(feed).await.map(ContractAnswer::History)
            }
            ContractCommand::Push(arguments) => {
                let plan = self.plan_push(arguments, documents, input, progress).await?;
                Ok(ContractAnswer::Plan(Box::new(plan)))
            }
            ContractCommand::Rollback(arguments) => {
                let plan = self.plan_rollback(arguments, progress).await?;
                Ok(ContractAnswer::Plan(Box::new(plan)))
            }
        }
    }

    /// Returns the contract that a word names: a local file, a feed, or a version of one.
    async fn contract_of(
        &self,
        word: &str,
        documents: &Documents,
        input: &mut impl Read,
    ) -> Result<FoundContract, CommandError> {
        if is_local(word) { documents.compiled(word, input) } else { self.published_contract(word).await }
    }
}

/// Is told how a preview goes.
pub trait PreviewProgress {
    /// The preview begins with this number of files.
    fn begin(&mut self, files: usize);
    /// Bytes were read.
    fn read(&mut self, bytes: u64);
    /// A file is done.
    fn end_file(&mut self);
}

/// Nobody is told.
impl PreviewProgress for () {
    fn begin(&mut self, _: usize) {}
    fn read(&mut self, _: u64) {}
    fn end_file(&mut self) {}
}

impl ContractAnswer {
    /// Returns one JSON document, on lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Lint(report) => pretty(report),
            Self::Changes(report) => pretty(report),
            Self::List(list) => pretty(list),
            Self::Shown(shown) => pretty(shown),
            Self::History(history) => pretty(history),
            Self::Plan(plan) => pretty(plan),
        }
    }

    /// Renders text for a reader.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        match self {
            Self::Lint(report) => report.to_text(),
            Self::Changes(report) => report.to_text(style),
            Self::List(list) => list.to_text(style),
            Self::Shown(shown) => shown.to_text(style),
            Self::History(history) => history.to_text(style),
            Self::Plan(plan) => plan.to_text(style),
        }
    }

    /// Returns the exit code of the answer.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Lint(report) => report.exit_code(),
            Self::Changes(report) => u8::from(report.is_breaking()),
            Self::Plan(plan) => u8::from(plan.has_errors()),
            Self::List(_) | Self::Shown(_) | Self::History(_) => 0,
        }
    }
}

/// Writes a document as JSON. Texts and numbers in structures always have a form in it.
fn pretty(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
