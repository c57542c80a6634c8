//! The contract of a feed: the newest version that compiles.
//!
//! A version that does not compile takes nothing over. Publishing one by mistake stops no partner: the version before
//! it stays in force, and the watcher reports what is wrong with the newer one.

use std::sync::Arc;

use checker::{FaultCode, FileFault};
use contract::{Contract, Finding, FindingSeverity, Status};
use ledger::VersionId;
use sha2::{Digest, Sha256};
use store::{ContractObject, ContractText, Error, MOST_CONTRACT_VERSIONS, ReadContracts};

/// Maximum number of characters of a finding that are shown.
const MOST_CHARACTERS: usize = 300;

/// What the contracts bucket says about a feed.
#[derive(Clone, Debug)]
pub enum Terms {
    /// Files are accepted under this contract.
    Active(Arc<Contract>),
    /// Files are quarantined.
    Quarantine(QuarantineReason),
}

/// Why a file is quarantined before it is read.
#[derive(Clone, Debug)]
pub struct QuarantineReason {
    /// The fault.
    pub fault: FileFault,
    /// The contract, when it could be compiled.
    pub contract: Option<Arc<Contract>>,
}

impl QuarantineReason {
    /// Makes a rejection without a contract.
    #[must_use]
    pub fn new(code: FaultCode, found: &str, expected: &str) -> Self {
        let fault = FileFault::new(code, found, expected);
        Self { fault, contract: None }
    }
}

/// The contract that holds for a feed now.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The terms in force.
    pub terms: Terms,
    /// The document that it was read from; of a feed that never had a version that compiles, the newest one. `None`:
    /// the feed has no contract.
    pub document: Option<ContractObject>,
    /// What is wrong with the newest version, when it does not compile.
    pub broken: Option<BrokenContract>,
}

/// The newest version of a contract, which does not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenContract {
    /// The version's id in the contracts bucket.
    pub object_version: VersionId,
    /// How many errors it has.
    pub errors: usize,
    /// Line and column of the first one, from 1; `None` where the document is not text.
    pub place: Option<(u32, u32)>,
    /// The first error: text of the contract, in one line.
    pub problem: String,
    /// The version of the contract that stays in force, as it names itself; `None`: there never was one that compiles.
    pub in_force: Option<String>,
}

impl BrokenContract {
    /// Returns one line for people: which version, what is wrong and where, and which version stays in force.
    #[must_use]
    pub fn describe(&self, feed: &str) -> String {
        let Self { object_version, errors, place, problem, in_force } = self;
        let count = if *errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
        let place = place.map(|(line, column)| format!("line {line}, column {column}: ")).unwrap_or_default();
        let holds = match in_force {
            Some(version) => format!("version {version} stays in force"),
            None => format!(
                "none of the {MOST_CONTRACT_VERSIONS} newest versions compiles, so that the feed's files are quarantined"
            ),
        };
        format!("{feed}, object version {object_version}: {count}; {place}{problem}; {holds}")
    }
}

/// Why a version does not compile.
struct CompileFailure {
    rejection: QuarantineReason,
    broken: BrokenContract,
}

/// Returns the contract of a feed: the newest version that compiles. Of the versions before the newest as many are
/// looked through as the store lists; a deleted contract is none.
pub async fn in_force<S: ReadContracts>(store: &S, feed: &str) -> Result<InForce, Error> {
    let newest = store.contract(feed).await?;
    in_force_of(store, feed, newest).await
}

/// Returns the same, of a feed whose newest version was read.
pub(crate) async fn in_force_of<S: ReadContracts>(
    store: &S,
    feed: &str,
    newest: Option<ContractObject>,
) -> Result<InForce, Error> {
    let Some(newest) = newest else {
        let expected = "<feed>.odcs.yaml in the contracts bucket";
        let rejection = QuarantineReason::new(FaultCode::NoContract, "no contract for the feed", expected);
        return Ok(InForce { terms: Terms::Quarantine(rejection), document: None, broken: None });
    };
    let CompileFailure { rejection, broken: failure } = match compiled(&newest) {
        Ok(contract) => {
            return Ok(InForce { terms: terms(contract), document: Some(newest), broken: None });
        }
        Err(broken) => *broken,
    };
    for version in store.contract_versions(feed).await? {
        if version == newest.version {
            continue;
        }
        let Some(older) = store.contract_version(feed, &version).await? else { continue };
        if let Ok(contract) = compiled(&older) {
            let in_force = Some(one_line(&contract.identity.version));
            let broken = Some(BrokenContract { in_force, ..failure });
            return Ok(InForce { terms: terms(contract), document: Some(older), broken });
        }
    }
    Ok(InForce { terms: Terms::Quarantine(rejection), document: Some(newest), broken: Some(failure) })
}

