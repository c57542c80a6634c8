use proptest::prelude::*;

use BucketUse::{Read, Upload};

use super::*;

const ARN: &str = "arn:aws:s3:::inbox";
const SENDER: &str = "arn:aws:iam::210987654321:role/sender";

fn wanted(partner: &str, principals: &[&str]) -> WantedStatement {
    WantedStatement {
        partner: partner.to_owned(),
        principals: principals.iter().map(|principal| (*principal).to_owned()).collect(),
    }
}

fn with(text: Option<&str>, all: &[WantedStatement]) -> Change {
    BucketPolicy::read(Upload, text).expect("a policy").with(ARN, all)
}

fn written(text: Option<&str>, all: &[WantedStatement]) -> String {
    match with(text, all) {
        Change::Write(Some(policy)) => policy,
        other => panic!("expected a policy, found {other:?}"),
    }
}

#[test]
fn the_first_statement_makes_a_policy_and_the_last_one_takes_it_away() {
    let policy = written(None, &[wanted("north", &[SENDER])]);
    let document: Value = serde_json::from_str(&policy).expect("JSON");
    assert_eq!(
        document,
        json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "ScalperUploads0north", "Effect": "Allow", "Principal": { "AWS": [SENDER] }, "Action": ACTIONS,
            "Resource": "arn:aws:s3:::inbox/north/*",
        }]})
    );
    assert_eq!(
        with(Some(&policy), &[wanted("north", &[SENDER])]),
        Change::Unchanged,
        "doing it twice is doing it once"
    );
    assert_eq!(with(Some(&policy), &[wanted("north", &[])]), Change::Write(None));
    assert_eq!(with(None, &[wanted("north", &[])]), Change::Unchanged);
}

#[test]
fn what_others_wrote_stays_byte_for_byte() {
    let theirs =
        "{ \"Sid\":\"OnlyTls\" ,\n\t\"Note\\\"\": \"]},{ \\\\\",  \"x\":[1, 2.5e3,{}], \"Effect\": \"Deny\"}";
    for before in [
        format!("{{\"Id\" : \"p\", \"Statement\":[\n {theirs} ], \"Version\":\"2012-10-17\"}}"),
        format!("  {{\"Version\":\"2012-10-17\",\"Statement\":{theirs}}}"),
    ] {
        let given = written(Some(&before), &[wanted("north", &[SENDER]), wanted("south", &[SENDER])]);
        assert!(given.contains(theirs), "{given}");
        let document: Value = serde_json::from_str(&given).expect("JSON");
        assert_eq!(document["Statement"].as_array().map(Vec::len), Some(3));
        assert_eq!(
            BucketPolicy::read(Upload, Some(&given)).expect("a policy").partners(),
            ["north", "south"].map(str::to_owned).into()
        );
        let taken = written(Some(&given), &[wanted("north", &[])]);
        assert!(taken.contains(theirs) && !taken.contains("north"), "{taken}");
        assert!(taken.contains("0south"), "{taken}");
    }
}

#[test]
fn one_value_may_be_a_text_and_another_account_s_statement_is_put_right_in_its_place() {
    let own = json!({
        "Sid": "ScalperUploads0north", "Effect": "Allow", "Principal": { "AWS": SENDER },
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        "Resource": ["arn:aws:s3:::inbox/north/*"],
    });
    let policy = |statement: &Value| json!({ "Statement": [statement, { "Sid": "Z" }] }).to_string();
    let all = [wanted("north", &[SENDER])];
    assert_eq!(with(Some(&policy(&own)), &all), Change::Unchanged);
    assert_eq!(
        BucketPolicy::read(Upload, Some(&policy(&own))).expect("a policy").in_force(ARN, "north"),
        all[0].principals
    );
    for (name, value) in [
        ("Effect", json!("Deny")),
        ("Resource", json!("arn:aws:s3:::inbox/*")),
        ("Action", json!("s3:*")),
        ("Principal", json!("*")),
        ("Principal", json!({ "AWS": [SENDER, "arn:aws:iam::1:root"] })),
        ("Principal", json!({ "AWS": SENDER, "Service": "s3.amazonaws.com" })),
        ("Condition", json!({})),
    ] {
        let mut changed = own.clone();
        changed[name] = value;
        let text = policy(&changed);
        let right = written(Some(&text), &all);
        assert!(right.find("0north") < right.find("\"Z\""), "{right}");
        let read = BucketPolicy::read(Upload, Some(&right)).expect("a policy");
        assert_eq!(read.in_force(ARN, "north"), all[0].principals, "{name}");
        if name != "Principal" {
            assert!(
                BucketPolicy::read(Upload, Some(&text)).expect("a policy").in_force(ARN, "north").is_empty(),
                "{name}"
            );
        }
    }
}

#[test]
fn two_partners_never_share_a_statement_and_two_rights_never_do() {
    let names = ["north-clinic", "north_clinic", "northdclinic", "northuclinic", "north"];
    let rights = [PartnerRight::Upload, PartnerRight::Read, PartnerRight::List];
    let ids: BTreeSet<String> =
        rights.iter().flat_map(|right| names.map(|name| right.statement_id(name))).collect();
    assert_eq!(ids.len(), rights.len() * names.len());
    for (right, name) in rights.iter().flat_map(|right| names.map(|name| (right, name))) {
        let id = right.statement_id(name);
        assert_eq!(right.partner_of(&id).as_deref(), Some(name));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(rights.iter().filter(|other| *other != right).all(|other| other.partner_of(&id).is_none()));
    }
    assert_eq!(PartnerRight::Upload.partner_of("OnlyTls"), None);
}

