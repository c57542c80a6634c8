//! The protocol for one file version: claim, decide, settle, publish.

use std::{
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::Duration,
};

use checker::FaultCode;
use contract::Contract;
use ledger::{
    Claim, Claimed, DeadLoad, Entry, Fence, FileId, FileVersion, LoadId, NULL_VERSION, Order, State,
};
use runtime::notification::NotificationAuthor;
use runtime::{Key, QuarantineReason, Registration, Terms, UNKNOWN};
use store::{Opened, Usage};
use telemetry::{FileRecord, Label, Occurrence, ProcessingStep, Used};

use crate::{
    Processor, ProcessorStore,
    attempt::FileAttempt,
    decide::{Concluded, Task, conclude},
    error::ProcessError,
    event::Notice,
    open_files,
    outcome::announcement,
    replay::ReplayTerms,
    settings::{FIRST_GENERATION, PARSER_EPOCH},
    work::Work,
};

/// What is known of the delivery itself.
#[derive(Clone, Copy)]
pub(crate) struct Delivery {
    /// End of the invocation, milliseconds since the epoch.
    pub(crate) deadline_ms: u64,
    /// How often the message was received, this time included.
    pub(crate) receive_count: u32,
    /// Requests to the queue that brought it here and take it away.
    pub(crate) queue_requests: u64,
}

/// A file that is named and not yet claimed.
pub(crate) struct Named {
    pub(crate) file: FileVersion,
    pub(crate) id: FileId,
    partner: String,
    feed: String,
    /// Whether the partner is registered, so that its name may be shown.
    known: bool,
}

impl Named {
    /// Names a file version. Partner and feed are not looked at yet.
    pub(crate) fn new(file: FileVersion) -> Self {
        let (partner, feed) = (String::new(), String::new());
        Self { id: FileId::of(&file), file, partner, feed, known: false }
    }

    /// Returns whether an operator can hold its feed. The stack's own probe waits for nothing.
    fn can_wait(&self) -> bool {
        self.known && self.partner != runtime::HEARTBEAT
    }
}

/// A file that was claimed.
pub(crate) struct ClaimedFile {
    pub(crate) named: Named,
    pub(crate) task: Task,
    /// The entry after the claim.
    pub(crate) entry: Entry,
    /// What was asked for, when it is replayed.
    pub(crate) terms: Option<ReplayTerms>,
    /// From the event to the claim, milliseconds; `None` for a replay, for a file of a backfill, and for one that
    /// waited for the release of its feed.
    pub(crate) queue_age: Option<u64>,
    /// When the invocation began with it, milliseconds since the epoch.
    pub(crate) started: u64,
    /// What was used until then.
    pub(crate) usage: Usage,
}

