//! Documents as they are read from files, and contracts made of them.

use std::io::Read;
use std::sync::Arc;

use contract::{Contract, Finding, FindingSeverity, MOST_DOCUMENT_BYTES, Published};

use crate::error::CommandError;
use crate::reading::plain;

/// What the name of a contract's file ends in, before which is its feed.
const SUFFIX: &str = ".odcs.yaml";

/// Reads the bytes of the file at a path.
type ReadFile = dyn Fn(&str) -> std::io::Result<Vec<u8>>;

/// Reads local files; tests give others.
pub struct Documents {
    read: Box<ReadFile>,
}

/// A contract that compiles, and where it comes from.
pub struct FoundContract {
    /// How a reader knows it: its path, or its feed and version.
    pub name: String,
    /// It.
    pub contract: Arc<Contract>,
}

/// Returns whether a word names a local file and not a feed: it is `-`, has a slash, or ends like a document.
#[must_use]
pub fn is_local(word: &str) -> bool {
    word == "-" || word.contains('/') || [".yaml", ".yml"].iter().any(|end| word.ends_with(end))
}

/// Returns the feed that a file is named after.
pub(super) fn feed_of(path: &str) -> Option<&str> {
    let feed = path.rsplit('/').next()?.strip_suffix(SUFFIX)?;
    runtime::is_name(feed).then_some(feed)
}

/// Returns how a document is called in messages.
pub(super) fn shown_name(path: &str) -> String {
    if path == "-" { "standard input".to_owned() } else { plain(path).into_owned() }
}

impl Documents {
    /// Reads from the file system.
    #[must_use]
    pub fn of_files() -> Self {
        Self::from(|path: &str| {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path)?;
            file.take(MOST_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }

    /// Reads from anywhere.
    #[must_use]
    pub fn from(read: impl Fn(&str) -> std::io::Result<Vec<u8>> + 'static) -> Self {
        Self { read: Box::new(read) }
    }

    /// Reads a document: at most 1 MiB of UTF-8.
    pub(super) fn text(&self, path: &str, input: &mut impl Read) -> Result<String, CommandError> {
        let unread =
            |kind: &str| CommandError::ContractUnread { path: shown_name(path), kind: kind.to_owned() };
        let bytes = if path == "-" {
            let mut bytes = Vec::new();
            let read = input.by_ref().take(MOST_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes);
            read.map(|_| bytes)
        } else {
            (self.read)(path)
        };
        let bytes = bytes.map_err(|error| unread(&error.kind().to_string()))?;
        if bytes.len() > MOST_DOCUMENT_BYTES {
            return Err(unread("more than 1 MiB"));
        }
        String::from_utf8(bytes).map_err(|_| unread("not UTF-8"))
    }

    /// Reads a document that has no errors.
    pub(super) fn compiled(&self, path: &str, input: &mut impl Read) -> Result<FoundContract, CommandError> {
        let text = self.text(path, input)?;
        compile(shown_name(path), &text, Published { feed: feed_of(path), inbox: None })
    }
}

/// Compiles a document, or says what is wrong first.
pub(super) fn compile(
    name: String,
    text: &str,
    published: Published<'_>,
) -> Result<FoundContract, CommandError> {
    match contract::compile_published(text, published) {
        Ok((contract, _)) => Ok(FoundContract { name, contract: Arc::new(contract) }),
        Err(findings) => Err(CommandError::ContractErrors {
            name,
            errors: counted_errors(&findings),
            problem: first_error(&findings),
        }),
    }
}

fn errors(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.severity == FindingSeverity::Error)
}

pub(super) fn counted_errors(findings: &[Finding]) -> String {
    match errors(findings).count() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    }
}

/// Returns the first error with its place.
pub(super) fn first_error(findings: &[Finding]) -> String {
    let first = errors(findings).next();
    first.map_or_else(String::new, |finding| {
        format!("line {}, column {}: {}", finding.line, finding.column, plain(&finding.message()))
    })
}
