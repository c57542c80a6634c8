//! No expression makes the compiler panic, and no record a program.

use proptest::prelude::*;

use super::{Cell, LONGEST, NAMES, outcome, program, try_program};

const SEEDS: [&str; 8] = [
    "a == 7 && (x + 0.2 > y || s in ['CT', 'Zoë']) ? p : !q",
    "w - z <= duration('36h') && date(w) == d && e != date('2026-01-31')",
    "has(o) || s.matches('^[A-Z]{2}$') && t.startsWith(\"Z\\u00eb\")",
    "-a % 3 == -1 || x / y * 2.5e3 >= -.5 // remark\n && size(s) > 2",
    "`order-id` == 'A-1' && l < timestamp('2026-01-31T00:00:00')",
    "h > time('08:00:00') ? (p ? a : b) in [1, 2.5, -3] : s.contains(r'\\d')",
    "a * b - 99999999999999999999999999999999999999 < y && a != null",
    "((((((((((a == 1))))))))))",
];

/// Words that an expression is likely to be made of.
const WORDS: [&str; 44] = [
    "a", "b", "x", "s", "p", "d", "w", "o", "(", ")", "[", "]", "&&", "||", "!", "?", ":", "==", "!=", "<",
    ">=", "in", "+", "-", "*", "/", "%", ".", ",", "has", "size", "date", "matches", "null", "true", "1",
    "2.5", "'CT'", "'", "\"", "`", "\\", "duration", "\n",
];

fn compiles(source: &str) -> bool {
    match try_program(source) {
        Ok(_) => true,
        Err(flaw) => {
            assert!(flaw.at <= source.len(), "{source}: {flaw:?}");
            assert!(!flaw.found.is_empty() && !flaw.expected.is_empty(), "{source}: {flaw:?}");
            false
        }
    }
}

fn cell(kind: u8, text: &str) -> Cell<'_> {
    match kind % 9 {
        0 => Cell::Absent,
        1 => Cell::Null,
        2 | 3 => Cell::Text(text.as_bytes()),
        4 => Cell::String(text.as_bytes()),
        5 => Cell::Number(text.as_bytes()),
        6 => Cell::Boolean(text.len().is_multiple_of(2)),
        7 => Cell::Object(text.as_bytes()),
        _ => Cell::Array(text.as_bytes()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_compiler_panic(source in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        compiles(&source);
        compiles(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_row_of_words_makes_the_compiler_panic(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..60)) {
        compiles(&words.join(" "));
        compiles(&words.concat());
    }

    #[test]
    fn no_changed_expression_makes_the_compiler_panic(
        seed in 0..SEEDS.len(), other in 0..SEEDS.len(), at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(), insert in prop::sample::select(&WORDS[..]), times in 0_usize..400,
    ) {
        let characters: Vec<char> = SEEDS[seed].chars().collect();
        let (head, tail) = characters.split_at(at.index(characters.len()));
        let head: String = head.iter().collect();
        let tail: String = tail.iter().skip(cut.index(4)).collect();
        compiles(&format!("{head}{insert}{tail}"));
        compiles(&format!("{head}{}{tail}", insert.repeat(times)));
        compiles(&format!("{}{head}{tail}", "(".repeat(times)));
        compiles(&format!("{}{head}{tail}", "!".repeat(times)));
        compiles(&format!("{head}{}", SEEDS[other]));
    }

    #[test]
    fn no_record_makes_a_program_panic(
        seed in 0..SEEDS.len(), kinds in prop::collection::vec(any::<u8>(), 16),
        texts in prop::collection::vec("([0-9.eE+-]{0,44}|-?9{38}|2026-0[0-9]-[0-3]1(T[0-2]0:30:00(Z|[+-]18:00)?)?|0001-01-01T00:00:00Z|\\PC{0,6}|\\{\\}|true)", 16),
    ) {
        let program = program(SEEDS[seed]);
        let cells: Vec<(&str, Cell<'_>)> = NAMES
            .iter()
            .zip(&kinds)
            .zip(&texts)
            .map(|((name, kind), text)| (*name, cell(*kind, text)))
            .collect();
        // Twice the same, too.
        prop_assert_eq!(outcome(&program, &cells), outcome(&program, &cells));
    }
}

#[test]
fn the_seeds_compile() {
    for seed in SEEDS {
        assert!(compiles(seed), "{seed}");
        assert!(seed.len() <= LONGEST);
    }
}
