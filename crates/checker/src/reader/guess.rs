//! The encoding that bytes look like, for the message about bytes that are not UTF-8.

use contract::LooksLike;

/// Returns a guess; `None` when the bytes look like damaged UTF-8, or like none of the encodings that are told apart.
pub(crate) fn looks_like(raw: &[u8]) -> Option<LooksLike> {
    let zeros = memchr::memchr_iter(0, raw).count();
    // Every second byte of Western text in UTF-16 is zero.
    if zeros > 1 && zeros * 3 >= raw.len() {
        return Some(LooksLike::Utf16);
    }
    let high = raw.iter().filter(|byte| !byte.is_ascii()).count();
    let is_western = zeros == 0 && high > 0 && high * 2 <= raw.len();
    let only_letters = raw
        .utf8_chunks()
        .all(|chunk| chunk.valid().is_ascii() && chunk.invalid().iter().copied().all(is_usual));
    (is_western && only_letters).then_some(LooksLike::Windows1252)
}

/// Returns a letter of Windows-1252, or one of its signs that Western texts have: the euro sign, quotes, dashes.
fn is_usual(byte: u8) -> bool {
    matches!(byte, 0x80 | 0x84 | 0x85 | 0x8a | 0x8c | 0x8e | 0x91..=0x97 | 0x9a | 0x9c | 0x9e..=0xfe)
}

/// Returns the name in messages.
pub(crate) fn name(encoding: LooksLike) -> &'static str {
    match encoding {
        LooksLike::Utf16 => "UTF-16",
        LooksLike::Windows1252 => "Windows-1252",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_text_is_told_from_damaged_utf_8_and_from_other_scripts() {
        for (raw, expected) in [
            (&b"1,M\xfcller"[..], Some(LooksLike::Windows1252)),
            (b"1,\x80 5 \x96 now", Some(LooksLike::Windows1252)),
            (b"M\xfcller \xc3\xbc", None),
            (b"1,\x83e\x83X\x83g", None),
            (b"\xd6\xd0\xb9\xfa\xca\xc7", None),
            (b"1,a,\xff", None),
            (b"a\0b\0c\0", Some(LooksLike::Utf16)),
            (b"\0a\0b\0c", Some(LooksLike::Utf16)),
            (b"abc\0", None),
        ] {
            assert_eq!(looks_like(raw), expected, "{raw:?}");
        }
    }
}
