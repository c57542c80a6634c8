"""What the demo prints: steps, progress, the table and the excerpts."""

import csv
import json
import sys
import textwrap
import time

WIDTH = 110


class Progress:
    """One line that is rewritten on a terminal; elsewhere one plain line for each step."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.begun = time.monotonic()
        self.live = sys.stdout.isatty()

    def heard(self, outcome, done: int) -> None:
        seconds = time.monotonic() - self.begun
        text = f"  {done} of {self.total} files through after {seconds:.1f} s: {outcome.state.lower()} {outcome.key}"
        if self.live:
            print(f"\r\x1b[K{text[:WIDTH]}", end="\n" if done == self.total else "", flush=True)
        else:
            print(text, flush=True)


def step(text: str) -> None:
    print(text, flush=True)


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def table(head: tuple[str, ...], rows: list[tuple], right: frozenset[int] = frozenset()) -> None:
    """Columns as wide as their widest cell; those in `right` are aligned to the right."""
    cells = [tuple(str(cell) for cell in row) for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for number, row in enumerate(cells):
        padded = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(padded).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def record(item: dict) -> None:
    """One item of the records table: attribute, type, value."""
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        text = value if isinstance(value, str) else json.dumps(value)
        print(f"  {name:<20} {kind:<4} {textwrap.shorten(text, 72, placeholder=' …')}")


# Characters of a key that are shown.
KEY_WIDTH = 24


def rejects(text: str, key_column: str) -> None:
    """The rejects of a file: for each, its key and the columns that say what is wrong."""
    reader = csv.DictReader(text.splitlines(keepends=True))
    columns = [key_column, "_line", "_column", "_rule", "_reason"]
    # A record whose cells cannot be told apart is whole in `_record`.
    rows = [[row.get(key_column) or row["_record"], *(row.get(name) or "" for name in columns[1:])] for row in reader]
    table(tuple(columns), [(key if len(key) <= KEY_WIDTH else key[: KEY_WIDTH - 1] + "…", *rest) for key, *rest in rows])


def document(text: str, lines: int) -> None:
    """The first lines of a JSON document."""
    printed = json.dumps(json.loads(text), indent=2, ensure_ascii=False).splitlines()
    for line in printed[:lines]:
        print(f"  {line}")
    if len(printed) > lines:
        print(f"  … {len(printed) - lines} more lines")


def message(told: dict) -> None:
    """A message of an incident, as it arrived at a webhook."""
    print(f"  {told['title']}")
    lines = [("", told["meaning"]), *((fact["name"], fact["text"]) for fact in told["facts"])]
    if told["do"]:
        lines.append(("do", told["do"]))
    for name, text in lines:
        wrapped = textwrap.wrap(text, WIDTH - 30, break_long_words=False, break_on_hyphens=False)
        for number, line in enumerate(wrapped):
            print(f"  | {name if number == 0 else '':<25} {line}".rstrip())
    print(flush=True)
