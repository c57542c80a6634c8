//! The name that a sender gives to a file.
//!
//! Names of the API are ASCII and short: no two of them look alike, none leads to another folder, none turns the
//! reading direction or ends a header. Keys that are put by S3 have only the limits of S3.

use runtime::Key;

use crate::problem::{ProblemCode, ProblemDetails};

/// Maximum length of a name, characters.
pub const NAME_CHARACTERS: usize = 128;

/// The pattern of a name, for documents.
pub const NAME_PATTERN: &str = "^[A-Za-z0-9]([A-Za-z0-9 ._()+-]{0,126}[A-Za-z0-9_()+-])?$";

/// Checks whether a text may be a file's name. The problem says which character, never the name.
pub fn check(name: &str) -> Result<(), ProblemDetails> {
    let expected = "expected 1 to 128 of A-Z a-z 0-9 space . _ ( ) + -, beginning with a letter or digit and not \
                    ending in a space or point; or leave the name out";
    let reject =
        |found: String| Err(ProblemDetails::new(ProblemCode::InvalidName, format!("{found}: {expected}")));
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARACTERS {
        return reject(format!("the name has {count} characters"));
    }
    let wrong =
        |(place, letter): (usize, char)| !letter.is_ascii_alphanumeric() && (place == 0 || !inside(letter));
    if let Some(place) = name.chars().enumerate().position(wrong) {
        return reject(format!("character {} of the name is not allowed", place + 1));
    }
    if name.ends_with([' ', '.']) {
        return reject(format!("character {count} of the name may not be the last"));
    }
    if matches!(Key::read(&format!("a/a/{name}")), Key::File { .. }) {
        Ok(())
    } else {
        reject("the name is that of a file which a desktop creates automatically".to_owned())
    }
}

fn inside(letter: char) -> bool {
    matches!(letter, ' ' | '.' | '_' | '(' | ')' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_names_are_taken() {
        for name in ["a", "day.csv", "Labs 2026-11-20 (2).csv.gz", "x+y_z.ndjson", &"a".repeat(128)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_rejected_name_is_answered_with_the_place_and_not_with_the_name() {
        let long = "a".repeat(129);
        let cases = [
            ("", "0 characters"),
            (long.as_str(), "129 characters"),
            ("../x", "character 1 "),
            (".hidden", "character 1 "),
            ("a/../../b", "character 2 "),
            ("a\\b", "character 2 "),
            ("a%2fb", "character 2 "),
            ("a\0b", "character 2 "),
            ("a\r\nx-amz-meta: b", "character 2 "),
            ("pa\u{131}n.csv", "character 3 "),
            ("\u{430}.csv", "character 1 "),
            ("a\u{202e}vsc.exe", "character 2 "),
            ("e\u{301}.csv", "character 2 "),
            ("day.csv ", "character 8 "),
            ("day.", "character 4 "),
            ("~$a.xlsx", "character 1 "),
            ("Thumbs.db", "desktop"),
            ("desktop.ini", "desktop"),
        ];
        for (name, place) in cases {
            let problem = check(name).expect_err(place);
            assert_eq!(problem.code, ProblemCode::InvalidName);
            assert!(problem.detail.contains(place), "{}", problem.detail);
            assert!(name.len() < 3 || !problem.detail.contains(name), "{}", problem.detail);
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_one_segment_of_plain_characters(name: String, plain in "[ -~]{0,130}") {
            for name in [name, plain] {
                if check(&name).is_ok() {
                    prop_assert!(name.is_ascii() && !name.contains(['/', '\\', '%']) && name.len() <= NAME_CHARACTERS);
                    prop_assert!(!name.starts_with('.') && !name.ends_with(['.', ' ']));
                }
            }
        }
    }
}
