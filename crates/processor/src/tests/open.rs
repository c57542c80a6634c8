//! Which quarantined files are open: an operator sees them until a good file of their name or a correction of them arrives.

use store::FileVersion;

use super::bench::*;
use super::files::land_correction;

const BAD: &str = "wrong\n1\n";

fn is_open(bench: &Bench, file: &FileVersion) -> bool {
    bench.entry(file).open
}

#[tokio::test]
async fn a_quarantined_file_is_open_until_a_good_one_of_its_name_arrives() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let [bad, other] = ["a", "b"].map(|name| bench.land(&format!("north/visits/{name}.csv"), BAD));
    bench.until_terminal(&[&bad, &other]).await;
    assert!(is_open(&bench, &bad) && is_open(&bench, &other));
    let again = bench.land("north/visits/a.csv", BAD);
    bench.until_terminal(&[&again]).await;
    assert!(is_open(&bench, &bad) && is_open(&bench, &again), "a second bad one ends nothing");
    let good = bench.land("north/visits/a.csv", GOOD);
    bench.until_terminal(&[&good]).await;
    assert!(!is_open(&bench, &bad) && !is_open(&bench, &again) && !is_open(&bench, &good));
    assert!(is_open(&bench, &other), "another name");
}

#[tokio::test]
async fn the_order_of_delivery_does_not_change_what_is_open() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let [bad, good] = [BAD, GOOD].map(|bytes| bench.land("north/visits/a.csv", bytes));
    bench.until_terminal(&[&good]).await;
    bench.until_terminal(&[&bad]).await;
    assert!(!is_open(&bench, &bad), "a newer version is good already");
    let [good, bad] = [GOOD, BAD].map(|bytes| bench.land("north/visits/b.csv", bytes));
    bench.until_terminal(&[&bad]).await;
    bench.until_terminal(&[&good]).await;
    assert!(is_open(&bench, &bad), "the good one is older");
}

#[tokio::test]
async fn a_correction_ends_the_file_that_it_names_if_it_is_the_senders() {
    for (key, open) in [("south/visits/a.csv", true), ("north/visits/a.csv", false)] {
        let bench = Bench::new();
        visits(&bench, &[]);
        let bad = bench.land(key, BAD);
        bench.until_terminal(&[&bad]).await;
        let correction = land_correction(&bench, GOOD, store::FileId::of(&bad).as_str()).await;
        bench.until_terminal(&[&correction]).await;
        assert_eq!(is_open(&bench, &bad), open, "{key}");
    }
}

#[tokio::test]
async fn a_file_under_a_wrong_key_is_open_too() {
    let bench = Bench::new();
    for key in ["orders.csv", "shop/orders.csv", "ACME/Orders/x.csv"] {
        let file = bench.land(key, GOOD);
        bench.until_terminal(&[&file]).await;
        assert!(is_open(&bench, &file), "{key}");
        assert_eq!(bench.entry(&file).listed_partner(), store::UNKNOWN);
    }
    let clutter = bench.land("north/visits/.DS_Store", "x");
    bench.until_terminal(&[&clutter]).await;
    assert!(!is_open(&bench, &clutter));
}
