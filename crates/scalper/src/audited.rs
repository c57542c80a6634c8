//! Acts that are noted in the audit trail: every command that changes something runs through [`Auditor::audited`], or
//! through [`Auditor::begin`] and [`Auditor::end`] where many acts are under way at a time.
//!
//! The intent is written before the first effect, and the result after the last one. A command whose intent cannot be
//! written changes nothing, and one that is killed in between leaves an act without a result.

use runtime::Host;
use store::{
    Act, ActDetail, ActEnd, ActId, ActReason, ActRecord, ActResult, ActSubject, ActWord, Actor, Arn,
    CallerIdentity, Verb, WriteAudit,
};
use tokio::sync::OnceCell;

use crate::error::CommandError;

/// Notes acts in the name of the caller.
pub struct Auditor<T> {
    trail: T,
    host: Host,
    by: OnceCell<Arn>,
}

/// What is to be done.
pub struct PlannedAct {
    /// The command.
    pub verb: Verb,
    /// What it is about.
    pub subject: ActSubject,
    /// Why, when the operator says it.
    pub reason: Option<ActReason>,
}

/// An act whose beginning is noted, and whose end is not.
#[must_use]
pub struct BegunAct(Act);

/// How an act ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActEnding {
    result: ActResult,
    error: Option<ActWord>,
    details: Vec<ActDetail>,
}

/// What a command has done.
pub struct Effect<R> {
    /// Its answer.
    pub report: R,
    /// What it changed; nothing: all was as asked before.
    pub details: Vec<ActDetail>,
    /// Whether the operator ended it before all was done.
    pub interrupted: bool,
}

/// The answer of a command that was noted.
#[must_use]
pub struct Audited<R> {
    /// The answer. It is given also where its result could not be noted: it may hold a secret that is shown once.
    pub report: R,
    /// Whether the result was noted.
    pub noted: Result<(), CommandError>,
}

impl ActEnding {
    /// Makes the end of an act with what it changed; nothing: all was as asked before.
    #[must_use]
    pub fn of(details: Vec<ActDetail>) -> Self {
        let result = if details.is_empty() { ActResult::Nothing } else { ActResult::Done };
        Self { result, error: None, details }
    }

    /// Makes the end of an act that the operator ended, with what it had changed.
    #[must_use]
    pub fn interrupted(details: Vec<ActDetail>) -> Self {
        Self { result: ActResult::Interrupted, error: None, details }
    }

    /// Makes the end of an act that failed, with the name of the error.
    #[must_use]
    pub fn failed(error: &str) -> Self {
        Self { result: ActResult::Failed, error: ActWord::parse(error), details: Vec::new() }
    }
}

impl<R> Effect<R> {
    /// Makes the effect of a command with what it changed.
    pub fn new(report: R, details: impl IntoIterator<Item = ActDetail>) -> Self {
        Self { report, details: details.into_iter().collect(), interrupted: false }
    }

    /// Makes the effect of a command that the operator ended before all was done, with what it had changed.
    pub fn interrupted(report: R, details: impl IntoIterator<Item = ActDetail>) -> Self {
        Self { interrupted: true, ..Self::new(report, details) }
    }
}

impl<R> Audited<R> {
    /// Makes the answer of a command that changes nothing, and so is not noted.
    pub fn unchanged(report: R) -> Self {
        Self { report, noted: Ok(()) }
    }

    /// Returns the answer, or that its result was not noted.
    pub fn finished(self) -> Result<R, CommandError> {
        self.noted.map(|()| self.report)
    }
}

impl<T: WriteAudit + CallerIdentity> Auditor<T> {
    /// Makes one that writes to this trail.
    #[must_use]
    pub fn new(trail: T, host: Host) -> Self {
        Self { trail, host, by: OnceCell::new() }
    }

    /// Returns who acts. AWS is asked once.
    pub async fn caller(&self) -> Result<&Arn, CommandError> {
        self.by.get_or_try_init(|| self.trail.caller()).await.map_err(CommandError::NotIdentified)
    }

    /// Notes that an act begins. Where that fails, nothing of it may be done.
    pub async fn begin(&self, planned: PlannedAct) -> Result<BegunAct, CommandError> {
        let by = self.caller().await?.clone();
        let PlannedAct { verb, subject, reason } = planned;
        let id = ActId::of((self.host.random)());
        let act = Act { id, at_ms: self.host.now(), by: Actor::Aws(by), verb, subject, reason };
        let begun = ActRecord { act: act.clone(), end: None };
        self.trail.note(&begun).await.map_err(CommandError::NotTraced)?;
        Ok(BegunAct(act))
    }

    /// Notes how an act ended.
    pub async fn end(&self, begun: BegunAct, ending: ActEnding) -> Result<(), CommandError> {
        let ActEnding { result, error, details } = ending;
        let end = ActEnd { at_ms: self.host.now(), result, error, details };
        let noted = self.trail.note(&ActRecord { act: begun.0, end: Some(end) }).await;
        noted.map_err(CommandError::NotCompleted)
    }

    /// Carries out an act between two notes.
    pub async fn audited<R>(
        &self,
        planned: PlannedAct,
        effect: impl Future<Output = Result<Effect<R>, CommandError>>,
    ) -> Result<Audited<R>, CommandError> {
        let begun = self.begin(planned).await?;
        let outcome = Box::pin(effect).await;
        let ending = match &outcome {
            Ok(effect) if effect.interrupted => ActEnding::interrupted(effect.details.clone()),
            Ok(effect) => ActEnding::of(effect.details.clone()),
            Err(failure) => ActEnding::failed(&failure.name()),
        };
        let noted = self.end(begun, ending).await;
        // Why the act failed is what the operator has to know first.
        let Effect { report, .. } = outcome?;
        Ok(Audited { report, noted })
    }
}
