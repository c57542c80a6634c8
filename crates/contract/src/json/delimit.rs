//! Where a JSON value ends, without reading it.

/// Finds the end of one value, also over several pieces of text. It only balances brackets outside of strings; whether
/// the value is JSON is for the [`Tokens`](super::Tokens) to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delimiter {
    /// Bytes of the value that were looked at, from the beginning of the text.
    looked: usize,
    /// Brackets that are open.
    depth: u64,
    inside: Inside,
}

/// What the next byte is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    /// Nothing: it is the first.
    #[default]
    Nothing,
    /// A number or a word, or other text in their place.
    Scalar,
    /// An object or an array.
    Brackets,
    String,
    /// A string, behind a backslash.
    Escape,
}

impl Delimiter {
    /// Looks on in `text`, which begins with the value and is longer than last time. Returns the value's end.
    pub fn find_end(&mut self, text: &[u8]) -> Option<usize> {
        while self.looked < text.len() {
            let ended = match self.inside {
                Inside::Nothing => self.first(text),
                Inside::Scalar => self.scalar(text),
                Inside::Brackets => self.brackets(text),
                Inside::String => self.string(text),
                Inside::Escape => {
                    self.inside = Inside::String;
                    self.looked += 1;
                    false
                }
            };
            if ended {
                return Some(self.looked);
            }
        }
        None
    }

    /// Notes that this number of bytes was searched and dropped; the next text follows them.
    pub fn forget(&mut self, bytes: usize) {
        self.looked = self.looked.saturating_sub(bytes);
    }

    fn first(&mut self, text: &[u8]) -> bool {
        self.inside = match text.first() {
            Some(b'{' | b'[') => Inside::Brackets,
            Some(b'"') => {
                self.looked += 1;
                Inside::String
            }
            _ => Inside::Scalar,
        };
        false
    }

    fn scalar(&mut self, text: &[u8]) -> bool {
        let rest = text.get(self.looked..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let end = rest.iter().position(ends);
        self.looked += end.unwrap_or(rest.len());
        end.is_some()
    }

    fn string(&mut self, text: &[u8]) -> bool {
        let rest = text.get(self.looked..).unwrap_or_default();
        let Some(at) = memchr::memchr2(b'"', b'\\', rest) else {
            self.looked = text.len();
            return false;
        };
        self.looked += at + 1;
        if rest.get(at) == Some(&b'\\') {
            self.inside = Inside::Escape;
            return false;
        }
        self.inside = Inside::Brackets;
        self.depth == 0
    }

    /// Returns up to the end of the value, or into a string.
    fn brackets(&mut self, text: &[u8]) -> bool {
        let rest = text.get(self.looked..).unwrap_or_default();
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.looked += at + 1;
                        return true;
                    }
                }
                b'"' => {
                    self.inside = Inside::String;
                    self.looked += at + 1;
                    return false;
                }
                _ => {}
            }
        }
        self.looked = text.len();
        false
    }
}
