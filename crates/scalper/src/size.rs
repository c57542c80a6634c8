//! Sizes as people write them: `20GiB`.

/// Units and their bytes: IEC 80000-13 for `KiB` to `TiB`, SI for `kB` to `TB`.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// The largest size of a limit: 1 PiB.
const MOST: u64 = 1 << 50;

/// Reads a size from 1 byte to 1 PiB: a whole number or a decimal fraction, then a unit in any letter case, with or
/// without a blank between; a number alone is bytes. Returns bytes, or what is expected.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let expected =
        || "expected a size from 1 byte to 1024TiB, for example 500MB, 20GiB or 1073741824".to_owned();
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let bytes = if unit.is_empty() { Some(1) } else { known.map(|(_, bytes)| *bytes) };
    let size = bytes.and_then(|bytes| scaled(number, bytes));
    size.filter(|size| (1..=MOST).contains(size)).ok_or_else(expected)
}

/// Returns a decimal number times a unit, in whole bytes, rounded down.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nine digits after the point are more than a terabyte needs to be given to the kilobyte.
    if fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit);
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_add(u64::try_from(part / scale).ok()?)
}

/// Writes a size so that [`parse`] reads it back: in the largest unit that divides it.
pub(crate) fn show(bytes: u64) -> String {
    let whole = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    let fitting = UNITS.iter().filter(whole).max_by_key(|(_, unit)| *unit);
    match fitting {
        Some((_, 1)) | None => bytes.to_string(),
        Some((name, unit)) => format!("{}{name}", bytes / unit),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_size_is_read_with_its_unit() {
        for (text, bytes) in [
            ("1", 1),
            ("1073741824", 1 << 30),
            ("20GiB", 20 << 30),
            ("20 gib", 20 << 30),
            ("500MB", 500_000_000),
            ("1.5 TB", 1_500_000_000_000),
            ("0.5KiB", 512),
            ("1024TiB", 1 << 50),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "0",
            "GiB",
            "20 G",
            "-1",
            "1.",
            "1..2GB",
            "1e9",
            "1025TiB",
            "99999999999TiB",
            "1.0000000001GB",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_shown_in_the_largest_unit_that_divides_it() {
        let shown = [20 << 30, 500_000_000, 1_500, 1_536, 1_001, 1].map(show);
        assert_eq!(shown, ["20GiB", "500MB", "1500", "1536", "1001", "1"]);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes in 1..=MOST) {
            prop_assert_eq!(parse(&show(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            drop(parse(&text));
        }
    }
}
