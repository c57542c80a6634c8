//! Excel's first line `sep=;`.
//!
//! Excel reads the delimiter of a file from a first line that says nothing else, and so does this reader: the line
//! sets the delimiter of its file, whatever the contract says, and is neither header nor record. It may be in quotes
//! and in any case. The delimiter is one ASCII character, no quote and no line end. With `skipRows`, the line is one
//! of those skipped.

use crate::reader::next_line;

/// The longest such line: its quotes, the word, and the delimiter.
const LONGEST: usize = b"\"sep=;\"".len();

/// What the file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// The line. It sets this delimiter, and the next line begins at this byte.
    Sep { delimiter: u8, next: usize },
    /// Something else.
    Other,
    /// More text is needed to tell.
    Unknown,
}

/// Looks at the beginning of a file.
pub(super) fn first_line(text: &[u8], last: bool, quote: Option<u8>) -> FirstLine {
    let head = text.get(..LONGEST + 2).unwrap_or(text);
    let Some(line) = next_line(head, 0, last && head.len() == text.len()) else {
        return if head.len() < LONGEST + 2 { FirstLine::Unknown } else { FirstLine::Other };
    };
    let line_text = head.get(..line.end).unwrap_or_default();
    let bare = match line_text {
        [first, inner @ .., last] if first == last && (*first == b'"' || Some(*first) == quote) => inner,
        _ => line_text,
    };
    match bare {
        [s, e, p, b'=', delimiter]
            if [*s, *e, *p].eq_ignore_ascii_case(b"sep")
                && delimiter.is_ascii()
                && Some(*delimiter) != quote
                && !matches!(delimiter, 0 | b'"') =>
        {
            FirstLine::Sep { delimiter: *delimiter, next: line.next }
        }
        _ => FirstLine::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(text: &[u8]) -> Option<(u8, usize)> {
        match first_line(text, true, Some(b'"')) {
            FirstLine::Sep { delimiter, next } => Some((delimiter, next)),
            FirstLine::Other | FirstLine::Unknown => None,
        }
    }

    #[test]
    fn the_line_is_read_in_any_case_in_quotes_and_with_any_line_end() {
        assert_eq!(delimiter(b"sep=;\na;b\n"), Some((b';', 6)));
        assert_eq!(delimiter(b"SEP=|\r\na"), Some((b'|', 7)));
        assert_eq!(delimiter(b"\"sep=\t\"\ra"), Some((b'\t', 8)));
        assert_eq!(delimiter(b"Sep=,"), Some((b',', 5)));
    }

    #[test]
    fn what_says_anything_else_is_a_header() {
        for text in [
            &b"sep=\n"[..],
            b"sep=;;\n",
            b"sep;a\n",
            b"xsep=;\n",
            b"sep=\"\n",
            b"sep=\xe4\n",
            b"\"sep=;\n",
            b"",
        ] {
            assert_eq!(delimiter(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_line_is_known_once_it_is_whole() {
        assert_eq!(first_line(b"sep=;", false, None), FirstLine::Unknown);
        assert_eq!(first_line(b"sep=;\r", false, None), FirstLine::Unknown);
        assert_eq!(first_line(b"sep=;\n", false, None), FirstLine::Sep { delimiter: b';', next: 6 });
        assert_eq!(first_line(b"id;name;co", false, None), FirstLine::Other);
    }
}
