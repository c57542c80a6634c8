//! Which quarantined files are open: an operator sees them until a good file of their name or a correction of them
//! arrives.

use store::FileVersion;

use super::files::land_correction;
use super::harness::*;

const BAD: &str = "wrong\n1\n";

fn is_open(harness: &Harness, file: &FileVersion) -> bool {
    harness.entry(file).open
}

#[tokio::test]
async fn a_quarantined_file_is_open_until_a_good_one_of_its_name_arrives() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let [bad, other] = ["a", "b"].map(|name| harness.land(&format!("north/visits/{name}.csv"), BAD));
    harness.until_terminal(&[&bad, &other]).await;
    assert!(is_open(&harness, &bad) && is_open(&harness, &other));
    let again = harness.land("north/visits/a.csv", BAD);
    harness.until_terminal(&[&again]).await;
    assert!(is_open(&harness, &bad) && is_open(&harness, &again), "a second bad one ends nothing");
    let good = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&good]).await;
    assert!(!is_open(&harness, &bad) && !is_open(&harness, &again) && !is_open(&harness, &good));
    assert!(is_open(&harness, &other), "another name");
}

#[tokio::test]
async fn the_order_of_delivery_does_not_change_what_is_open() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let [bad, good] = [BAD, GOOD].map(|bytes| harness.land("north/visits/a.csv", bytes));
    harness.until_terminal(&[&good]).await;
    harness.until_terminal(&[&bad]).await;
    assert!(!is_open(&harness, &bad), "a newer version is good already");
    let [good, bad] = [GOOD, BAD].map(|bytes| harness.land("north/visits/b.csv", bytes));
    harness.until_terminal(&[&bad]).await;
    harness.until_terminal(&[&good]).await;
    assert!(is_open(&harness, &bad), "the good one is older");
}

#[tokio::test]
async fn a_correction_ends_the_file_that_it_names_if_it_is_the_senders() {
    for (key, open) in [("south/visits/a.csv", true), ("north/visits/a.csv", false)] {
        let harness = Harness::new();
        visits(&harness, &[]);
        let bad = harness.land(key, BAD);
        harness.until_terminal(&[&bad]).await;
        let correction = land_correction(&harness, GOOD, store::FileId::of(&bad).as_str()).await;
        harness.until_terminal(&[&correction]).await;
        assert_eq!(is_open(&harness, &bad), open, "{key}");
    }
}

#[tokio::test]
async fn a_file_under_a_wrong_key_is_open_too() {
    let harness = Harness::new();
    for key in ["orders.csv", "shop/orders.csv", "ACME/Orders/x.csv"] {
        let file = harness.land(key, GOOD);
        harness.until_terminal(&[&file]).await;
        assert!(is_open(&harness, &file), "{key}");
        assert_eq!(harness.entry(&file).listed_partner(), store::UNKNOWN);
    }
    let clutter = harness.land("north/visits/.DS_Store", "x");
    harness.until_terminal(&[&clutter]).await;
    assert!(!is_open(&harness, &clutter));
}
