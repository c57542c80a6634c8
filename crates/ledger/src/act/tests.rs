use proptest::prelude::*;

use super::*;
use crate::FileVersion;

fn file() -> FileId {
    let version =
        FileVersion { bucket: "inbox".into(), key: "a/b/c".into(), version: "v".into(), etag: None };
    FileId::of(&version)
}

#[test]
fn a_caller_is_shown_without_what_every_caller_has() {
    for (arn, shown) in [
        ("arn:aws:sts::123456789012:assumed-role/operator/ann@example.org", "operator/ann@example.org"),
        ("arn:aws:iam::123456789012:user/team/ann", "team/ann"),
        ("arn:aws:iam::123456789012:root", "root"),
    ] {
        let read = Arn::parse(arn).expect("an ARN");
        assert_eq!((read.as_str(), read.resource()), (arn, shown));
    }
    for text in ["", "ann", "arn:aws:iam", "arn:aws:iam::123456789012:user/a b", "arn:aws:iam::1:user/\u{1b}"]
    {
        assert_eq!(Arn::parse(text), None, "{text}");
    }
    assert_eq!(Arn::parse(&format!("arn:aws:iam::1:user/{}", "x".repeat(3_000))), None);
}

#[test]
fn an_operator_and_a_partner_are_read_back_and_not_mistaken_for_each_other() {
    for (text, short) in [
        ("arn:aws:sts::123456789012:assumed-role/operator/ann", "operator/ann"),
        ("partner/north/q2vbqz6dshv5", "partner/north/q2vbqz6dshv5"),
    ] {
        let actor = Actor::parse(text).expect("an actor");
        assert_eq!((actor.to_string().as_str(), actor.short().as_str()), (text, short));
    }
    let of_token = Actor::partner("north", "jwt:0a1b").map(|actor| actor.to_string());
    assert_eq!(of_token.as_deref(), Some("partner/north/jwt-0a1b"));
    for text in [
        "",
        "north",
        "partner",
        "partner/north",
        "partner/north/",
        "partner//a",
        "partner/north/a b",
        "partner/a/b/c",
    ] {
        assert_eq!(Actor::parse(text), None, "{text}");
    }
    assert_eq!(Actor::partner("north", "a/b"), None);
}

#[test]
fn a_word_has_no_blank_and_no_sentence() {
    for text in ["north-clinic_2", "1.2.0+build", "*", "NoSuchPartner"] {
        assert_eq!(ActWord::parse(text).as_ref().map(ActWord::as_str), Some(text));
    }
    for text in ["", "Ann Smith", "a,b", "ä", &"a".repeat(65)] {
        assert_eq!(ActWord::parse(text), None, "{text}");
    }
}

#[test]
fn a_reason_is_one_line_of_an_operator() {
    assert_eq!(ActReason::parse(" a test file ").map(|reason| reason.0), Ok("a test file".to_owned()));
    for text in ["", "  ", "a\nb", "\u{1b}[31m", &"x".repeat(201)] {
        assert!(ActReason::parse(text).is_err(), "{text}");
    }
    assert!(ActReason::parse(&"ü".repeat(200)).is_ok());
}

#[test]
fn a_detail_is_only_what_changed() {
    let count = |number| DetailValue::Count(number);
    assert_eq!(ActDetail::change(DetailName::Burst, Some(count(5)), count(5)), None);
    let changed = ActDetail::change(DetailName::Burst, Some(count(5)), count(6)).expect("a change");
    assert_eq!((changed.before, changed.after), (Some(count(5)), Some(count(6))));
    assert!(ActDetail::change(DetailName::Burst, None, count(6)).is_some());
}

#[test]
fn every_detail_reads_back_and_has_a_text() {
    let load = LoadId::new(&file(), &[0; 32], 1, 0);
    let arn = Arn::parse("arn:aws:iam::123456789012:root").expect("an ARN");
    let values = [
        (DetailValue::Count(7), "7"),
        (DetailValue::Instant(0), "1970-01-01T00:00:00.000Z"),
        (DetailValue::Present(true), "set"),
        (DetailValue::Present(false), "none"),
        (DetailValue::State(State::Quarantined), "QUARANTINED"),
        (DetailValue::File(file()), file().as_str()),
        (DetailValue::Load(load.clone()), load.as_str()),
        (DetailValue::word("north"), "north"),
        (DetailValue::words(["labs", "no name", "*"]), "labs,*"),
        (DetailValue::Arn(arn.clone()), arn.as_str()),
    ]
    .map(|(value, text)| (value, text.to_owned()));
    for (value, text) in values {
        assert_eq!(value.to_string(), text);
        let detail = ActDetail::new(DetailName::State, value);
        let json = serde_json::to_string(&detail).expect("JSON");
        assert_eq!(serde_json::from_str::<ActDetail>(&json).ok(), Some(detail), "{json}");
    }
}

proptest! {
    #[test]
    fn ids_read_back_and_other_texts_are_none(random: [u8; 16], text: String) {
        let id = ActId::of(random);
        prop_assert_eq!(ActId::parse(id.as_str()), Some(id));
        prop_assume!(text.len() != ID_CHARACTERS);
        prop_assert_eq!(ActId::parse(&text), None);
        drop((Arn::parse(&text), ActReason::parse(&text), ActWord::parse(&text)));
    }
}
