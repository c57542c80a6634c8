//! Where a list continues, as an opaque text.
//!
//! A cursor names no partner and grants nothing: it continues the caller's own list at that place. So it needs no
//! signature, and another partner's cursor shows nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::{FileId, LoadId};
use store::FilePlace;

use crate::problem::{ProblemCode, ProblemDetails};

/// The longest cursor, in characters: a sort key has at most 1,024 bytes.
pub(crate) const CURSOR_CHARACTERS: usize = 1_400;

/// Maximum number of entries of a page.
pub(crate) const MOST_PER_PAGE: u16 = 100;

/// Default number of entries of a page.
pub(crate) const USUAL_PER_PAGE: u16 = 50;

/// Reads the number of entries of a page.
pub(crate) fn limit(text: Option<&str>) -> Result<u16, ProblemDetails> {
    let Some(text) = text else { return Ok(USUAL_PER_PAGE) };
    let plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|limit| plain && (1..=MOST_PER_PAGE).contains(limit)).ok_or_else(|| {
        ProblemDetails::new(
            ProblemCode::InvalidQuery,
            "the query parameter limit is not allowed: expected a number from 1 to 100",
        )
    })
}

/// Writes a place in a list of files.
pub(crate) fn of_file(place: &FilePlace) -> String {
    URL_SAFE_NO_PAD.encode(format!("f{}{}", place.file, place.order))
}

/// Reads [`of_file`] back.
pub(crate) fn read_file(text: &str) -> Result<FilePlace, ProblemDetails> {
    let decoded = decode(text, 'f')?;
    let (file, order) = decoded.split_at_checked(26).ok_or_else(malformed)?;
    let file = FileId::parse(file).ok_or_else(malformed)?;
    // An order is an instant and a number: letters, digits and four marks.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-:./".contains(&byte);
    if order.is_empty() || order.len() > 128 || !order.bytes().all(plain) {
        return Err(malformed());
    }
    Ok(FilePlace { order: order.to_owned(), file })
}

/// Writes a place in the history of a record.
pub(crate) fn of_version(sort: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("v{sort}"))
}

/// Reads [`of_version`] back: the sort key of a row with a primary key ends in its load's name.
pub(crate) fn read_version(text: &str) -> Result<String, ProblemDetails> {
    let decoded = decode(text, 'v')?;
    let load = decoded.rsplit_once('#').and_then(|(_, load)| LoadId::parse(load));
    if decoded.len() <= 1_024 && load.is_some() { Ok(decoded) } else { Err(malformed()) }
}

fn decode(text: &str, kind: char) -> Result<String, ProblemDetails> {
    if text.len() > CURSOR_CHARACTERS {
        return Err(malformed());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
    let decoded = String::from_utf8(bytes).map_err(|_| malformed())?;
    decoded.strip_prefix(kind).map(str::to_owned).ok_or_else(malformed)
}

fn malformed() -> ProblemDetails {
    ProblemDetails::new(
        ProblemCode::InvalidQuery,
        "the query parameter cursor does not belong to this list: pass `next` of the previous page unchanged",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "r5g61a45bnmyhnp8sgqw0ymkjv";

    #[test]
    fn a_page_has_1_to_100_entries() {
        for (text, expected) in [(None, Some(50)), (Some("1"), Some(1)), (Some("100"), Some(100))] {
            assert_eq!(limit(text).ok(), expected);
        }
        for text in ["0", "101", "", "-1", "+5", "1.0", "٣", "99999999999999999999"] {
            assert!(limit(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_cursor_of_the_list_is_rejected() {
        let file = of_file(&FilePlace {
            order: "2026-11-20T08:15:00.123Z/00".to_owned(),
            file: FileId::parse(FILE).expect("an id"),
        });
        let version = of_version(&format!("2026/0#{FILE}-ce8hmn7mrjtx6"));
        assert!(read_file(&file).is_ok() && read_version(&version).is_ok());
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            version.as_str(),
            "",
            "!",
            &encode("f"),
            &encode(&format!("f{FILE}")),
            &encode(&format!("f{FILE}a b")),
            &encode(&format!("f{FILE}é")),
            &encode("fééééééééééééééé"),
            &"A".repeat(CURSOR_CHARACTERS + 1),
        ] {
            assert!(read_file(text).is_err(), "{text}");
        }
        for text in [file.as_str(), &encode("v"), &encode("v#x"), &encode("vorder")] {
            assert!(read_version(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_read_back(order in "[0-9TZ:./-]{1,60}", sort: String) {
            let place = FilePlace { order, file: FileId::parse(FILE).expect("an id") };
            prop_assert_eq!(read_file(&of_file(&place)), Ok(place));
            let sort = format!("{sort}#{FILE}-ce8hmn7mrjtx6");
            prop_assume!(sort.len() <= 1_024);
            prop_assert_eq!(read_version(&of_version(&sort)), Ok(sort));
        }

        #[test]
        fn no_text_panics(text: String, inner: String) {
            for text in [text, URL_SAFE_NO_PAD.encode(format!("f{inner}")), URL_SAFE_NO_PAD.encode(format!("v{inner}"))] {
                if let Ok(place) = read_file(&text) {
                    prop_assert_eq!(of_file(&place), text.clone());
                }
                prop_assert!(read_version(&text).is_ok_and(|sort| of_version(&sort) == text) || read_version(&text).is_err());
            }
        }
    }
}
