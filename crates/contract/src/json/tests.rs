use proptest::prelude::*;

use super::*;

const DEPTH: u32 = 32;

/// The kinds of a text's tokens, with the mistake at its end.
fn kinds(text: &str) -> (Vec<TokenKind>, Option<(JsonFlaw, usize)>) {
    let mut tokens = Tokens::new(text.as_bytes(), DEPTH);
    let kinds = tokens.by_ref().map(|token| token.kind).collect();
    (kinds, tokens.flaw().map(|flaw| (flaw.flaw, flaw.at)))
}

#[test]
fn each_token_has_its_place() {
    let text = r#" {"a" : [-1.50e+2, "x\"", {}], "\u00e9":null } "#;
    let tokens: Vec<_> = Tokens::new(text.as_bytes(), DEPTH)
        .map(|token| (token.kind, text.get(token.source()).unwrap_or_default()))
        .collect();
    assert_eq!(
        tokens,
        [
            (TokenKind::Object, "{"),
            (TokenKind::Name, r#""a""#),
            (TokenKind::Array, "["),
            (TokenKind::Number, "-1.50e+2"),
            (TokenKind::String, r#""x\"""#),
            (TokenKind::Object, "{"),
            (TokenKind::Close, "}"),
            (TokenKind::Close, "]"),
            (TokenKind::Name, r#""\u00e9""#),
            (TokenKind::Null, "null"),
            (TokenKind::Close, "}"),
        ]
    );
}

#[test]
fn what_is_too_deep_is_one_token_that_is_only_balanced() {
    let mut tokens = Tokens::new(b"[[{]],1]", 1);
    assert_eq!(tokens.by_ref().map(|token| token.kind).collect::<Vec<_>>().len(), 4);
    assert!(tokens.ended());
    assert_eq!(kinds(&"[".repeat(100_000)).1, Some((JsonFlaw::Ends, 100_000)));
    let levels = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert_eq!(Tokens::new(levels.as_bytes(), u32::MAX).count(), 128);
    let deeper = format!("[{levels}]");
    assert!(Tokens::new(deeper.as_bytes(), u32::MAX).any(|token| token.kind == TokenKind::Deep));
}

#[test]
fn a_mistake_has_its_line_and_its_character() {
    let text = "{\n \"ä\": 1,\n}".as_bytes();
    let mut tokens = Tokens::new(text, DEPTH);
    assert_eq!(tokens.by_ref().count(), 3);
    let flaw = tokens.flaw().map(|flaw| (flaw.flaw, flaw.place(text), flaw.depth));
    assert_eq!(flaw, Some((JsonFlaw::CommaBeforeBrace, (2, 8), 1)));
}

#[test]
fn the_first_repeated_name_or_level_too_many_is_found() {
    let found =
        |text: &str| check_names(text.as_bytes(), 3).err().map(|flaw| (flaw.flaw, flaw.at, flaw.depth));
    assert_eq!(found(r#"{"a":{"a":[1]},"b":{"a":1}}"#), None);
    assert_eq!(found(r#"{"a":1,"\u0061":{"b":1,"b":2}}"#), Some((JsonFlaw::DuplicateField, 7, 1)));
    assert_eq!(found(r#"[{"b":1,"b":2}]"#), Some((JsonFlaw::DuplicateField, 8, 2)));
    assert_eq!(found("[[[[]]]]"), Some((JsonFlaw::Depth, 3, 3)));
    assert_eq!(found("[1,2"), Some((JsonFlaw::Ends, 4, 1)));
}

#[test]
fn an_escaped_nul_is_noted() {
    let nul = |text: &str| {
        let mut tokens = Tokens::new(text.as_bytes(), DEPTH);
        assert!(tokens.by_ref().count() > 0 && tokens.ended());
        tokens.nul()
    };
    assert_eq!(nul(r#"["\\u0000", "a\u0000\u0000"]"#), Some(14));
    assert_eq!(nul(r#"{"\u0001":1}"#), None);
}

#[test]
fn what_is_no_escape_stays() {
    assert_eq!(&*unescape(br#"a\"\\\u0041\ud83d\ude00\n"#), "a\"\\A\u{1f600}\n".as_bytes());
    assert_eq!(&*unescape(br"\x\ud83dx\"), br"\x\ud83dx\".as_slice());
}

/// Text that is nearly JSON. Its numbers have exponents that an `f64` can hold, which `serde_json` asks for.
fn nearly() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "{}",
        "[]",
        "[1]",
        "{\"a\":",
        "\"a\"",
        "\"\\n\"",
        "\"a\":",
        "\"\\u00e9\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\t\"",
        "\"a long enough text for two words\"",
        "\"\u{7f}ä\"",
        "0",
        "-0",
        "01",
        "-",
        "1.5",
        "1.",
        ".5",
        "1e5",
        "1E+5",
        "1e",
        "+1",
        "true",
        "false",
        "null",
        "nul",
        "True",
        "NaN",
        "'a'",
        " ",
        "\n",
        "\r",
        "\t",
        "\u{b}",
        "\u{a0}",
        "\u{feff}",
        "//",
        "\"",
        "\\",
    ]);
    prop_oneof![
        prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.concat()),
        "[\\[\\]{},:\"\\\\0-9a-eE.+\\-tru nl/]{0,30}",
    ]
}

proptest! {
    // The exceptions: this reader goes as deep as it is asked to, and leaves the check of UTF-8 to its caller.
    #[test]
    fn a_text_is_json_exactly_when_serde_json_says_so(text in nearly()) {
        let mut tokens = Tokens::new(text.as_bytes(), MOST_DEPTH);
        for token in tokens.by_ref() {
            prop_assert!(token.kind != TokenKind::Deep);
            if let TokenKind::String | TokenKind::Name = token.kind {
                let expected: String = serde_json::from_slice(&text.as_bytes()[token.source()]).unwrap();
                prop_assert_eq!(&*token.content(text.as_bytes()), expected.as_bytes());
            }
        }
        prop_assert_eq!(tokens.ended(), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        if let Some(flaw) = tokens.flaw() {
            prop_assert!(flaw.at <= text.len());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), depth in 0_u32..3) {
        for text in [bytes.clone(), [b"[\"", &bytes[..]].concat(), [b"{\"a\":", &bytes[..]].concat()] {
            let mut tokens = Tokens::new(&text, depth);
            for token in tokens.by_ref() {
                prop_assert!(token.content(&text).len() <= text.len());
            }
            prop_assert!(tokens.next().is_none());
            prop_assert!(check_names(&text, depth).is_err() || tokens.ended());
            prop_assert!(members(&text).count() + items(&text).count() <= text.len());
        }
    }
}
