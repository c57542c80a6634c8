//! Makes names and values of others harmless for a terminal and for a shell.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a text with its control characters, and those that turn or hide their neighbours (Unicode Technical Report
/// 36, "Bidirectional Text Spoofing"), written as escapes.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_odd) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_odd(letter) {
            harmless.extend(letter.escape_default());
        } else {
            harmless.push(letter);
        }
    }
    Cow::Owned(harmless)
}

/// Returns the text as [`plain`] does, with its line ends.
pub(crate) fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns a word for a shell: as it is when nothing in it means anything, else in single quotes, and with escapes
/// (`$'…'`, which bash, ksh and zsh know) where the reader could not see what the shell would.
pub(crate) fn shell_word(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if text.contains(is_odd) {
        return escaped_word(text);
    }
    if !text.is_empty() && text.bytes().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn escaped_word(text: &str) -> String {
    let mut word = "$'".to_owned();
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => word.extend(['\\', letter]),
            odd if is_odd(odd) => {
                // Octal ends after three digits, whatever follows. Writing to a string cannot fail.
                for byte in odd.encode_utf8(&mut [0; 4]).bytes() {
                    write!(word, "\\{byte:03o}").ok();
                }
            }
            letter => word.push(letter),
        }
    }
    word.push('\'');
    word
}

/// Makes bytes in any encoding harmless for a terminal: line ends and tabs pass, other control characters become
/// escapes, wherever the chunks break.
#[derive(Default)]
pub(super) struct Harmless {
    rest: Vec<u8>,
}

impl Harmless {
    /// Returns the harmless form of what is complete so far.
    pub(super) fn next(&mut self, chunk: &[u8]) -> String {
        self.rest.extend_from_slice(chunk);
        // A line end of two bytes or a character may go on in the next chunk: at most three bytes wait for it.
        let mut complete = self.rest.len().saturating_sub(3);
        while self.rest.get(complete).is_some_and(|byte| byte & 0xc0 == 0x80 || *byte == b'\n') {
            complete += 1;
        }
        let kept = self.rest.split_off(complete);
        let ready = std::mem::replace(&mut self.rest, kept);
        harmless(&ready)
    }

    /// Returns the end.
    pub(super) fn end(&mut self) -> String {
        harmless(&std::mem::take(&mut self.rest))
    }
}

fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' | '\t' => out.push(letter),
            '\r' if letters.peek() == Some(&'\n') => {}
            odd if is_odd(odd) => {
                // Writing to a string cannot fail.
                write!(out, "{}", odd.escape_default()).ok();
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_moves_a_cursor_or_turns_a_text_is_escaped() {
        assert_eq!(plain("Nord + Süd (1).csv"), "Nord + Süd (1).csv");
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{9b}\u{202e}c"), r"a\u{1b}[2Jb\r\n\u{9b}\u{202e}c");
        assert_eq!(plain_lines("a\n\tb"), "a\n\\tb");
    }

    #[test]
    fn a_shell_sees_one_word_whatever_stands_in_it() {
        assert_eq!(shell_word("north/labs/day.csv"), "north/labs/day.csv");
        assert_eq!(shell_word("it's $(x)"), r"'it'\''s $(x)'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("ä ö"), "'ä ö'");
        assert_eq!(shell_word("a\n1'b\\\u{202e}"), r"$'a\0121\'b\\\342\200\256'");
    }

    #[test]
    fn lines_pass_and_escapes_do_not() {
        let mut terminal = Harmless::default();
        let shown = terminal.next("a,\u{fc}\r\nb,\u{1b}]0;x\u{7}\r".as_bytes()) + &terminal.end();
        assert_eq!(shown, "a,\u{fc}\nb,\\u{1b}]0;x\\u{7}\\r");
    }

    proptest! {
        #[test]
        fn nothing_odd_is_left_in_any_text(text: String) {
            prop_assert!(!plain(&text).contains(is_odd));
            prop_assert!(!shell_word(&text).contains(is_odd));
        }

        #[test]
        fn chunks_do_not_change_what_is_shown(text in "[a\u{fc}\u{1f600}\r\n\u{1b}\u{9b},]{0,40}", at in 0..60_usize) {
            let bytes = text.as_bytes();
            let (one, other) = bytes.split_at(at.min(bytes.len()));
            let mut terminal = Harmless::default();
            let shown = terminal.next(one) + &terminal.next(other) + &terminal.end();
            prop_assert_eq!(shown, harmless(bytes));
        }

        #[test]
        fn no_bytes_panic_or_reach_a_terminal_as_they_are(chunks: Vec<Vec<u8>>) {
            let mut terminal = Harmless::default();
            let mut shown: String = chunks.iter().map(|chunk| terminal.next(chunk)).collect();
            shown += &terminal.end();
            prop_assert!(!shown.contains(|letter| is_odd(letter) && letter != '\n' && letter != '\t'));
        }
    }
}
