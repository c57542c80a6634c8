//! Tables and paragraphs for a reader, no wider than the terminal.

use std::borrow::Cow;

/// Columns of text where no terminal says otherwise.
pub const WIDTH: usize = 80;
/// Characters to which a column is shortened at most.
const LEAST: usize = 8;
/// Characters that the last column keeps when it is broken into lines.
const LEAST_LAST: usize = 24;

/// How text is marked, and how wide it may be.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// Whether headings are bold and marks have colours; only on a terminal.
    pub(crate) colours: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing besides the text.
    None,
    /// All is well.
    Good,
    /// Worth knowing.
    Note,
    /// Somebody has to act.
    Wrong,
}

/// How a table keeps to the width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit<'c> {
    /// It does not: every cell is whole.
    Whole,
    /// These columns are shortened in the middle, the widest first.
    Shorten(&'c [usize]),
    /// The last column is broken into lines.
    WrapLast,
}

impl Style {
    /// Returns a text in the colour of its mark (ECMA-48, "Select graphic rendition").
    pub(crate) fn mark(self, text: &str, mark: Mark) -> String {
        let colour = match mark {
            Mark::Good => "32",
            Mark::Note => "33",
            Mark::Wrong => "31",
            Mark::None => "",
        };
        if self.colours && !colour.is_empty() {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Returns columns as wide as their widest cell, two spaces apart, nothing behind the last.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]], style: Style) -> String {
    fitted(heads, rows, Fit::Whole, style)
}

/// Returns a table without marks that keeps to the width.
pub(crate) fn fitted<const N: usize>(
    heads: [&str; N],
    rows: &[[String; N]],
    fit: Fit<'_>,
    style: Style,
) -> String {
    let rows: Vec<_> = rows.iter().map(|row| (row.clone(), Mark::None)).collect();
    marked_table(heads, &rows, fit, style)
}

/// Returns a table whose lines are marked.
pub(crate) fn marked_table<const N: usize>(
    heads: [&str; N],
    rows: &[([String; N], Mark)],
    fit: Fit<'_>,
    style: Style,
) -> String {
    let widths = widths(&heads, rows, fit, style.width);
    let head = line(&heads.map(str::to_owned), &widths);
    let head = if style.colours { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head };
    let mut text = head + "\n";
    for (row, mark) in rows {
        for line in lines(row, &widths, fit) {
            text.push_str(&style.mark(&line, *mark));
            text.push('\n');
        }
    }
    text
}

fn widths<const N: usize>(
    heads: &[&str; N],
    rows: &[([String; N], Mark)],
    fit: Fit<'_>,
    most: usize,
) -> [usize; N] {
    let mut widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|(row, _)| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or_default()
    });
    let surplus =
        |widths: &[usize]| (widths.iter().sum::<usize>() + 2 * N.saturating_sub(1)).saturating_sub(most);
    match fit {
        Fit::Whole => {}
        Fit::WrapLast => {
            let over = surplus(&widths);
            if let Some(last) = widths.last_mut() {
                *last = (*last).min(last.saturating_sub(over).max(LEAST_LAST));
            }
        }
        Fit::Shorten(columns) => {
            while surplus(&widths) > 0 {
                let shorter = columns.iter().filter_map(|column| Some((*widths.get(*column)?, *column)));
                let Some((width, widest)) = shorter.max().filter(|(width, _)| *width > LEAST) else { break };
                if let Some(found) = widths.get_mut(widest) {
                    *found = width - 1;
                }
            }
        }
    }
    widths
}

