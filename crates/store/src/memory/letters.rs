//! Dead letters that are sent again.

use super::Memory;
use crate::{DeadLetter, Error, MOST_MESSAGES, Operation, Redrive, RedrivenQueue, TakenLetter, WatchedQueue};

/// When each dead letter was sent: 2026-11-20T11:00:00Z.
const SENT_MS: u64 = 1_795_172_400_000;

fn letters(queue: RedrivenQueue) -> WatchedQueue {
    match queue {
        RedrivenQueue::Inbox => WatchedQueue::InboxDeadLetters,
        RedrivenQueue::Webhooks => WatchedQueue::WebhookDeadLetters,
    }
}

impl Redrive for Memory {
    async fn take_letters(&self, queue: RedrivenQueue, _seconds: u32) -> Result<Vec<TakenLetter>, Error> {
        self.call(Operation::TakeLetters, |kept| {
            let visible = kept.dead.entry(letters(queue)).or_default();
            let taken: Vec<DeadLetter> = visible.drain(..visible.len().min(MOST_MESSAGES)).collect();
            kept.taken.entry(letters(queue)).or_default().extend(taken.iter().cloned());
            let letter = |DeadLetter { id, body }| {
                let receipt_handle = format!("receipt-{id}");
                TakenLetter { id, body, receipt_handle, sent_ms: Some(SENT_MS) }
            };
            taken.into_iter().map(letter).collect()
        })
        .await
    }

    async fn remove_letter(&self, queue: RedrivenQueue, letter: &TakenLetter) -> Result<(), Error> {
        self.call(Operation::RemoveLetter, |kept| {
            for held in [&mut kept.taken, &mut kept.dead] {
                held.entry(letters(queue)).or_default().retain(|one| one.id != letter.id);
            }
        })
        .await
    }

    async fn put_back(&self, queue: RedrivenQueue, letter: &TakenLetter) -> Result<(), Error> {
        self.call(Operation::PutBack, |kept| {
            let taken = kept.taken.entry(letters(queue)).or_default();
            let back: Vec<DeadLetter> = taken.extract_if(.., |one| one.id == letter.id).collect();
            kept.dead.entry(letters(queue)).or_default().extend(back);
        })
        .await
    }
}

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Lets the time pass for which letters are hidden that were taken.
    pub fn letters_reappear(&self) {
        let mut kept = self.kept();
        for (queue, letters) in std::mem::take(&mut kept.taken) {
            kept.dead.entry(queue).or_default().extend(letters);
        }
    }

    /// Returns the texts of the letters of a queue that are visible, in no fixed order.
    #[must_use]
    pub fn visible_letters(&self, queue: RedrivenQueue) -> Vec<String> {
        let kept = self.kept();
        let dead = kept.dead.get(&letters(queue)).into_iter().flatten();
        dead.map(|letter| letter.body.clone()).collect()
    }
}
