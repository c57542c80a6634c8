//! Tables and paragraphs for a reader.
//!
//! On a terminal a table is no wider than it: columns of names lose the middle of their cells, the widest first, and
//! a text in the last column goes on below itself. Counts, states, codes and ids are always whole. Off a terminal
//! nothing is shortened and each row is one line, so that what reads it next gets whole names.

use std::borrow::Cow;

/// Columns of prose where neither a terminal nor `COLUMNS` gives a width.
pub const WIDTH: usize = 80;
/// Characters that a shortened cell keeps.
const LEAST: usize = 8;
/// Columns below which text is not narrowed.
const LEAST_WIDTH: usize = 40;
/// Characters that the last column keeps when it is broken into lines.
const LEAST_LAST: usize = 24;

/// How text is marked, and how wide it may be.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether headings are bold and marks have colours; only on a terminal.
    pub colours: bool,
    /// Columns of the terminal; `None` off a terminal.
    pub width: Option<usize>,
}

impl Style {
    /// Returns the style of standard output. Off a terminal nothing is marked and nothing shortened, whatever
    /// `$COLUMNS` says. On one, `columns` goes before the terminal's own width.
    #[must_use]
    pub fn of_output(
        is_terminal: bool,
        colours: bool,
        columns: Option<usize>,
        terminal: Option<usize>,
    ) -> Self {
        let width = columns.or(terminal).filter(|_| is_terminal).map(|width| width.max(LEAST_WIDTH));
        Self { colours: colours && is_terminal, width }
    }
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// No mark.
    None,
    /// All is well.
    Good,
    /// Worth knowing.
    Note,
    /// Somebody has to act.
    Wrong,
}

/// How a table keeps to a terminal's width.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit<'c> {
    /// Columns whose cells lose their middle, the widest first.
    pub(crate) shorten: &'c [usize],
    /// Whether the last column is broken into lines.
    pub(crate) wrap_last: bool,
}

impl<'c> Fit<'c> {
    /// Shortens these columns.
    pub(crate) const fn shorten(columns: &'c [usize]) -> Self {
        Self { shorten: columns, wrap_last: false }
    }

    /// Breaks the last column into lines, then shortens these.
    pub(crate) const fn wrap_last(columns: &'c [usize]) -> Self {
        Self { shorten: columns, wrap_last: true }
    }
}

impl Style {
    /// Text off a terminal.
    pub const PLAIN: Self = Self { colours: false, width: None };

    /// Returns the columns of prose.
    pub(crate) fn prose(self) -> usize {
        self.width.unwrap_or(WIDTH)
    }

