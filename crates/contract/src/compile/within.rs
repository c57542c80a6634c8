//! The place of a character of a text in the document that holds the text.

use crate::document::Place;

/// Returns the place of a byte of `text`, which is the scalar at `place` of the document; `place` itself where the two
/// cannot be followed side by side, as behind an anchor or a rare escape.
pub(super) fn place_of(document: &str, place: &Place, text: &str, at: usize) -> Place {
    follow(document, place, text, at)
        .map_or_else(|| place.clone(), |(line, column)| Place { line, column, path: place.path.clone() })
}

/// A cursor in the document.
#[derive(Clone)]
struct DocumentCursor<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: u32,
    column: u32,
}

impl DocumentCursor<'_> {
    fn take(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(character)
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.take();
        }
    }
}

/// How the scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ScalarStyle {
    Plain,
    Single,
    Double,
}

/// Walks over document and text together; line ends and blanks may differ, as folding and indentation want.
fn follow(document: &str, place: &Place, text: &str, at: usize) -> Option<(u32, u32)> {
    let mut cursor = DocumentCursor { rest: document.chars().peekable(), line: 1, column: 1 };
    while (cursor.line, cursor.column) != (place.line, place.column) {
        cursor.take()?;
    }
    let style = match cursor.peek()? {
        '\'' => ScalarStyle::Single,
        '"' => ScalarStyle::Double,
        '|' | '>' => {
            while cursor.take()? != '\n' {}
            ScalarStyle::Plain
        }
        _ => ScalarStyle::Plain,
    };
    if style != ScalarStyle::Plain {
        cursor.take();
    }
    let mut reached = (cursor.line, cursor.column);
    for (index, expected) in text.char_indices() {
        if expected.is_whitespace() {
            if index == at {
                return Some(reached);
            }
            continue;
        }
        cursor.skip_blanks();
        // A backslash at the end of a line continues it.
        while style == ScalarStyle::Double && is_continued(&cursor) {
            cursor.take();
            cursor.skip_blanks();
        }
        if index == at {
            return Some((cursor.line, cursor.column));
        }
        let found = match (cursor.take()?, style) {
            ('\\', ScalarStyle::Double) | ('\'', ScalarStyle::Single) => cursor.take(),
            (character, _) => Some(character),
        };
        if found != Some(expected) {
            return None;
        }
        reached = (cursor.line, cursor.column);
    }
    Some(reached)
}

fn is_continued(cursor: &DocumentCursor<'_>) -> bool {
    let mut rest = cursor.rest.clone();
    rest.next() == Some('\\') && matches!(rest.next(), Some('\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32, column: u32) -> Place {
        Place { line, column, ..Place::default() }
    }

    fn found(document: &str, from: (u32, u32), text: &str, word: &str) -> (u32, u32) {
        let at = text.find(word).unwrap();
        let found = place_of(document, &place(from.0, from.1), text, at);
        (found.line, found.column)
    }

    #[test]
    fn every_style_of_a_scalar_is_followed() {
        assert_eq!(found("x: a < b\n", (1, 4), "a < b", "b"), (1, 8));
        assert_eq!(found("x: 'a == ''q'' && b'\n", (1, 4), "a == 'q' && b", "b"), (1, 19));
        assert_eq!(found("x: \"a == \\\"q\\\" && b\"\n", (1, 4), "a == \"q\" && b", "b"), (1, 19));
        assert_eq!(found("x: |\n  a &&\n    b\n", (1, 4), "a &&\n  b\n", "b"), (3, 5));
        assert_eq!(found("x: >-\n  a &&\n  b\n", (1, 4), "a && b", "b"), (3, 3));
        assert_eq!(found("x: a &&\n   b\n", (1, 4), "a && b", "b"), (2, 4));
        assert_eq!(found("x: \"a && \\\n  b\"\n", (1, 4), "a && b", "b"), (2, 3));
        assert_eq!(found("x: 'ä || b'\n", (1, 4), "ä || b", "b"), (1, 10));
    }

    #[test]
    fn the_end_of_a_text_is_behind_its_last_character() {
        let end = place_of("x: |\n  a &&\n", &place(1, 4), "a &&\n", 5);
        assert_eq!((end.line, end.column), (2, 7));
    }

    #[test]
    fn what_cannot_be_followed_is_at_its_beginning() {
        assert_eq!(found("x: &a y\n", (1, 4), "other", "r"), (1, 4));
        assert_eq!(found("x: \"\\u0061b\"\n", (1, 4), "ab", "b"), (1, 4));
        assert_eq!(found("x: a\n", (9, 9), "a", "a"), (9, 9));
    }
}