/// Returns the lines of a row: one, or more where the last cell is broken.
fn lines(row: &[String], widths: &[usize], fit: Fit<'_>) -> Vec<String> {
    let last = widths.last().copied().unwrap_or_default();
    let broken = match row.split_last() {
        Some((cell, _)) if fit == Fit::WrapLast => wrap(cell, last),
        _ => Vec::new(),
    };
    let Some((first, more)) = broken.split_first() else { return vec![line(row, widths)] };
    let mut cells = row.to_vec();
    if let Some(cell) = cells.last_mut() {
        first.clone_into(cell);
    }
    let mut lines = vec![line(&cells, widths)];
    let indent = row.len().saturating_sub(1) * 2 + widths.iter().rev().skip(1).sum::<usize>();
    lines.extend(more.iter().map(|more| format!("{:indent$}{more}", "")));
    lines
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{:width$}", shorten(cell, *width)));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Returns a text without its middle where it has more than `most` characters: both ends of a name are needed to recognise it.
pub(crate) fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= most {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let (begin, end) = (kept - kept / 2, kept / 2);
    let ends = text.chars().take(begin).chain(['…']).chain(text.chars().skip(length - end));
    Cow::Owned(ends.collect())
}

/// Returns a text in lines of at most `width` characters, broken at blanks. A longer word has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut left = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if let Some(line) = lines.last_mut().filter(|_| length < left) {
            line.push(' ');
            line.push_str(word);
            left -= length + 1;
        } else {
            lines.push(word.to_owned());
            left = width.saturating_sub(length);
        }
    }
    lines
}

/// Returns a paragraph: `head`, then the text, whose further lines begin below its first.
pub(crate) fn paragraph(head: &str, text: &str, style: Style) -> String {
    let indent = head.chars().count();
    let lines = wrap(text, style.width.saturating_sub(indent).max(LEAST_LAST));
    let mut all = String::new();
    for (index, line) in lines.iter().enumerate() {
        let begin = if index == 0 { head.to_owned() } else { " ".repeat(indent) };
        all.push_str(&begin);
        all.push_str(line);
        all.push('\n');
    }
    if lines.is_empty() { format!("{}\n", head.trim_end()) } else { all }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NARROW: Style = Style { colours: false, width: 24 };

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shorten("north/labs/monday.csv", 12), "north/…y.csv");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(shorten("äöüäöü", 3), "ä…ü");
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn only_the_chosen_columns_are_shortened() {
        let rows = [["0123456789".to_owned(), "a-name-of-many-letters".to_owned()]];
        let text = fitted(["id", "name"], &rows, Fit::Shorten(&[1]), NARROW);
        assert_eq!(text, "id          name\n0123456789  a-name…tters\n");
        assert!(fitted(["id", "name"], &rows, Fit::Whole, NARROW).contains("a-name-of-many-letters"));
    }

    #[test]
    fn a_long_last_cell_goes_on_below_itself() {
        let rows = [["1".to_owned(), "seven words that do not fit into the line".to_owned()]];
        let text = fitted(["n", "why"], &rows, Fit::WrapLast, Style { width: 30, ..NARROW });
        assert_eq!(text, "n  why\n1  seven words that do not fit\n   into the line\n");
        let text = paragraph("note  ", "two lines of a text are here", Style { width: 32, ..NARROW });
        assert_eq!(text, "note  two lines of a text are\n      here\n");
    }

    proptest! {
        #[test]
        fn what_may_be_shortened_fits(cells in proptest::collection::vec(".{0,40}", 3), width in 40..100_usize) {
            let row = [cells[0].clone(), cells[1].clone(), cells[2].clone()];
            let text = fitted(["a", "b", "c"], &[row], Fit::Shorten(&[0, 1, 2]), Style { colours: false, width });
            prop_assert!(text.split('\n').all(|line| line.chars().count() <= width));
        }

        #[test]
        fn wrapping_keeps_every_word(text in "[a-z ]{0,80}", width in 1..40_usize) {
            let words: Vec<_> = text.split_whitespace().collect();
            let lines = wrap(&text, width);
            prop_assert_eq!(lines.join(" "), words.join(" "));
            prop_assert!(lines.iter().all(|line| line.len() <= width || !line.contains(' ')));
        }
    }
}
