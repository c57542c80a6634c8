//! Tables for a reader.

/// How text is marked.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// Whether headings are bold and marks have colours; only on a terminal.
    pub(crate) colours: bool,
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing beside what it says.
    None,
    /// All is well.
    Good,
    /// Worth knowing.
    Note,
    /// Somebody has to act.
    Wrong,
}

impl Style {
    /// A text in the colour of its mark (ECMA-48, "Select graphic rendition").
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

/// Columns as wide as their widest cell, two spaces apart, nothing behind the last.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]], style: Style) -> String {
    let rows: Vec<_> = rows.iter().map(|row| (row.clone(), Mark::None)).collect();
    marked_table(heads, &rows, style)
}

/// A table whose lines are marked.
pub(crate) fn marked_table<const N: usize>(
    heads: [&str; N],
    rows: &[([String; N], Mark)],
    style: Style,
) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|(row, _)| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or_default()
    });
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(&heads.map(str::to_owned));
    let head = if style.colours { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head };
    let lines = rows.iter().map(|(row, mark)| style.mark(&line(row), *mark));
    std::iter::once(head).chain(lines).flat_map(|line| [line, "\n".to_owned()]).collect()
}
