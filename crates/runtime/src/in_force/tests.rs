use store::memory::Memory;

use super::*;
use crate::Contracts;

/// Returns a contract that compiles.
fn good(version: &str, status: &str) -> String {
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: labs\nversion: {version}\nstatus: {status}\n\
         servers:\n  - {{server: inbox, type: s3, location: s3://inbox/, format: csv}}\n\
         schema:\n  - name: labs\n    properties:\n      - {{name: id, logicalType: integer}}\n"
    )
}

/// Returns a contract with a wrong word at line 2, column 7.
fn wrong() -> String {
    good("2.0.0", "active").replace("kind: DataContract", "kind: DataContact")
}

fn version_of(terms: &Terms) -> Result<&str, FaultCode> {
    match terms {
        Terms::Active(contract) => Ok(&contract.identity.version),
        Terms::Quarantine(rejection) => Err(rejection.fault.code),
    }
}

#[tokio::test]
async fn a_version_that_does_not_compile_takes_nothing_over() -> Result<(), Error> {
    let memory = Memory::new();
    let older = memory.publish_contract("labs", good("1.1.0", "active"));
    let too_long = vec![b'#'; contract::MOST_DOCUMENT_BYTES + 1];
    for broken in [wrong().into_bytes(), b"\xff\xfe".to_vec(), Vec::new(), too_long] {
        let newest = memory.publish_contract("labs", broken);
        let found = in_force(&memory, "labs").await?;
        assert_eq!(version_of(&found.terms), Ok("1.1.0"));
        assert_eq!(found.document.map(|document| document.version), Some(older.clone()));
        let broken = found.broken.expect("a version that does not compile");
        assert_eq!((broken.object_version, broken.in_force.as_deref()), (newest, Some("1.1.0")));
    }
    memory.publish_contract("labs", good("3.0.0", "active"));
    let found = in_force(&memory, "labs").await?;
    assert_eq!((version_of(&found.terms), found.broken), (Ok("3.0.0"), None));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_described_with_its_place() -> Result<(), Error> {
    let memory = Memory::new();
    memory.publish_contract("labs", good("1.1.0", "active"));
    memory.publish_contract("labs", wrong());
    let described = in_force(&memory, "labs").await?.broken.map(|broken| broken.describe("labs"));
    assert_eq!(
        described.as_deref(),
        Some(
            "labs, object version version-000002: 1 error; line 2, column 7: found `DataContact`, expected \
             `DataContract`; did you mean `DataContract`; version 1.1.0 stays in force"
        )
    );
    let feed = Memory::new();
    feed.publish_contract("labs", vec![b'#'; contract::MOST_DOCUMENT_BYTES + 1]);
    let described = in_force(&feed, "labs").await?.broken.map(|broken| broken.describe("labs"));
    assert_eq!(
        described.as_deref(),
        Some(
            "labs, object version version-000001: 1 error; found a document of 1048577 bytes, expected at most \
             1048576 bytes; none of the 20 newest versions compiles, so that the feed's files are quarantined"
        )
    );
    Ok(())
}

#[tokio::test]
async fn only_a_feed_that_never_had_a_good_version_is_invalid() -> Result<(), Error> {
    let memory = Memory::new();
    assert_eq!(version_of(&in_force(&memory, "labs").await?.terms), Err(FaultCode::NoContract));
    for _ in 0..3 {
        memory.publish_contract("labs", wrong());
    }
    let found = in_force(&memory, "labs").await?;
    assert_eq!(version_of(&found.terms), Err(FaultCode::ContractInvalid));
    assert_eq!(found.broken.and_then(|broken| broken.in_force), None);
    Ok(())
}

#[tokio::test]
async fn a_deleted_contract_is_none_and_none_from_before_comes_back() -> Result<(), Error> {
    let memory = Memory::new();
    memory.publish_contract("labs", good("1.0.0", "active"));
    memory.delete_contract("labs");
    assert_eq!(version_of(&in_force(&memory, "labs").await?.terms), Err(FaultCode::NoContract));
    memory.publish_contract("labs", wrong());
    assert_eq!(version_of(&in_force(&memory, "labs").await?.terms), Err(FaultCode::ContractInvalid));
    Ok(())
}

#[tokio::test]
async fn a_version_that_is_not_active_compiles_and_is_obeyed() -> Result<(), Error> {
    for status in ["draft", "retired"] {
        let memory = Memory::new();
        memory.publish_contract("labs", good("1.0.0", "active"));
        memory.publish_contract("labs", good("1.1.0", status));
        let found = in_force(&memory, "labs").await?;
        assert_eq!((version_of(&found.terms), found.broken), (Err(FaultCode::ContractInactive), None));
        memory.publish_contract("labs", wrong());
        let found = in_force(&memory, "labs").await?;
        assert_eq!(version_of(&found.terms), Err(FaultCode::ContractInactive), "{status}");
        assert_eq!(found.broken.and_then(|broken| broken.in_force).as_deref(), Some("1.1.0"));
    }
    Ok(())
}

#[tokio::test]
async fn the_search_is_bounded_and_made_once_for_a_newest_version() -> Result<(), Error> {
    let (memory, contracts) = (Memory::new(), Contracts::default());
    memory.publish_contract("labs", good("1.0.0", "active"));
    for _ in 0..store::MOST_CONTRACT_VERSIONS {
        memory.publish_contract("labs", wrong());
    }
    for (ask, calls) in [(1, 21), (2, 22), (3, 23)] {
        let terms = contracts.terms(&memory, "labs", ask, 60_000).await?;
        assert_eq!(version_of(&terms), Err(FaultCode::ContractInvalid), "the good one is too long ago");
        assert_eq!(memory.calls().len(), calls, "ask {ask}");
    }
    memory.publish_contract("labs", good("4.0.0", "active"));
    let terms = contracts.terms(&memory, "labs", 4, 60_000).await?;
    assert_eq!(version_of(&terms), Ok("4.0.0"), "a correction is seen at once");
    Ok(())
}

#[tokio::test]
async fn a_contract_holds_for_a_minute_after_it_was_read() -> Result<(), Error> {
    let (memory, contracts) = (Memory::new(), Contracts::default());
    let mut seen = Vec::new();
    for (now_ms, published) in [
        (0, Some(good("1.0.0", "active"))),
        (1, Some(wrong())),
        (60_000, None),
        (60_001, Some(good("3.0.0", "active"))),
        (120_000, None),
    ] {
        if let Some(published) = published {
            memory.publish_contract("labs", published);
        }
        let terms = contracts.terms(&memory, "labs", now_ms, 60_000).await?;
        seen.push(version_of(&terms).map(str::to_owned));
    }
    assert_eq!(seen, ["1.0.0", "1.0.0", "1.0.0", "1.0.0", "3.0.0"].map(|version| Ok(version.to_owned())));
    Ok(())
}
