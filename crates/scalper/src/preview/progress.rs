//! A line on a terminal that says how far a preview got. Ctrl-C leaves nothing behind but the line: nothing is written
//! anywhere else.

use std::io::Write;

/// Bytes between two updates of the line.
const STEP_BYTES: u64 = 4 << 20;

/// Returns to the first column and removes the line (ECMA-48, "Erase in line").
const CLEAR: &str = "\r\u{1b}[K";

/// How many files of how many were read. The line is removed when this is dropped.
pub struct Progress<W: Write> {
    /// The terminal; `None`: there is none.
    to: Option<W>,
    files: usize,
    done: usize,
    bytes: u64,
    shown_bytes: u64,
}

impl<W: Write> Progress<W> {
    /// Begins with no file of this number.
    pub fn new(to: Option<W>, files: usize) -> Self {
        let mut progress = Self { to, files, done: 0, bytes: 0, shown_bytes: 0 };
        progress.show();
        progress
    }

    /// Counts bytes that were read.
    pub fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.bytes - self.shown_bytes >= STEP_BYTES {
            self.show();
        }
    }

    /// Counts a file that is done.
    pub fn end_file(&mut self) {
        self.done += 1;
        self.show();
    }

    fn show(&mut self) {
        self.shown_bytes = self.bytes;
        let Self { files, done, bytes, .. } = *self;
        self.write(&format!("{CLEAR}{done} of {files} files, {} MiB read", bytes >> 20));
    }

    /// Writes to the terminal. One that has gone away needs no progress.
    fn write(&mut self, text: &str) {
        if let Some(to) = &mut self.to {
            to.write_all(text.as_bytes()).and_then(|()| to.flush()).ok();
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.write(CLEAR);
    }
}
