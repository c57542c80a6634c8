use store::{FileVersion, State};

use super::bench::*;

const KEY: &str = "north/visits/snapshot";

async fn land_and_decide(bench: &Bench, bytes: &str) -> FileVersion {
    let file = bench.land(KEY, bytes);
    bench.until_terminal(&[&file]).await;
    file
}

#[tokio::test]
async fn a_version_of_which_nothing_can_be_loaded_takes_no_snapshot_away() {
    let lines = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Bob\"}\n";
    let array = "[{\"id\":1,\"name\":\"Ann\"}]";
    let page = "<html>\n<body>502</body>\n</html>\n";
    for (format, good, newer, fault) in [
        ("ndjson", lines, page, "WRONG_FORMAT"),
        ("ndjson", lines, "{\"id\":\"x\"}\n", "ERROR_BUDGET"),
        ("ndjson", lines, "\n\n", "EMPTY"),
        ("csv", GOOD, page, "WRONG_FORMAT"),
        ("csv", GOOD, "id,name\nx,Ann\ny,Bob\n", "ERROR_BUDGET"),
        ("csv", GOOD, "id,name\n", "EMPTY"),
        ("csv", GOOD, "id,name", "EMPTY"),
        ("json", array, page, "WRONG_FORMAT"),
        ("json", array, "[{\"id\":\"x\"}]", "ERROR_BUDGET"),
        ("json", array, "[]", "EMPTY"),
    ] {
        let bench = Bench::new();
        bench.memory.publish_contract("visits", contract(format, "active", &[("onSameName", "supersede")]));
        let first = land_and_decide(&bench, good).await;
        let second = land_and_decide(&bench, newer).await;
        assert_eq!(bench.fault(&second).as_deref(), Some(fault), "{format} {newer:?}");
        assert_eq!((bench.state(&first), bench.state(&second)), (State::Complete, State::Quarantined));
        let third = land_and_decide(&bench, good).await;
        assert_eq!((bench.state(&first), bench.state(&third)), (State::Superseded, State::Complete));
    }
}

#[tokio::test]
async fn a_version_without_records_empties_the_snapshot_where_the_contract_accepts_it() {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "supersede"), ("emptyFile", "accept")]);
    let first = land_and_decide(&bench, GOOD).await;
    let second = land_and_decide(&bench, "id,name\n").await;
    assert_eq!((bench.state(&first), bench.state(&second)), (State::Superseded, State::Complete));
}