    /// Returns a heading, in bold where there are colours.
    pub(crate) fn heading(self, text: &str) -> String {
        if self.colours { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

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

/// Returns a table without marks: columns as wide as their widest cell, two spaces apart, nothing behind the last.
pub(crate) fn table<const N: usize>(
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
    let heads = heads.map(str::to_owned);
    let mut widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|(row, _)| row).chain([&heads]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    narrow(&mut widths, fit, style);
    let mut text = style.heading(&line(&heads, &widths)) + "\n";
    for (row, mark) in rows {
        for line in lines(row, &widths, fit) {
            text.push_str(&style.mark(&line, *mark));
            text.push('\n');
        }
    }
    text
}

/// Returns a row of a table whose other rows are not known yet: columns of at least these widths, as far as there is
/// room.
pub(crate) fn row<const N: usize>(
    cells: &[String; N],
    least: [usize; N],
    shorten: usize,
    style: Style,
) -> String {
    let fitted = |least: [usize; N]| {
        let whole = cells.iter().zip(least).map(|(cell, least)| cell.chars().count().max(least));
        let mut widths: Vec<usize> = whole.collect();
        narrow(&mut widths, Fit::shorten(&[shorten]), style);
        widths
    };
    let widths = fitted(least);
    let widths = if surplus(&widths, style) > 0 { fitted([0; N]) } else { widths };
    line(cells, &widths)
}

/// Returns by how many columns a line is too wide.
fn surplus(widths: &[usize], style: Style) -> usize {
    let line = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    style.width.map_or(0, |most| line.saturating_sub(most))
}

fn narrow(widths: &mut [usize], fit: Fit<'_>, style: Style) {
    let over = surplus(widths, style);
    if let Some(last) = widths.last_mut().filter(|_| fit.wrap_last) {
        *last = (*last).min(last.saturating_sub(over).max(LEAST_LAST));
    }
    while surplus(widths, style) > 0 {
        let shorter = fit.shorten.iter().filter_map(|column| Some((*widths.get(*column)?, *column)));
        let Some((width, widest)) = shorter.max().filter(|(width, _)| *width > LEAST) else { break };
        if let Some(found) = widths.get_mut(widest) {
            *found = width - 1;
        }
    }
}

/// Returns the lines of a row: one, or more where the last cell is broken.
fn lines(row: &[String], widths: &[usize], fit: Fit<'_>) -> Vec<String> {
    let last = widths.last().copied().unwrap_or_default();
    let broken = match row.split_last() {
        Some((cell, _)) if fit.wrap_last && cell.chars().count() > last => wrap(cell, last),
        _ => Vec::new(),
    };
    let Some((first, more)) = broken.split_first() else { return vec![line(row, widths)] };
    let mut cells = row.to_vec();
    // A word that is longer than the column is not shortened in any line.
    let mut widths = widths.to_vec();
    if let (Some(cell), Some(width)) = (cells.last_mut(), widths.last_mut()) {
        first.clone_into(cell);
        *width = first.chars().count();
    }
    let mut lines = vec![line(&cells, &widths)];
    let indent = row.len().saturating_sub(1) * 2 + widths.iter().rev().skip(1).sum::<usize>();
    lines.extend(more.iter().map(|more| format!("{:indent$}{more}", "")));
    lines
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{:width$}", shorten(cell, *width)));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Returns a text without its middle where it has more than `most` characters. Both ends of a key are needed to
/// recognise it; the end tells more, because keys of one feed begin alike.
pub(crate) fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= most {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let begin = kept.div_ceil(3);
    let end = kept - begin;
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
    let lines = wrap(text, style.prose().saturating_sub(indent).max(LEAST_LAST));
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

    const NARROW: Style = Style { colours: false, width: Some(24) };

    #[test]
    fn a_long_name_loses_its_middle() {
        assert_eq!(shorten("north/labs/monday.csv", 12), "nort…day.csv");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(shorten("äöüäöü", 3), "ä…ü");
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn the_width_is_that_of_the_terminal_and_nothing_is_shortened_off_it() {
        let width =
            |is_terminal, columns, terminal| Style::of_output(is_terminal, true, columns, terminal).width;
        assert_eq!(width(true, None, Some(100)), Some(100));
        assert_eq!(width(true, Some(120), Some(100)), Some(120));
        assert_eq!(width(true, Some(10), Some(100)), Some(LEAST_WIDTH));
        assert_eq!(width(true, None, None), None);
        assert_eq!(width(false, Some(120), None), None);
        assert!(!Style::of_output(false, true, None, None).colours);
        assert!(!Style::of_output(true, false, None, None).colours);
    }

    #[test]
    fn only_the_chosen_columns_are_shortened_and_only_on_a_terminal() {
        let rows = [["0123456789".to_owned(), "a-name-of-many-letters".to_owned()]];
        let of = |columns: &[usize], style| table(["id", "name"], &rows, Fit::shorten(columns), style);
        assert_eq!(of(&[1], NARROW), "id          name\n0123456789  a-na…letters\n");
        assert!(of(&[], NARROW).contains("0123456789  a-name-of-many-letters"));
        assert!(of(&[1], Style::PLAIN).contains("a-name-of-many-letters"));
    }

    #[test]
    fn a_row_keeps_its_columns_until_there_is_no_room_for_them() {
        let cells = ["1".to_owned(), "a-name-of-many-letters".to_owned(), "end".to_owned()];
        let of = |width| row(&cells, [6, 0, 0], 1, Style { colours: false, width });
        assert_eq!(of(None), "1       a-name-of-many-letters  end");
        assert_eq!(of(Some(30)), "1       a-name…ny-letters  end");
        assert_eq!(of(Some(16)), "1  a-n…ters  end");
    }

    #[test]
    fn a_long_last_cell_goes_on_below_itself() {
        let rows = [["1".to_owned(), "seven words that do not fit into the line".to_owned()]];
        let of = |style| table(["n", "why"], &rows, Fit::wrap_last(&[]), style);
        let text = of(Style { width: Some(30), ..NARROW });
        assert_eq!(text, "n  why\n1  seven words that do not fit\n   into the line\n");
        assert_eq!(
            of(Style::PLAIN),
            "n  why\n1  seven words that do not fit into the line\n",
            "one line a row"
        );
        let text = paragraph("note  ", "two lines of a text are here", Style { width: Some(32), ..NARROW });
        assert_eq!(text, "note  two lines of a text are\n      here\n");
    }

    proptest! {
        #[test]
        fn what_may_be_shortened_fits(cells in proptest::collection::vec(".{0,40}", 3), width in 40..100_usize) {
            let row = [cells[0].clone(), cells[1].clone(), cells[2].clone()];
            let text = table(["a", "b", "c"], &[row], Fit::shorten(&[0, 1, 2]), Style { colours: false, width: Some(width) });
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
