//! `redrive`: sends dead letters again.
//!
//! ```text
//! take (hidden for five minutes) ─▶ what the ledger says ─▶ note ─▶ send ─▶ remove ─▶ note
//! ```
//!
//! A letter is sent before it is removed, so that a command that is killed in between leaves it twice and never none;
//! the processor acknowledges the second one. A letter whose file is decided, and whose outcome is published, asks for
//! nothing any more: it is removed.
//! Letters are taken one batch at a time and handled one after the other, which bounds how fast files come back. What
//! is not handled is put back at the end; of a command that was killed it is visible again after five minutes.

mod letter;
mod view;

use std::collections::BTreeSet;

use runtime::Key;
use store::{
    ActDetail, ActSubject, CallerIdentity, DetailName, DetailValue, Entry, FileId, LoadId, Redrive,
    RedrivenQueue, SendToQueue, State, TakenLetter, Verb, WriteAudit,
};

use crate::arguments::RedriveArguments;
use crate::audited::{Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::reading::{Readable, StackView, key_of};
use letter::{LetterFile, LetterKind, OutcomeLetter};
pub use view::{LetterAsk, LetterResult, LetterView, NamedFile, RedriveReport};

/// How long a letter is hidden from others, seconds.
const HIDDEN_SECONDS: u32 = 300;

/// Most letters that are looked at by one command: fewer than can be handled while the first one is hidden.
const MOST_TAKEN: usize = 2_000;

/// What is to be done with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetterTodo {
    Send,
    Remove,
    Leave,
}

/// A letter, and what the ledger says of its files.
struct ReadLetter {
    files: Vec<NamedFile>,
    subject: ActSubject,
    asks: LetterAsk,
    todo: LetterTodo,
}

/// Files that the command names, by ids, loads or keys; without any, all of them.
struct WantedFiles<'w>(&'w [String]);

/// How a run ended.
struct RedriveRun {
    letters: Vec<LetterView>,
    complete: bool,
}

