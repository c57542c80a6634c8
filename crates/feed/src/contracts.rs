//! Contracts, kept warm for a short time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use checker::{FaultCode, FileFault};
use contract::{Contract, Finding, FindingSeverity, Status};
use store::{ContractObject, Error, ReadContract};

/// The most feeds that are kept: keys name feeds, so a sender decides how many are asked for.
const MOST_FEEDS: usize = 256;

/// What the contracts bucket says about a feed.
#[derive(Clone, Debug)]
pub enum Terms {
    /// Files are accepted under this contract.
    Active(Arc<Contract>),
    /// Files are refused.
    Refused(Refusal),
}

/// Why a file is refused before it is read.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The fault.
    pub fault: FileFault,
    /// The contract, when it could be compiled.
    pub contract: Option<Arc<Contract>>,
}

impl Refusal {
    /// A refusal without a contract.
    #[must_use]
    pub fn new(code: FaultCode, found: &str, expected: &str) -> Self {
        Self { fault: FileFault::new(code, found, expected), contract: None }
    }
}

/// Contracts that accept files, for a short time. What is missing, broken or inactive is asked for each time, so that
/// its publication is seen at once.
#[derive(Default)]
pub struct Contracts(Mutex<HashMap<String, Warm>>);

struct Warm {
    until_ms: u64,
    contract: Arc<Contract>,
}

impl Contracts {
    /// The feed's terms at this time, read at most once in `ttl_ms` milliseconds.
    pub async fn terms<S: ReadContract>(
        &self,
        store: &S,
        feed: &str,
        now_ms: u64,
        ttl_ms: u64,
    ) -> Result<Terms, Error> {
        if let Some(contract) = self.warm(feed, now_ms) {
            return Ok(Terms::Active(contract));
        }
        let terms = compile(store.contract(feed).await?.as_ref());
        if let Terms::Active(contract) = &terms {
            self.keep(feed, contract, now_ms.saturating_add(ttl_ms));
        }
        Ok(terms)
    }

    fn warm(&self, feed: &str, now_ms: u64) -> Option<Arc<Contract>> {
        let warm = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warm.get(feed).filter(|kept| now_ms < kept.until_ms).map(|kept| Arc::clone(&kept.contract))
    }

    fn keep(&self, feed: &str, contract: &Arc<Contract>, until_ms: u64) {
        let mut warm = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if warm.len() >= MOST_FEEDS {
            warm.clear();
        }
        warm.insert(feed.to_owned(), Warm { until_ms, contract: Arc::clone(contract) });
    }
}

/// The first of a contract's errors, with its place: text of the contract, not of a file.
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

fn compile(object: Option<&ContractObject>) -> Terms {
    let Some(object) = object else {
        let expected = "<feed>.odcs.yaml in the contracts bucket";
        return Terms::Refused(Refusal::new(FaultCode::NoContract, "no contract for the feed", expected));
    };
    let Ok(document) = std::str::from_utf8(&object.bytes) else {
        let refusal = Refusal::new(FaultCode::ContractInvalid, "bytes that are not UTF-8", "a YAML document");
        return Terms::Refused(refusal);
    };
    match contract::compile(document) {
        Err(findings) => Terms::Refused(Refusal::new(
            FaultCode::ContractInvalid,
            &first_error(&findings),
            "a contract without errors",
        )),
        Ok((contract, _)) if contract.identity.status == Status::Inactive => {
            let refusal =
                Refusal::new(FaultCode::ContractInactive, "a contract that is not active", "status active");
            Terms::Refused(Refusal { contract: Some(Arc::new(contract)), ..refusal })
        }
        Ok((contract, _)) => Terms::Active(Arc::new(contract)),
    }
}
