//! Replays: a file that was decided is processed again under the contract in force, by the same steps as at first.
//!
//! Until the new load is committed the old one stays visible, and the commit swaps the two in one write. A request
//! that was carried out before, or whose file has changed since, does nothing: so it may be delivered twice.

use ledger::{
    Decision, Entry, FaultCode, FileId, LoadId, Replay, ReplayClaim, ReplayClaimed, ReplayRequest,
    ReplayResult, Replayed, State, Worse,
};
use telemetry::Occurrence;

use crate::{
    Processor, ProcessorStore,
    attempt::FileAttempt,
    decide::Task,
    error::ProcessError,
    process::{ClaimedFile, Delivery, Named},
    settings::PARSER_EPOCH,
};

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct ReplayTerms {
    /// The state of the file before.
    from: State,
    /// SHA-256 of the contract document, lower-case hexadecimal.
    contract: String,
    /// What is done with a loaded file that would be quarantined.
    worse: Worse,
    /// The request's own name.
    request: String,
    /// The older file that the load before replaced.
    pub(crate) replaced: Option<FileId>,
}

impl ReplayTerms {
    fn new(request: &ReplayRequest, entry: &Entry) -> Self {
        let ReplayRequest { id, state, contract, worse, .. } = request;
        let replaced = entry.outcome.as_ref().and_then(|outcome| outcome.replaced.clone());
        Self { from: *state, contract: contract.clone(), worse: *worse, request: id.clone(), replaced }
    }

    /// Returns how a replay ends before the file is read: another contract is in force than the one that was asked for.
    pub(crate) fn ends_unread(&self, task: &Task) -> Option<Replayed> {
        let same = hash_of(task).is_some_and(|hash| hash == self.contract);
        (!same).then(|| self.ended(ReplayResult::ContractChanged, None))
    }

    /// Returns how a replay ends that leaves the file as it was; `None` for a decision that is written.
    ///
    /// A replay takes no rows away unless it was asked to: what is loaded stays so unless the new load takes its
    /// place. A quarantined file has nothing to lose. A version that is not in the inbox any more was not read, which
    /// says nothing of the load before.
    pub(crate) fn keeps(&self, decision: &Decision, fault: Option<FaultCode>) -> Option<Replayed> {
        let fault = fault.map(|code| code.as_str().to_owned());
        let is_written = match decision {
            Decision::Load(_) => true,
            Decision::Gone => return Some(self.ended(ReplayResult::Gone, None)),
            Decision::Quarantine if self.from == State::Complete => self.worse == Worse::Quarantine,
            Decision::Quarantine
            | Decision::Supersede { .. }
            | Decision::Duplicate { .. }
            | Decision::Ignore => self.from == State::Quarantined,
        };
        (!is_written).then(|| self.ended(ReplayResult::Kept, fault))
    }

    fn ended(&self, result: ReplayResult, fault: Option<String>) -> Replayed {
        Replayed { request: self.request.clone(), result, fault }
    }
}

fn hash_of(task: &Task) -> Option<String> {
    task.contract().map(|contract| hex::encode(contract.identity.hash))
}

impl<S: ProcessorStore> Processor<S> {
    /// Carries a request out. Returns only when it is decided and its outcome published, or when there is nothing to
    /// do.
    pub(crate) async fn replay(
        &self,
        request: &ReplayRequest,
        delivery: Delivery,
        attempt: &mut FileAttempt,
    ) -> Result<(), ProcessError> {
        if request.bucket != self.settings.inbox {
            return Err(ProcessError::Foreign);
        }
        let (started, usage) = (self.host.now(), self.store.usage());
        let named = Named::new(request.file());
        attempt.id = Some(named.id.clone());
        let Some(seen) = self.store.entry(&named.id).await? else {
            self.count(Occurrence::RedundantDelivery);
            return Ok(());
        };
        if !request.is_current(&seen) || !seen.state.can_be_replayed() {
            return self.was_done(seen).await;
        }
        let (named, task) = self.task_of_replay(named, request, started).await?;
        let generation = seen.generation.saturating_add(1);
        let hash = task.contract().map(|contract| contract.identity.hash).unwrap_or_default();
        let replay = Replay {
            load: LoadId::new(&named.id, &hash, PARSER_EPOCH, generation),
            generation,
            request: request.id.clone(),
            opens: request.state == State::Complete,
        };
        let claim = ReplayClaim {
            file: named.id.clone(),
            state: request.state,
            seen: request.load.clone(),
            replay,
            owner: self.host.nonce(),
            now_ms: self.host.now(),
            lease_until_ms: delivery.deadline_ms.saturating_add(self.settings.lease_margin_ms),
        };
        let claimed = match self.store.claim_replay(&claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                self.take_back(&named.id, &claim.owner).await;
                return Err(error.into());
            }
        };
        let entry = match claimed {
            ReplayClaimed::Mine(entry) => entry,
            ReplayClaimed::Held { until_ms } => return Err(ProcessError::Held { until_ms }),
            ReplayClaimed::Over(entry) => return self.was_done(entry).await,
            ReplayClaimed::Unknown => return Ok(()),
        };
        let terms = Some(ReplayTerms::new(request, &entry));
        let claimed = ClaimedFile { named, task, entry, terms, queue_age: None, started, usage };
        self.decide_claimed(claimed, delivery, attempt).await.map(drop)
    }

    /// Returns what is to be done, under the contract that was asked for: one that was published a moment ago may not
    /// be the one that is kept here.
    async fn task_of_replay(
        &self,
        named: Named,
        request: &ReplayRequest,
        now_ms: u64,
    ) -> Result<(Named, Task), ProcessError> {
        let (named, task) = self.task(named, now_ms).await?;
        if hash_of(&task).is_some_and(|hash| hash == request.contract) {
            return Ok((named, task));
        }
        self.read_contract_of(&named, now_ms).await?;
        self.task(named, now_ms).await
    }

    /// Ends a request that has nothing to do any more: its replay was decided before, and maybe not published.
    async fn was_done(&self, entry: Entry) -> Result<(), ProcessError> {
        self.count(Occurrence::RedundantDelivery);
        self.publish_all(entry).await.map(drop)
    }
}