/// The policy of an outbox that `north` reads.
fn outbox() -> String {
    let Change::Write(Some(policy)) =
        BucketPolicy::read(Read, None).expect("a policy").with(ARN, &[wanted("north", &[SENDER])])
    else {
        panic!("a policy")
    };
    policy
}

#[test]
fn a_partner_reads_and_lists_below_its_own_prefix_of_the_outbox_and_nothing_else() {
    let document: Value = serde_json::from_str(&outbox()).expect("JSON");
    let expected = json!([
        { "Sid": "ScalperReads0north", "Effect": "Allow", "Principal": { "AWS": [SENDER] },
          "Action": "s3:GetObject", "Resource": "arn:aws:s3:::inbox/north/*" },
        { "Sid": "ScalperLists0north", "Effect": "Allow", "Principal": { "AWS": [SENDER] },
          "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::inbox",
          "Condition": { "StringLike": { "s3:prefix": "north/*" } } },
    ]);
    assert_eq!(document["Statement"], expected);
    let policy = outbox();
    let read = BucketPolicy::read(Read, Some(&policy)).expect("a policy");
    assert_eq!(read.with(ARN, &[wanted("north", &[SENDER])]), Change::Unchanged);
    assert_eq!(read.with(ARN, &[wanted("north", &[])]), Change::Write(None));
    assert_eq!(read.partners(), ["north".to_owned()].into());
}

#[test]
fn who_lacks_one_of_two_rights_has_neither_and_the_missing_one_is_put_back() {
    for (statement, name, value) in [
        (0, "Sid", json!("Other")),
        (0, "Resource", json!("arn:aws:s3:::inbox/*")),
        (1, "Condition", json!({ "StringLike": { "s3:prefix": "*" } })),
        (1, "Condition", json!({ "StringLikeIfExists": { "s3:prefix": "north/*" } })),
        (1, "Condition", json!({ "StringLike": { "s3:prefix": ["north/*", "south/*"] } })),
        (1, "Condition", Value::Null),
    ] {
        let mut document: Value = serde_json::from_str(&outbox()).expect("JSON");
        document["Statement"][statement][name] = value.clone();
        let text = document.to_string();
        let read = BucketPolicy::read(Read, Some(&text)).expect("a policy");
        assert!(read.in_force(ARN, "north").is_empty(), "{value}");
        assert_eq!(read.in_part(ARN, "north"), wanted("north", &[SENDER]).principals, "{value}");
        let Change::Write(Some(right)) = read.with(ARN, &[wanted("north", &[SENDER])]) else {
            panic!("{value}: a change")
        };
        let right = BucketPolicy::read(Read, Some(&right)).expect("a policy");
        assert_eq!(right.in_force(ARN, "north"), wanted("north", &[SENDER]).principals, "{value}");
    }
    let mut document: Value = serde_json::from_str(&outbox()).expect("JSON");
    document["Statement"][1]["Condition"]["StringLike"]["s3:prefix"] = json!(["north/*"]);
    let text = document.to_string();
    let read = BucketPolicy::read(Read, Some(&text)).expect("a policy");
    assert_eq!(read.with(ARN, &[wanted("north", &[SENDER])]), Change::Unchanged, "one value as a list");
}

#[test]
fn what_is_no_policy_is_left_alone() {
    for text in ["", "[]", "{", "{}", "\"Statement\"", "{\"Statement\":[1}"] {
        assert!(BucketPolicy::read(Upload, Some(text)).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_policy_keeps_its_statements_and_reads_back(
        notes in proptest::collection::vec(any::<String>(), 0..4),
        pretty: bool,
        lone: bool,
    ) {
        let theirs: Vec<Value> = notes.iter().map(|note| json!({ "Sid": "x", note.clone(): [note, { "a": note }] })).collect();
        let statement = if lone && theirs.len() == 1 { theirs[0].clone() } else { json!(theirs) };
        let document = json!({ "A": notes, "Statement": statement, "Z": { "Statement": [] } });
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.expect("JSON");
        let all = [wanted("north", &[SENDER])];
        let given = written(Some(&text), &all);
        let read: Value = serde_json::from_str(&given).expect("JSON");
        let statements = read["Statement"].as_array().expect("a list");
        prop_assert_eq!(&statements[..theirs.len()], &theirs[..]);
        prop_assert_eq!(statements.len(), theirs.len() + 1);
        prop_assert_eq!(&read["Z"], &document["Z"]);
        prop_assert_eq!(with(Some(&given), &all), Change::Unchanged);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}\",:a\\\\ 1]{0,40}") {
        if let Ok(policy) = BucketPolicy::read(Upload, Some(&text)) {
            prop_assert_ne!(policy.with(ARN, &[wanted("north", &[SENDER])]), Change::Write(None));
        }
    }
}