impl<S: ProcessorStore> Processor<S> {
    /// Takes one file version to its terminal state. Returns only when it is terminal and its outcome is published, or
    /// when it waits because its feed is held. What is left to do afterwards is noted in `attempt`.
    pub(crate) async fn process(
        &self,
        notice: &Notice,
        delivery: Delivery,
        attempt: &mut FileAttempt,
    ) -> Result<State, ProcessError> {
        if notice.bucket != self.settings.inbox {
            return Err(ProcessError::Foreign);
        }
        let (started, usage) = (self.host.now(), self.store.usage());
        let file = self.version(notice).await?;
        let named = Named::new(file);
        attempt.id = Some(named.id.clone());
        let (mut named, mut task) = self.task(named, started).await?;
        if notice.author == Some(NotificationAuthor::Release) && named.can_wait() {
            // Its feed was held for the contract that is in force now, and not for the one that is kept here.
            self.read_contract_of(&named, started).await?;
            (named, task) = self.task(named, started).await?;
        }
        let order = self.order(notice, &named.file).await?;
        let claim = self.claim_of(&named, &task, &order, delivery);
        if named.can_wait()
            && let Some(state) = self.wait_if_held(&claim).await?
        {
            return Ok(state);
        }
        let claimed = match self.store.claim(&claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                self.take_back(&named.id, &claim.owner).await;
                return Err(error.into());
            }
        };
        let entry = match claimed {
            Claimed::Held { until_ms } => return Err(ProcessError::Held { until_ms }),
            Claimed::Terminal(entry) => {
                self.count(Occurrence::RedundantDelivery);
                return self.publish_all(entry).await;
            }
            Claimed::Mine(entry) => entry,
        };
        // Since the event, which a re-sent message repeats; the order of an old version may be that of a newer one.
        let since = notice.instant_ms.unwrap_or_else(|| entry.order.instant_ms());
        let in_queue = notice.author.is_none_or(NotificationAuthor::waited_in_queue);
        let queue_age = in_queue.then(|| started.saturating_sub(since));
        let claimed = ClaimedFile { named, task, entry, terms: None, queue_age, started, usage };
        self.decide_claimed(claimed, delivery, attempt).await
    }

    /// Takes a claimed file to its terminal state and publishes its outcome.
    pub(crate) async fn decide_claimed(
        &self,
        claimed: ClaimedFile,
        delivery: Delivery,
        attempt: &mut FileAttempt,
    ) -> Result<State, ProcessError> {
        let ClaimedFile { named, task, mut entry, terms, queue_age, started, usage } = claimed;
        let mut record = begin_record(&named, &entry, task.contract().map(Arc::as_ref), delivery);
        record.queue_age = queue_age;
        record.is_replay = terms.is_some();
        record.spend(ProcessingStep::Claim, self.host.now().saturating_sub(started));
        let work = self.work_on(named, &entry, terms, delivery, attempt);
        attempt.begin(work.fence.clone(), self.journal.begin(&work.fence));
        // Both readings and a parser live in this future: it is kept on the heap. A call that outlasts the invocation
        // is given up while there is time to release: a sandbox that is stopped by its timeout would count as a death.
        let deciding = tokio::time::timeout(
            self.time_for_work(delivery),
            Box::pin(conclude(&work, &entry, &task, &mut record)),
        );
        let concluded = deciding.await.unwrap_or(Err(ProcessError::OutOfTime));
        // Before any other call: what fails or takes too long from here on is a service's, not the file's.
        attempt.end();
        match concluded {
            Ok(Concluded::Decided(outcome)) => entry.decide(&outcome, self.host.now()),
            Ok(Concluded::Kept(ended)) => {
                tracing::info!(
                    file = work.id.as_str(),
                    result = ended.result.as_str(),
                    fault = ended.fault.as_deref().unwrap_or_default(),
                    "a replay left the file as it was"
                );
                return Ok(entry.state);
            }
            Err(stop) => {
                if stop.releases() {
                    self.release(&work.fence).await;
                }
                return Err(work.ended_by(stop));
            }
        }
        let known = record.duration();
        record.spend(ProcessingStep::Decide, self.host.now().saturating_sub(started).saturating_sub(known));
        record.state = Some(entry.state);
        record.used = self.used(entry.state, started, usage, delivery);
        record.log();
        (self.host.metric)(&record.metric(&self.settings.metrics, self.host.now()));
        self.publish_all(entry).await
    }

    /// Returns the version that a notice means. A notice without one means the newest: it is a hint, the bucket is
    /// the truth.
    async fn version(&self, notice: &Notice) -> Result<FileVersion, ProcessError> {
        let version = if let Some(version) = &notice.version {
            version.clone()
        } else {
            let versions = self.store.versions(&notice.bucket, &notice.key).await?;
            versions.into_iter().next().unwrap_or_else(|| NULL_VERSION.to_owned())
        };
        // A version id pins by itself; with an entity tag the same version would have two names.
        let etag = notice.etag.clone().filter(|_| version == NULL_VERSION);
        Ok(FileVersion { bucket: notice.bucket.clone(), key: notice.key.clone(), version, etag })
    }

    /// Returns what is to be done, by key and contract.
    pub(crate) async fn task(&self, named: Named, now_ms: u64) -> Result<(Named, Task), ProcessError> {
        let key = match Key::read(&named.file.key) {
            Key::Folder(inner) => match self.store.open(&named.file).await? {
                Opened::Body { length: 0, .. } => Key::Clutter,
                Opened::Body { .. } | Opened::Gone | Opened::Archived => *inner,
            },
            other => other,
        };
        match key {
            Key::File { partner, feed } => {
                let terms =
                    self.contracts.terms(&self.store, &feed, now_ms, self.settings.contract_ttl_ms).await?;
                let task = match terms {
                    Terms::Active(contract) => Task::Check(contract),
                    Terms::Quarantine(rejection) => Task::Quarantine(rejection),
                };
                let registration = self.registration(&partner, now_ms).await?;
                let task = if registration == Registration::Suspended { suspended(&task) } else { task };
                Ok((Named { partner, feed, known: registration.is_known(), ..named }, task))
            }
            Key::Clutter | Key::Folder(_) => Ok((named, Task::Ignore)),
            Key::Bad => {
                let expected = "<partner>/<feed>/<name>, with partner and feed of a-z, 0-9, _ and -";
                let rejection = QuarantineReason::new(
                    FaultCode::BadKey,
                    "a key that names no partner and feed",
                    expected,
                );
                Ok((named, Task::Quarantine(rejection)))
            }
        }
    }

    /// Reads the contract of the file's feed now, whatever is kept.
    pub(crate) async fn read_contract_of(&self, named: &Named, now_ms: u64) -> Result<(), ProcessError> {
        let ttl_ms = self.settings.contract_ttl_ms;
        self.contracts.read(&self.store, &named.feed, now_ms, ttl_ms).await.map(drop)?;
        Ok(())
    }

    /// Returns what the partners table says of a partner, kept for as long as a contract is.
    async fn registration(&self, partner: &str, now_ms: u64) -> Result<Registration, ProcessError> {
        let ttl_ms = self.settings.contract_ttl_ms;
        Ok(self.registrations.of(&self.store, partner, now_ms, ttl_ms).await?)
    }

    /// Returns the order to pin: the bucket's, whatever the event says. Only a version that is gone has the event's.
    async fn order(&self, notice: &Notice, file: &FileVersion) -> Result<Order, ProcessError> {
        let rank = self.store.rank(file).await?;
        Ok(rank.map_or_else(|| Order::of_event(notice.instant_ms.unwrap_or_default()), Order::new))
    }

    fn claim_of(&self, named: &Named, task: &Task, order: &Order, delivery: Delivery) -> Claim {
        let hash = task.contract().map(|contract| contract.identity.hash).unwrap_or_default();
        Claim {
            file: named.file.clone(),
            partner: named.partner.clone(),
            feed: named.feed.clone(),
            load: LoadId::new(&named.id, &hash, PARSER_EPOCH, FIRST_GENERATION),
            owner: self.host.nonce(),
            order: order.clone(),
            now_ms: self.host.now(),
            lease_until_ms: delivery.deadline_ms.saturating_add(self.settings.lease_margin_ms),
        }
    }

    fn work_on(
        &self,
        named: Named,
        entry: &Entry,
        terms: Option<ReplayTerms>,
        delivery: Delivery,
        attempt: &FileAttempt,
    ) -> Work<'_, S> {
        Work {
            store: &self.store,
            host: &self.host,
            settings: &self.settings,
            deadline_ms: delivery.deadline_ms,
            fence: Fence::of(entry),
            file: named.file,
            id: named.id,
            partner: named.partner,
            feed: named.feed,
            order: entry.order.clone(),
            load: entry.replay.as_ref().map_or(&entry.load, |replay| &replay.load).clone(),
            hides: terms.as_ref().and_then(|_| DeadLoad::of(entry, self.host.now())),
            replay: terms,
            rows_written: entry.rows_written,
            uploads: attempt.uploads.clone(),
            advanced: AtomicBool::new(false),
            corrects: OnceLock::new(),
        }
    }

    /// Returns what the file used since this moment, and will use to be published: the record is written before the
    /// announcement, so that no file is left uncounted.
    fn used(&self, state: State, started_ms: u64, before: Usage, delivery: Delivery) -> Used {
        let counted = self.store.usage().since(before);
        let published = u64::from(state != State::Ignored);
        let (settled_tenths, settled_lists) = open_files::usage(state);
        Used {
            memory_megabytes: self.settings.memory_megabytes,
            milliseconds: self.host.now().saturating_sub(started_ms),
            invocations: 1,
            write_tenths: counted.write_tenths.saturating_add(10 * published),
            read_tenths: counted.read_tenths.saturating_add(settled_tenths),
            object_writes: counted.object_writes.saturating_add(settled_lists),
            object_reads: counted.object_reads,
            queue_requests: counted.queue_requests.saturating_add(delivery.queue_requests),
            published: counted.published.saturating_add(published),
        }
    }

    /// Returns the time until half of the reserve is left.
    fn time_for_work(&self, delivery: Delivery) -> Duration {
        let end = delivery.deadline_ms.saturating_sub(self.settings.reserve_ms / 2);
        Duration::from_millis(end.saturating_sub(self.host.now()))
    }

    /// Releases a claim that was written though its answer was lost: it would hold the file until its lease ends. A
    /// failure here leaves it at that.
    pub(crate) async fn take_back(&self, id: &FileId, owner: &str) {
        let Ok(Some(entry)) = self.store.entry(id).await else { return };
        if entry.owner == owner && entry.is_under_way() {
            self.release(&Fence::of(&entry)).await;
        }
    }

    /// Lets the next delivery go on at once. A release that fails only costs the rest of the lease.
    pub(crate) async fn release(&self, fence: &Fence) {
        if let Err(error) = self.store.release(fence).await {
            let error = telemetry::chain(&error);
            tracing::warn!(file = fence.file.as_str(), error, "the lease was not released");
        }
    }

    /// Closes the open files that an outcome settles and publishes the outcome, unless both are done. Before it, the
    /// new outcome of each older file that it replaced is published: only this file's message can still be delivered
    /// again.
    pub(crate) async fn publish_all(&self, entry: Entry) -> Result<State, ProcessError> {
        let state = entry.state;
        if !entry.announced {
            open_files::close_ended(&self.store, &entry, self.host.now()).await?;
        }
        let mut unpublished = Vec::new();
        let mut next = Some(entry);
        while let Some(entry) = next.filter(|entry| !entry.announced) {
            next = match entry.outcome.as_ref().and_then(|outcome| outcome.replaced.as_ref()) {
                Some(replaced) => self.store.entry(replaced).await?,
                None => None,
            };
            unpublished.push(entry);
        }
        for entry in unpublished.iter().rev() {
            self.publish(entry).await?;
        }
        Ok(state)
    }

    /// Publishes one outcome and notes it in the ledger. An outcome whose note was lost is published twice.
    async fn publish(&self, entry: &Entry) -> Result<(), ProcessError> {
        let known = match entry.partner.as_str() {
            "" => false,
            partner => self.registration(partner, self.host.now()).await?.is_known(),
        };
        if let Some(announcement) = announcement(entry, &self.settings.quarantine, known)? {
            self.store.publish(&announcement).await?;
            self.store.announced(&entry.load.file(), entry.state).await?;
        }
        Ok(())
    }
}

