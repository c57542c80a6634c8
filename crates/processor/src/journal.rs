//! Which claims this machine works on: the evidence that a process died in the middle of one.
//!
//! While a process works on a claimed file, a small file names the claim and is locked. It is removed when the
//! attempt ends in any orderly way, errors included. The operating system frees the lock of a process that dies
//! (killed for its memory or its time, aborted), so a journal file whose lock is free is evidence of a death, and of
//! nothing else: a service that failed leaves none.
//!
//! Lambda keeps `/tmp` when it resets a sandbox whose runtime crashed or timed out, so the next process there finds
//! it. A sandbox that is thrown away takes the evidence with it; then nothing is counted.
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors>

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::{Fence, FileId};

/// Most bytes of a journal file that are read.
const MOST_BYTES: u64 = 1_024;

/// A folder of journal files, which the processes of one function on one machine share.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Option<PathBuf>);

/// The claim of an attempt, and its journal file while it has one. Dropped before [`Working::end`], it is evidence of a
/// death.
#[derive(Debug)]
pub(crate) struct Working {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

/// A claim whose process died. Dropped before [`Working::end`], it is found again.
#[derive(Debug)]
pub(crate) struct Death {
    pub(crate) fence: Fence,
    pub(crate) journal: Working,
}

/// What a journal file says. Nothing of the file's key or content.
#[derive(Serialize, Deserialize)]
struct JournalLine {
    file: FileId,
    fence: u64,
    owner: String,
}

impl Journal {
    /// Makes a journal in this folder, which is made at the first claim; `None`: no evidence is kept.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self(folder)
    }

    /// Notes that work on a claim begins. A folder that cannot be written costs only the evidence.
    pub(crate) fn begin(&self, fence: &Fence) -> Option<Working> {
        let begun = begin(self.0.as_ref()?, fence);
        if let Err(error) = &begun {
            tracing::warn!(error = error.kind().to_string(), "the claim was not journalled");
        }
        begun.ok()
    }

    /// Returns the claims whose process died and that were not dealt with yet.
    pub(crate) fn deaths(&self) -> Vec<Death> {
        let files = self.0.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        files.filter_map(|file| death(&file.ok()?.path()).ok().flatten()).collect()
    }
}

impl Working {
    /// The attempt ended in an orderly way, or its death was recorded.
    pub(crate) fn end(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            // An empty one is no evidence.
            let emptied = OpenOptions::new().write(true).truncate(true).open(&self.path);
            let emptied = emptied.is_ok();
            tracing::warn!(error = error.kind().to_string(), emptied, "a journal file was not removed");
        }
    }
}

fn begin(folder: &Path, fence: &Fence) -> io::Result<Working> {
    fs::create_dir_all(folder)?;
    // The owner of a claim is random: no two claims have one journal file.
    let path = folder.join(format!("{}-{}", fence.file, fence.owner));
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let line = JournalLine { file: fence.file.clone(), fence: fence.fence, owner: fence.owner.clone() };
    let written = lock_and_write(&file, &line);
    let working = Working { path, _file: file };
    match written {
        Ok(()) => Ok(working),
        Err(error) => {
            working.end();
            Err(error)
        }
    }
}

fn lock_and_write(mut file: &File, line: &JournalLine) -> io::Result<()> {
    file.try_lock()?;
    file.write_all(&serde_json::to_vec(line)?)
}

/// Reads a journal file whose lock is free; nothing for one that is locked, just being made, or already dealt with.
fn death(path: &Path) -> io::Result<Option<Death>> {
    let file = File::open(path)?;
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let mut text = Vec::new();
    (&file).take(MOST_BYTES).read_to_end(&mut text)?;
    // One that is empty was locked a moment ago and is being written, or its process died before it claimed anything.
    if text.is_empty() {
        return Ok(None);
    }
    let journal = Working { path: path.to_owned(), _file: file };
    let Ok(JournalLine { file, fence, owner }) = serde_json::from_slice(&text) else {
        journal.end();
        return Ok(None);
    };
    Ok(Some(Death { fence: Fence { file, fence, owner, replay: None }, journal }))
}
