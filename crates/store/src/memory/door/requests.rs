//! Idempotent requests and the records of uploads.

use super::super::Memory;
use crate::door::{Answer, Begun, RequestKey, Requests, UploadId, UploadRecord, kept_until_ms};
use crate::{Error, Operation};

/// A request that was begun.
pub(super) struct Request {
    fingerprint: String,
    until_ms: u64,
    ends_ms: u64,
    answer: Option<Answer>,
}

impl Requests for Memory {
    async fn begin(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<Begun, Error> {
        let begun = Request {
            fingerprint: fingerprint.to_owned(),
            until_ms,
            ends_ms: kept_until_ms(until_ms),
            answer: None,
        };
        self.call(Operation::KeepRequest, |world| {
            let requests = &mut world.door.requests;
            match requests.get(request).filter(|kept| now_ms < kept.ends_ms) {
                Some(kept) if kept.fingerprint != fingerprint => Begun::Differs,
                Some(Request { answer: Some(answer), .. }) => Begun::Answered(answer.clone()),
                Some(kept) if now_ms < kept.until_ms => Begun::Running,
                _ => {
                    requests.insert(request.clone(), begun);
                    Begun::Mine
                }
            }
        })
        .await
    }

    async fn answer(
        &self,
        request: &RequestKey,
        fingerprint: &str,
        answer: &Answer,
        now_ms: u64,
    ) -> Result<(), Error> {
        let answered = Request {
            fingerprint: fingerprint.to_owned(),
            until_ms: now_ms,
            ends_ms: kept_until_ms(now_ms),
            answer: Some(answer.clone()),
        };
        self.call(Operation::KeepRequest, |world| {
            let requests = &mut world.door.requests;
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
        self.call(Operation::KeepRequest, |world| {
            let requests = &mut world.door.requests;
            if requests.get(request).is_some_and(|kept| kept.answer.is_none()) {
                requests.remove(request);
            }
        })
        .await
    }

    async fn put_upload(&self, upload: &UploadRecord) -> Result<(), Error> {
        let name = (upload.partner.clone(), upload.id.clone());
        self.call(Operation::KeepUpload, |world| {
            world.door.uploads.insert(name, upload.clone());
        })
        .await
    }

    async fn upload_record(&self, partner: &str, id: &UploadId) -> Result<Option<UploadRecord>, Error> {
        let name = (partner.to_owned(), id.clone());
        self.call(Operation::KeepUpload, |world| world.door.uploads.get(&name).cloned()).await
    }
}
