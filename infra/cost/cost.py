"""What an idle stack costs in a month: `make cost`, and `make cost SET=prod` line by line."""

import argparse
import json
import signal
import sys
import textwrap
import tomllib
from dataclasses import dataclass

import sets  # first: it makes the local stack's modules importable
from emulator import ROOT
from expanded import Failed, parameters_of
from usage import ASSUMPTIONS, HERE, Line, monitoring, usage

TABLE = tomllib.loads((HERE / "prices.toml").read_text())
PRICES = {name: entry for name, entry in TABLE.items() if isinstance(entry, dict)}
COLUMNS = ("alarms", "metrics", "dashboards", "keys", "other")
WIDTH = 80
PAGE = ROOT / "docs" / "cost.md"
# The table on the page, between the fences that follow this line.
MARK = "<!-- `make cost ARGS=--write` writes the table -->\n\n```text\n"


@dataclass
class Priced:
    """All lines of one price: what they cost by the list, and beyond what is always free."""

    price: str
    quantity: float
    dollars: float
    beyond: float
    lines: list[Line]

    @property
    def entry(self) -> dict:
        return PRICES[self.price]


@dataclass
class Cost:
    """What one parameter set costs in a month, dollars."""

    name: str
    monitoring: str
    parameters: dict[str, str]
    priced: list[Priced]

    @property
    def dollars(self) -> float:
        return sum(each.dollars for each in self.priced)

    @property
    def beyond(self) -> float:
        return sum(each.beyond for each in self.priced)

    def column(self, name: str) -> float:
        """Dollars of a column, by the list."""
        return sum(each.dollars for each in self.priced if each.lines[0].column == name)

    def quantity(self, price: str) -> float:
        """Units of a price."""
        return sum(each.quantity for each in self.priced if each.price == price)

    @property
    def label(self) -> str:
        return self.name if "+" in self.name else f"{self.name} ({self.monitoring})"


def priced(lines: list[Line]) -> list[Priced]:
    """The lines with their prices. A free quantity counts once, however many lines there are."""
    found = []
    for name in dict.fromkeys(line.price for line in lines):
        entry = PRICES[name]
        mine = [line for line in lines if line.price == name]
        quantity = sum(line.quantity for line in mine)
        each = entry["dollars"] / entry["per"]
        found.append(Priced(name, quantity, quantity * each, max(0.0, quantity - entry.get("free", 0)) * each, mine))
    return found


def cost(one: sets.Set) -> Cost:
    """Expands a set's templates and prices what they make."""
    stack = one.expand()
    return Cost(one.name, monitoring(stack), one.parameters, priced(usage(stack)))


def overview(costs: list[Cost]) -> str:
    """The table of all sets."""
    heads = ("list", "beyond", "alarms", "metrics", "dashb.", "keys", "other")
    rows = [f"{'':<24}" + "".join(f"{head:>8}" for head in heads)]
    for each in costs:
        numbers = (each.dollars, each.beyond, *(each.column(name) for name in COLUMNS))
        rows.append(f"{each.label:<24}" + "".join(f"{number:>8.2f}" for number in numbers))
    return "\n".join(rows)


def notes() -> str:
    """What the numbers mean."""
    told = (
        f"US dollars a month in {TABLE['region']} for a stack in which nothing happens, at the list prices of "
        f"infra/cost/prices.toml (checked {TABLE['checked']}), without taxes. `list` counts everything from the "
        "first unit. `beyond` leaves out what AWS gives each account for good each month (10 alarms, 10 custom "
        "metrics, 3 dashboards, a million SQS requests, ...); the other columns are parts of `list`. The free "
        "quantities are the account's: a second stack in the same account pays its list price.",
        "Keys are in their first year: each yearly rotation adds $1 a month to a key, at most twice. Other costs are "
        "those of the watcher's runs, the hourly heartbeat and the polling of queues; `make cost SET=prod` explains "
        "each.",
    )
    return "\n\n".join(textwrap.fill(each, WIDTH) for each in told)


def explanation(one: Cost) -> str:
    """The lines of one set."""
    chosen = " ".join(f"{name}={value}" for name, value in one.parameters.items()) or "all defaults"
    rows = [textwrap.fill(f"{one.label}: {chosen}", WIDTH), ""]
    rows.append(f"{'unit, and what it is for':<36}{'a month':>13}{'always free':>13}{'list $':>9}{'beyond $':>9}")
    for each in one.priced:
        free = f"{each.entry['free']:,}" if "free" in each.entry else "nothing"
        unit, used = each.entry["unit"], amount(each.quantity)
        rows.append(f"{unit:<36}{used:>13}{free:>13}{each.dollars:>9.4f}{each.beyond:>9.4f}")
        for line in each.lines:
            rows += indented(f"{amount(line.quantity)} for {line.purpose}")
    rows.append(f"{'sum':<62}{one.dollars:>9.4f}{one.beyond:>9.4f}")
    rows += ["", "What the template does not say (infra/cost/assumptions.toml):"]
    for name, entry in ASSUMPTIONS.items():
        rows += indented(f"{name} = {entry['value']}: {entry['reason']}")
    return "\n".join(rows)


def indented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def amount(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.4f}"


def as_json(costs: list[Cost]) -> str:
    """For programs."""
    return json.dumps({
        "region": TABLE["region"], "checked": TABLE["checked"], "currency": "USD", "period": "month",
        "sets": [
            {
                "name": each.name, "monitoring": each.monitoring, "parameters": each.parameters,
                "list": round(each.dollars, 6), "beyondAlwaysFree": round(each.beyond, 6),
                "parts": {name: round(each.column(name), 6) for name in COLUMNS},
                "lines": [
                    {"price": one.price, "quantity": round(one.quantity, 6), "list": round(one.dollars, 6),
                     "beyondAlwaysFree": round(one.beyond, 6)}
                    for one in each.priced
                ],
            }
            for each in costs
        ],
    }, indent=2)


def on_page(page: str, table: str) -> str:
    """The page with this table."""
    before, found, rest = page.partition(MARK)
    if not found:
        raise Failed(f"{PAGE} has no place for the table: expected {MARK!r}")
    return before + found + table + rest[rest.index("\n```"):]


def main() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it without a word
    parser = argparse.ArgumentParser(description="Prints what an idle stack costs in a month.")
    parser.add_argument("set", nargs="?", help="explain one set, e.g. prod, or `prod AlarmFeeds=visits`")
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    parser.add_argument("--write", action="store_true", help="write the table into docs/cost.md")
    asked = parser.parse_args()
    chosen = [sets.find(asked.set)] if asked.set else sets.all_sets(parameters_of())
    costs = [cost(one) for one in chosen]
    if asked.write:
        PAGE.write_text(on_page(PAGE.read_text(), overview(costs)))
    if asked.json:
        print(as_json(costs))
    elif asked.set:
        print(explanation(costs[0]))
    else:
        print(f"{overview(costs)}\n\n{notes()}")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"cost: {failed}")
