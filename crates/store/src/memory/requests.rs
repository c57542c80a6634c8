//! Limits, idempotent requests and the records of uploads: what the conditional writes of `aws::requests` say, as plain
//! code.

use super::Memory;
use crate::requests::{day, kept_until_ms, until_taken};
use crate::{
    Begun, Error, Operation, PartnerLimits, RequestKey, Requests, Spent, StoredResponse, UploadId,
    UploadRecord,
};

/// A request that was begun.
pub(super) struct StoredRequest {
    fingerprint: String,
    until_ms: u64,
    ends_ms: u64,
    answer: Option<StoredResponse>,
}

impl Requests for Memory {
    async fn take_request(&self, partner: &str, limits: &PartnerLimits, now_ms: u64) -> Result<Spent, Error> {
        let (interval, tolerance) = limits.interval_and_tolerance_us();
        let now = now_ms.saturating_mul(1_000);
        self.call(Operation::Spend, |kept| {
            let arrival = kept.arrivals.entry(partner.to_owned()).or_default();
            if *arrival > now.saturating_add(tolerance) {
                return until_taken(*arrival, tolerance, now);
            }
            *arrival = (*arrival).max(now).saturating_add(interval);
            Spent::Yes
        })
        .await
    }

    async fn take_bytes(
        &self,
        partner: &str,
        limits: &PartnerLimits,
        bytes: u64,
        now_ms: u64,
    ) -> Result<Spent, Error> {
        let (day, tomorrow) = day(now_ms);
        self.call(Operation::Spend, |kept| {
            let used = kept.days.entry((partner.to_owned(), day)).or_default();
            match used.checked_add(bytes).filter(|used| *used <= limits.bytes_per_day) {
                Some(more) => {
                    *used = more;
                    Spent::Yes
                }
                None => tomorrow,
            }
        })
        .await
    }

    async fn begin(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Begun, Error> {
        let begun = StoredRequest {
            fingerprint: fingerprint.to_owned(),
            until_ms,
            ends_ms: kept_until_ms(until_ms),
            answer: None,
        };
        self.call(Operation::KeepRequest, |kept| {
            let requests = &mut kept.requests;
            match requests.get(request).filter(|kept| now_ms < kept.ends_ms) {
                Some(kept) if kept.fingerprint != fingerprint => Begun::Differs,
                Some(StoredRequest { answer: Some(answer), .. }) => Begun::Answered(answer.clone()),
                Some(kept) if now_ms < kept.until_ms => Begun::Running,
                _ => {
                    requests.insert(request.clone(), begun);
                    Begun::New
                }
            }
        })
        .await
    }

    async fn answer(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        answer: &StoredResponse,
        now_ms: u64,
    ) -> Result<(), Error> {
        let answered = StoredRequest {
            fingerprint: fingerprint.to_owned(),
            until_ms: now_ms,
            ends_ms: kept_until_ms(now_ms),
            answer: Some(answer.clone()),
        };
        self.call(Operation::KeepRequest, |kept| {
            let requests = &mut kept.requests;
            let taken = requests.get(request).is_some_and(|kept| {
                now_ms < kept.ends_ms && (kept.answer.is_some() || kept.fingerprint != fingerprint)
            });
            if !taken {
                requests.insert(request.clone(), answered);
            }
        })
        .await
    }

    async fn forget(&self, request: &RequestKey) -> Result<(), Error> {
        self.call(Operation::KeepRequest, |kept| {
            let requests = &mut kept.requests;
            if requests.get(request).is_some_and(|kept| kept.answer.is_none()) {
                requests.remove(request);
            }
        })
        .await
    }

    async fn put_upload(&self, upload: &UploadRecord) -> Result<(), Error> {
        let name = (upload.partner.clone(), upload.id.clone());
        self.call(Operation::KeepUpload, |kept| {
            kept.upload_records.insert(name, upload.clone());
        })
        .await
    }

    async fn upload_record(&self, partner: &str, id: &UploadId) -> Result<Option<UploadRecord>, Error> {
        let name = (partner.to_owned(), id.clone());
        self.call(Operation::KeepUpload, |kept| kept.upload_records.get(&name).cloned()).await
    }
}
