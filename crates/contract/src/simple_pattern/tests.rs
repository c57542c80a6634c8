use proptest::prelude::*;

use super::*;

fn pattern(source: &str) -> TextPattern {
    TextPattern::compile(source).unwrap()
}

fn is_simple(source: &str) -> bool {
    !matches!(pattern(source).engine, Engine::Regex(_))
}

#[test]
fn usual_patterns_need_no_engine() {
    for source in [
        "^MRN[0-9]{6}$",
        r"^[A-Z]{2}\d{4}$",
        r"^[A-Z][0-9]{2}(?:)$",
        r"^\d{3}-\d{2}-\d{4}$",
        r"^[A-TV-Z][0-9][0-9AB]\.?[0-9]{0,4}$",
        "^[a-z]+@[0-9]*!$",
        "^$",
    ] {
        assert_eq!(is_simple(source), !source.contains('('), "{source}");
    }
    for source in
        ["MRN", "^a|b$", "^(a)$", "^[^a]$", "^a+a$", "^.$", r"^\s$", "^ä$", "^a+?$", "^[a&&b]$", r"^a\$"]
    {
        assert!(!is_simple(source), "{source}");
    }
}

#[test]
fn a_pattern_is_searched_and_an_anchored_one_is_the_whole_text() {
    assert!(pattern("[0-9]").is_match(b"a1b"));
    let mrn = pattern("^MRN[0-9]{6}$");
    assert!(mrn.is_match(b"MRN000123"));
    assert_eq!(mrn.mismatch(b"MRN00012"), Some(Mismatch::Ends(8)));
    assert_eq!(mrn.mismatch(b"MRN0001234"), Some(Mismatch::Character(10)));
    assert_eq!(mrn.mismatch(b"mrn000123"), Some(Mismatch::Character(1)));
    assert_eq!(pattern("a|b").mismatch("äö".as_bytes()), Some(Mismatch::Somewhere));
    assert!(!mrn.is_match(b"MRN000123\n"), "the end is the end, not the last line");
}

#[test]
fn perl_classes_are_ascii_and_a_dot_is_one_character() {
    assert!(!pattern(r"^\d$").is_match("\u{661}".as_bytes()));
    assert!(!pattern(r"^(?:\w)$").is_match("ä".as_bytes()));
    assert!(pattern(r"^[\d_-]+x?x$").is_match(b"1_-x"));
    assert!(pattern(r"^[^\d]$").is_match("ä".as_bytes()));
    assert!(pattern("^.$").is_match("ä".as_bytes()));
    assert!(pattern(r"^\W\D$").is_match("ää".as_bytes()));
    assert!(pattern(r"\bb\b").is_match("äb".as_bytes()));
    assert!(pattern(r"^\\d$").is_match(b"\\d"));
}

#[test]
fn what_the_engine_lacks_is_said_in_one_line() {
    assert!(TextPattern::compile("(?=a)").unwrap_err().starts_with("look-around"));
    assert!(TextPattern::compile(r"(a)\1").unwrap_err().starts_with("backreferences"));
    for source in ["(", "[a", "a{2,1}", "*"] {
        assert_eq!(TextPattern::compile(source).unwrap_err().lines().count(), 1);
    }
}