/// Returns the version of a feed's contract whose document has this SHA-256 (lower-case hexadecimal), whatever is in
/// force; `None` when none of the versions that the store lists has it, or when it does not compile any more.
pub async fn contract_with_hash<S: ReadContracts>(
    store: &S,
    feed: &str,
    hash: &str,
) -> Result<Option<Contract>, Error> {
    for version in store.contract_versions(feed).await? {
        let Some(object) = store.contract_version(feed, &version).await? else { continue };
        let is_wanted = |bytes: &[u8]| hex::encode(Sha256::digest(bytes)) == hash;
        if matches!(&object.text, ContractText::Whole(bytes) if is_wanted(bytes)) {
            return Ok(compiled(&object).ok());
        }
    }
    Ok(None)
}

/// Returns the terms of a contract that compiles; a retired or draft one accepts no file.
fn terms(contract: Contract) -> Terms {
    let contract = Arc::new(contract);
    if contract.identity.status == Status::Inactive {
        let rejection = QuarantineReason::new(
            FaultCode::ContractInactive,
            "a contract that is not active",
            "status active",
        );
        Terms::Quarantine(QuarantineReason { contract: Some(contract), ..rejection })
    } else {
        Terms::Active(contract)
    }
}

fn compiled(object: &ContractObject) -> Result<Contract, Box<CompileFailure>> {
    let unread = |found: String, expected: &str| {
        let problem = format!("found {found}, expected {expected}");
        broken(object, 1, None, &problem, QuarantineReason::new(FaultCode::ContractInvalid, &found, expected))
    };
    let bytes = match &object.text {
        ContractText::Whole(bytes) => bytes,
        ContractText::TooLong(length) => {
            let expected = format!("at most {} bytes", contract::MOST_DOCUMENT_BYTES);
            return Err(unread(format!("a document of {length} bytes"), &expected));
        }
    };
    let document = std::str::from_utf8(bytes)
        .map_err(|_| unread("bytes that are not UTF-8".to_owned(), "a YAML document"))?;
    let (contract, _) = contract::compile(document).map_err(|findings| {
        let mut errors = findings.iter().filter(|finding| finding.severity == FindingSeverity::Error);
        let first = errors.clone().next();
        let place = first.map(|first| (first.line, first.column));
        let problem = first.map(Finding::message).unwrap_or_default();
        let rejection = QuarantineReason::new(
            FaultCode::ContractInvalid,
            &first_error(&findings),
            "a contract without errors",
        );
        broken(object, errors.by_ref().count(), place, &problem, rejection)
    })?;
    Ok(contract)
}

fn broken(
    object: &ContractObject,
    errors: usize,
    place: Option<(u32, u32)>,
    problem: &str,
    rejection: QuarantineReason,
) -> Box<CompileFailure> {
    let object_version = object.version.clone();
    let problem = one_line(problem);
    Box::new(CompileFailure {
        rejection,
        broken: BrokenContract { object_version, errors, place, problem, in_force: None },
    })
}

/// Returns a text of a contract as one short line: a document may hold a text of any length and content.
fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(MOST_CHARACTERS)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        line.push('…');
    }
    line
}

/// Returns the first of a contract's errors, with its place: text of the contract, not of a file.
fn first_error(findings: &[Finding]) -> String {
    let errors = || findings.iter().filter(|finding| finding.severity == FindingSeverity::Error);
    let first =
        errors().next().map(|first| format!(", the first on line {}: {}", first.line, first.message()));
    let count = match errors().count() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    format!("{count} in the contract{}", first.unwrap_or_default())
}

#[cfg(test)]
mod tests;
