"""`make picture`: writes docs/architecture.svg from the two tables below. With `--check` it only compares (`make lint`).

One box a line: name, column, row, kind, title, second line. One arrow a line: from, to. Colours follow the reader's light
or dark mode.
"""

import sys
from html import escape
from pathlib import Path

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "architecture.svg"

BOXES = """
s3         | 0 | 1 | outside  | Partner           | uploads to S3
https      | 0 | 2 | outside  | Partner           | sends by HTTPS
inbox      | 1 | 1 | store    | inbox bucket      | every file version
api        | 1 | 2 | function | partner API       | authorizer, ingest
queue      | 2 | 1 | store    | queue             | one message per file
dead       | 2 | 2 | store    | dead-letter queue | after 10 attempts
contracts  | 3 | 0 | store    | contracts bucket  | <feed>.odcs.yaml
processor  | 3 | 1 | function | processor         | check, load, commit
records    | 4 | 0 | store    | records table     | good rows, by key
quarantine | 4 | 1 | store    | quarantine bucket | rejects, receipts
ledger     | 4 | 2 | store    | ledger table      | one entry per version
outcomes   | 4 | 3 | store    | outcome topic     | one event per file
webhook    | 3 | 3 | function | webhook           | signed POST, retried
receiver   | 2 | 3 | outside  | Partner           | receives outcomes
watcher    | 0 | 4 | function | watcher           | missing files, lost events
alarms     | 1 | 4 | store    | alarms            | metrics of all functions
notifier   | 2 | 4 | function | notifier          | one page per incident
operators  | 3 | 4 | outside  | Operators         | mail, chat, pager
"""

ARROWS = """
s3        | inbox
https     | api
api       | inbox
inbox     | queue
queue     | dead
queue     | processor
contracts | processor
processor | records
processor | quarantine
processor | ledger
processor | outcomes
outcomes  | webhook
webhook   | receiver
watcher   | alarms
alarms    | notifier
notifier  | operators
"""

WIDTH, HEIGHT, COLUMN, ROW, LEFT, TOP = 164, 54, 196, 84, 20, 20
FONT = "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
# Kind: fill and line, in light mode and in dark mode.
KINDS = {
    "outside": (("#ffffff", "#57606a"), ("#0d1117", "#8b949e")),
    "store": (("#ddf4ff", "#0969da"), ("#0c2d6b", "#58a6ff")),
    "function": (("#fff1d6", "#9a6700"), ("#3d2a00", "#d29922")),
}
PAPER, INK, LINE = ("#ffffff", "#161b22"), ("#1f2328", "#e6edf3"), ("#57606a", "#8b949e")


def rows(table: str) -> list[list[str]]:
    return [[field.strip() for field in line.split("|")] for line in table.strip().splitlines()]


PLACES = {name: (int(column), int(row)) for name, column, row, *_ in rows(BOXES)}


def left_and_top(name: str) -> tuple[int, int]:
    column, row = PLACES[name]
    return LEFT + column * COLUMN, TOP + row * ROW


def style(mode: int) -> str:
    """The colours of light mode (0) or dark mode (1)."""
    lines = [f".paper {{ fill: {PAPER[mode]} }}", f"text {{ fill: {INK[mode]} }}", f".line {{ stroke: {LINE[mode]} }}"]
    lines += [f".tip {{ fill: {LINE[mode]} }}"]
    for kind, colours in KINDS.items():
        fill, line = colours[mode]
        lines.append(f".{kind} {{ fill: {fill}; stroke: {line} }}")
    return " ".join(lines)


def box(name: str, kind: str, title: str, second: str) -> str:
    x, y = left_and_top(name)
    middle = x + WIDTH // 2
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text class="title" x="{middle}" y="{y + 23}">{escape(title)}</text>'
        f'<text class="second" x="{middle}" y="{y + 41}">{escape(second)}</text>'
    )


def arrow(source: str, target: str) -> str:
    """A straight line where both boxes share a row or column; otherwise right, up or down in the gap, and right again."""
    (from_column, from_row), (to_column, to_row) = PLACES[source], PLACES[target]
    (x, y), (to_x, to_y) = left_and_top(source), left_and_top(target)
    across, down = WIDTH // 2, HEIGHT // 2
    # Lines that end in the same gap between columns keep apart.
    above, below = HEIGHT // 4, HEIGHT - HEIGHT // 4
    if from_column == to_column:
        upwards = to_row < from_row
        points = [(x + across, y if upwards else y + HEIGHT), (x + across, to_y + HEIGHT if upwards else to_y)]
    elif to_column < from_column:
        points = [(x, y + below), (to_x + WIDTH, y + below)]
    else:
        half = to_x - (COLUMN - WIDTH) // 2
        end = to_y + (down if from_row == to_row else above)
        points = [(x + WIDTH, y + down), (half, y + down), (half, end), (to_x, end)]
    return f'<path class="line" marker-end="url(#tip)" d="M {" L ".join(f"{x} {y}" for x, y in points)}"/>'


def picture() -> str:
    width = 2 * LEFT + max(column for column, _ in PLACES.values()) * COLUMN + WIDTH
    height = 2 * TOP + max(row for _, row in PLACES.values()) * ROW + HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<!-- Written by infra/picture.py: run `make picture`. -->",
        "<title>The path of a file through Silent Scalper</title>",
        f"<style>text {{ {FONT}; text-anchor: middle }} .title {{ font-size: 14px; font-weight: 600 }} .second {{ font-size: 12px }}",
        "rect { stroke-width: 1.5 } .paper { stroke: none } .line { fill: none; stroke-width: 1.5 }",
        style(0),
        f"@media (prefers-color-scheme: dark) {{ {style(1)} }}</style>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path class="tip" d="M 0 0.5 L 8 4 L 0 7.5 z"/></marker></defs>',
        f'<rect class="paper" width="{width}" height="{height}" rx="10"/>',
    ]
    lines += [arrow(source, target) for source, target in rows(ARROWS)]
    lines += [box(name, kind, title, second) for name, _, _, kind, title, second in rows(BOXES)]
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    if sys.argv[1:] != ["--check"]:
        PICTURE.write_text(picture())
    elif not PICTURE.exists() or PICTURE.read_text() != picture():
        sys.exit("docs/architecture.svg is out of date: run `make picture`")


if __name__ == "__main__":
    main()