/// A pattern of few letters, so that texts often match it.
fn any_pattern() -> impl Strategy<Value = String> {
    let set = prop_oneof![
        "[abA1-]",
        "\\[[abA1_-]{1,3}\\]",
        "\\[[ab]-[bcz]\\]",
        "\\[\\^?[a1]\\]",
        Just(r"\d".to_owned()),
        Just(r"\w".to_owned()),
        Just(r"[\d-]".to_owned()),
        Just(r"\.".to_owned()),
        Just(".".to_owned()),
        Just("|".to_owned()),
    ];
    let count =
        prop_oneof![4 => Just(String::new()), 1 => "[?+*]", 1 => "\\{[0-3]\\}", 1 => "\\{[0-2],[2-3]?\\}"];
    prop::collection::vec((set, count), 0..5)
        .prop_map(|parts| parts.into_iter().map(|(set, count)| set + &count).collect())
        .prop_map(|inner: String| format!("^{inner}$"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_small_matcher_and_the_engine_agree(source in any_pattern(), texts in prop::collection::vec("[abcA1_.ä-]{0,6}", 8)) {
        let Ok(pattern) = TextPattern::compile(&source) else { return Ok(()) };
        let regex = Regex::new(&with_ascii_classes(&source)).unwrap();
        for text in texts {
            prop_assert_eq!(pattern.is_match(text.as_bytes()), regex.is_match(text.as_bytes()), "{} {}", source, text);
            prop_assert_eq!(pattern.mismatch(text.as_bytes()).is_none(), pattern.is_match(text.as_bytes()));
        }
    }

    #[test]
    fn long_runs_and_the_engine_agree(
        set in prop_oneof![Just("[0-9.]"), Just("[ab]"), Just(r"\w")],
        count in prop_oneof![Just("*"), Just("+"), Just("{8}"), Just("{9,30}"), Just("{16,}")],
        text in "[0-9.]{0,40}|[ab]{0,40}|[ab]{7,17}[0-9-]?[ab]{0,17}",
    ) {
        let source = format!("^{set}{count}-?$");
        let simple = pattern(&source);
        prop_assert!(!matches!(simple.engine, Engine::Regex(_)));
        let regex = Regex::new(&with_ascii_classes(&source)).unwrap();
        prop_assert_eq!(simple.is_match(text.as_bytes()), regex.is_match(text.as_bytes()), "{} {}", source, text);
    }

    #[test]
    fn texts_of_one_length_and_the_engine_agree(
        head in prop::sample::select(vec!["AB", "[A-D-]", "x", "-"]),
        set in prop::sample::select(vec!["[0-9]", "[0-9A-F]", "[.0-9]", "[0-9A-Ca-f]", "[A-D]"]),
        count in 4_usize..20,
        tail in prop::sample::select(vec!["", "A", "-", "[A-D]{2}"]),
        texts in prop::collection::vec("[A-Dx-]{1,4}[0-9]{4,20}[A-D-]{0,2}|[A-D]{1,4}[0-9A-F]{4,20}[:@/]?[A-D-]{0,2}", 8),
        fill in "[0-9]{4,20}|[0-9A]{4,20}",
    ) {
        let source = format!("^{head}{set}{{{count}}}{tail}$");
        let simple = pattern(&source);
        let regex = Regex::new(&source).unwrap();
        let likely = head.replace("[A-D-]", "B") + &fill + if tail.len() == 1 { tail } else { "" };
        for text in texts.iter().chain([&likely]) {
            prop_assert_eq!(simple.is_match(text.as_bytes()), regex.is_match(text.as_bytes()), "{} {}", source, text);
            prop_assert_eq!(simple.mismatch(text.as_bytes()).is_none(), simple.is_match(text.as_bytes()));
        }
    }

    #[test]
    fn one_length_is_told_at_once(digits in "[0-9]{10}", at in 0_usize..12, byte in any::<u8>()) {
        let simple = pattern("^[A-Z]{2}[0-9]{10}$");
        prop_assert!(matches!(simple.engine, Engine::Fixed(..)));
        let mut text = format!("AC{digits}").into_bytes();
        prop_assert!(simple.is_match(&text));
        prop_assert!(!simple.is_match(&text[1..]));
        text[at] = byte;
        let fits = if at < 2 { byte.is_ascii_uppercase() } else { byte.is_ascii_digit() };
        prop_assert_eq!(simple.is_match(&text), fits);
    }

    #[test]
    fn a_long_run_stops_at_the_first_byte_that_is_not_of_its_set(at in 0_usize..40, byte in "[^0-9]") {
        let text = format!("{}{byte}00", "7".repeat(at));
        let found = u32::try_from(at + 1).map(Mismatch::Character).ok();
        prop_assert_eq!(pattern("^[0-9]*$").mismatch(text.as_bytes()), found);
    }

    #[test]
    fn texts_made_from_a_simple_pattern_match_it(text in "MRN[0-9]{6}[A-F]{0,3}(-[a-z]+)?") {
        let simple = pattern("^MRN[0-9]{6}[A-F]{0,3}-?[a-z]*$");
        prop_assert!(simple.is_match(text.as_bytes()));
    }

    #[test]
    fn no_pattern_and_no_text_panics(source in "\\PC{0,20}|[\\^$\\[\\]{}a\\\\,0-9d-]{0,12}", bytes: Vec<u8>) {
        if let Ok(pattern) = TextPattern::compile(&source) {
            prop_assert_eq!(pattern.is_match(&bytes), pattern.mismatch(&bytes).is_none());
        }
    }
}