/// Returns what is done with a file of a suspended partner, whatever it would be otherwise. It is quarantined with
/// its original, so that nothing is lost; its contract is kept, for the record.
fn suspended(task: &Task) -> Task {
    let rejection = QuarantineReason::new(
        FaultCode::PartnerSuspended,
        "a file of a suspended partner",
        "a file of an active partner",
    );
    Task::Quarantine(QuarantineReason { contract: task.contract().map(Arc::clone), ..rejection })
}

fn begin_record(named: &Named, entry: &Entry, contract: Option<&Contract>, delivery: Delivery) -> FileRecord {
    FileRecord {
        // A folder that no operator named may be a patient. A key that names no partner has no folder of one.
        partner: Label::new(if named.known || named.partner.is_empty() { &named.partner } else { UNKNOWN }),
        // Without a contract the name is whatever a sender called a folder: a patient, or a new metric for each file.
        feed: Label::new(contract.map_or(UNKNOWN, |_| &named.feed)),
        file: Label::new(named.id.as_str()),
        load: Label::new(entry.replay.as_ref().map_or(&entry.load, |replay| &replay.load).as_str()),
        contract_version: Label::new(contract.map_or("", |contract| &contract.identity.version)),
        receive_count: delivery.receive_count,
        is_heartbeat: named.partner == runtime::HEARTBEAT && named.feed == runtime::HEARTBEAT,
        ..FileRecord::default()
    }
}