impl<S: Readable + Redrive + SendToQueue> StackView<S> {
    /// Sends dead letters again. Each is emitted when it was handled.
    pub async fn redrive<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &RedriveArguments,
        auditor: &Auditor<T>,
        mut emit: impl FnMut(&LetterView),
    ) -> Result<RedriveReport, CommandError> {
        let wanted = WantedFiles(&arguments.files);
        let mut held = Vec::new();
        let run = self.letters(arguments, &wanted, auditor, &mut held, &mut emit).await;
        let mut put_back = Ok(());
        for letter in &held {
            // All of them are tried: each that is not put back stays hidden for a while.
            put_back = self.store.put_back(arguments.queue(), letter).await.and(put_back);
        }
        let RedriveRun { letters, complete } = run?;
        put_back.map_err(CommandError::NotPutBack)?;
        let missing = wanted.missing(&letters);
        if complete && letters.is_empty() && !missing.is_empty() {
            return Err(CommandError::NoSuchLetter { files: missing.join(", ") });
        }
        Ok(RedriveReport { dry_run: arguments.dry_run, letters, missing, more: !complete })
    }

    async fn letters<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &RedriveArguments,
        wanted: &WantedFiles<'_>,
        auditor: &Auditor<T>,
        held: &mut Vec<TakenLetter>,
        emit: &mut impl FnMut(&LetterView),
    ) -> Result<RedriveRun, CommandError> {
        let (mut letters, mut seen) = (Vec::new(), BTreeSet::new());
        while seen.len() < MOST_TAKEN {
            let taken = self.store.take_letters(arguments.queue(), HIDDEN_SECONDS).await;
            let taken = taken.map_err(CommandError::LettersNotRead)?;
            held.extend(taken.iter().cloned());
            let new: Vec<_> = taken.into_iter().filter(|letter| seen.insert(letter.id.clone())).collect();
            if new.is_empty() {
                return Ok(RedriveRun { letters, complete: true });
            }
            for letter in new {
                let read = self.read_letter(arguments, &letter.body).await?;
                if !wanted.fit(&read.files) {
                    continue;
                }
                if letters.len() == usize::from(arguments.limit) {
                    return Ok(RedriveRun { letters, complete: false });
                }
                let result = self.handle(arguments, auditor, &letter, &read).await?;
                if matches!(result, LetterResult::Sent | LetterResult::Removed) {
                    held.retain(|one| one.id != letter.id);
                }
                let view = LetterView::new(&letter, read.asks, read.files, result);
                emit(&view);
                letters.push(view);
            }
        }
        Ok(RedriveRun { letters, complete: false })
    }

    async fn read_letter(
        &self,
        arguments: &RedriveArguments,
        body: &str,
    ) -> Result<ReadLetter, CommandError> {
        let kind = match arguments.queue() {
            RedrivenQueue::Inbox => letter::of_inbox(body),
            RedrivenQueue::Webhooks => letter::of_webhooks(body),
        };
        Ok(match kind {
            LetterKind::Unknown => {
                let (subject, asks) = (ActSubject::default(), LetterAsk::Unknown);
                ReadLetter { files: Vec::new(), subject, asks, todo: LetterTodo::Leave }
            }
            LetterKind::Files(files) => {
                let subject = files.first().map(subject_of).unwrap_or_default();
                let (mut named, mut finished) = (Vec::new(), true);
                for LetterFile { key, file } in files {
                    let entry = self.entry(file.as_ref()).await?;
                    finished &= entry.as_ref().is_some_and(is_finished);
                    named.push(NamedFile::new(Some(key), file, entry.as_ref()));
                }
                let todo = if finished { LetterTodo::Remove } else { LetterTodo::Send };
                ReadLetter { files: named, subject, asks: LetterAsk::Process, todo }
            }
            LetterKind::Replay(request) => {
                let file = FileId::of(&request.file());
                let entry = self.entry(Some(&file)).await?;
                let asks = |entry: &Entry| {
                    let done = entry.replayed.as_ref().is_some_and(|ended| ended.request == request.id);
                    request.is_current(entry) && !done
                };
                let todo =
                    if entry.as_ref().is_some_and(asks) { LetterTodo::Send } else { LetterTodo::Remove };
                let subject = subject_of(&LetterFile { key: request.key.clone(), file: Some(file.clone()) });
                let named = NamedFile::new(Some(request.key.clone()), Some(file), entry.as_ref());
                ReadLetter { files: vec![named], subject, asks: LetterAsk::Replay, todo }
            }
            LetterKind::CleanUp(request) => {
                let file = request.load.file();
                let entry = self.entry(Some(&file)).await?;
                let (partner, feed) = entry.as_ref().map_or(("", ""), |entry| (&entry.partner, &entry.feed));
                let subject = ActSubject::file(&file, partner, feed);
                let named = NamedFile::new(None, Some(file), entry.as_ref());
                let todo = LetterTodo::Remove;
                ReadLetter { files: vec![named], subject, asks: LetterAsk::CleanUp, todo }
            }
            LetterKind::Outcome(OutcomeLetter { file, partner, feed }) => {
                let entry = self.entry(Some(&file)).await?;
                let subject = ActSubject::file(&file, &partner, &feed);
                let named = NamedFile::new(None, Some(file), entry.as_ref());
                ReadLetter { files: vec![named], subject, asks: LetterAsk::Post, todo: LetterTodo::Send }
            }
        })
    }

    async fn entry(&self, file: Option<&FileId>) -> Result<Option<Entry>, CommandError> {
        match file {
            Some(file) => self.store.entry(file).await.map_err(CommandError::Read),
            None => Ok(None),
        }
    }

    async fn handle<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &RedriveArguments,
        auditor: &Auditor<T>,
        letter: &TakenLetter,
        read: &ReadLetter,
    ) -> Result<LetterResult, CommandError> {
        let queue = arguments.queue();
        match (read.todo, arguments.dry_run) {
            (LetterTodo::Leave, _) => return Ok(LetterResult::Left),
            (LetterTodo::Send, true) => return Ok(LetterResult::WouldBeSent),
            (LetterTodo::Remove, true) => return Ok(LetterResult::WouldBeRemoved),
            (LetterTodo::Send | LetterTodo::Remove, false) => {}
        }
        let effect = async {
            let (result, word) = if read.todo == LetterTodo::Send {
                let bodies = std::slice::from_ref(&letter.body);
                let sent = self.store.send_to(queue.queue(), bodies).await;
                sent.map_err(CommandError::NotRedriven)?;
                (LetterResult::Sent, "sent")
            } else {
                (LetterResult::Removed, "removed")
            };
            self.store.remove_letter(queue, letter).await.map_err(CommandError::NotRedriven)?;
            Ok(Effect::new(result, [ActDetail::new(DetailName::Letter, DetailValue::word(word))]))
        };
        let planned = PlannedAct {
            verb: Verb::Redrive,
            subject: read.subject.clone(),
            reason: arguments.why.reason.clone(),
        };
        auditor.audited(planned, effect).await?.finished()
    }
}

/// Returns whether a message about the file has nothing left to do: it is decided, and its outcome is published.
/// Clutter has no outcome to publish.
fn is_finished(entry: &Entry) -> bool {
    entry.state.is_terminal() && (entry.announced || entry.state == State::Ignored)
}

/// Returns what an act on a letter is about: the file, with the partner and the feed of its key.
fn subject_of(named: &LetterFile) -> ActSubject {
    let of = |partner: &str, feed: &str| match &named.file {
        Some(file) => ActSubject::file(file, partner, feed),
        None => ActSubject { feed: ActSubject::feed(feed).feed, ..ActSubject::partner(partner) },
    };
    match Key::read(&named.key) {
        Key::File { partner, feed } => of(&partner, &feed),
        Key::Folder(_) | Key::Clutter | Key::Bad => of("", ""),
    }
}

impl WantedFiles<'_> {
    fn fit(&self, files: &[NamedFile]) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| Self::names(word, files))
    }

    fn names(word: &str, files: &[NamedFile]) -> bool {
        let load = LoadId::parse(word).map(|load| load.file());
        let key = key_of(word);
        files.iter().any(|file| {
            let id = file.file.as_ref();
            id.is_some_and(|id| id.as_str() == word || load.as_ref() == Some(id))
                || file.key.as_deref() == Some(key)
        })
    }

    /// Returns the words of which no letter was found.
    fn missing(&self, letters: &[LetterView]) -> Vec<String> {
        let found = |word: &String| letters.iter().any(|letter| Self::names(word, &letter.files));
        self.0.iter().filter(|word| !found(word)).cloned().collect()
    }
}
