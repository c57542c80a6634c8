//! Tables for a reader.

/// How text is marked.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Whether headings are bold; only on a terminal.
    pub(super) colours: bool,
}

/// Columns as wide as their widest cell, two spaces apart, nothing behind the last.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]], style: Style) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::len);
        cells.chain(heads.get(column).map(|head| head.len())).max().unwrap_or_default()
    });
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(&heads.map(str::to_owned));
    let head = if style.colours { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head };
    let lines = std::iter::once(head).chain(rows.iter().map(|row| line(row)));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}
