"""The parameter sets: those that `samconfig.toml` deploys, and what may be chosen on top of prod."""

import shlex
import tomllib
from dataclasses import dataclass

from expanded import Expanded, Failed, expand, parameters_of

from emulator import ROOT

SAMCONFIG = ROOT / "samconfig.toml"
# Choices on top of prod that change what an idle stack costs.
CHOICES = {
    "CustomerKey": {"KeyChoice": "CustomerKey"},
    "Off": {"Monitoring": "Off"},
    "Full": {"Monitoring": "Full"},
    "Full+PartnerMetrics": {"Monitoring": "Full", "PartnerMetrics": "true"},
}


@dataclass
class Set:
    """A name, the stack's name, and the parameters that differ from the template's defaults."""

    name: str
    stack: str
    parameters: dict[str, str]

    def expand(self) -> Expanded:
        """The templates that the set creates."""
        return expand(self.parameters, self.stack)


def deployed() -> dict[str, Set]:
    """One set for each environment of `samconfig.toml`."""
    found = {}
    for name, entry in tomllib.loads(SAMCONFIG.read_text()).items():
        asked = entry.get("deploy", {}).get("parameters", {}) if isinstance(entry, dict) else {}
        if "stack_name" in asked:
            found[name] = Set(name, asked["stack_name"], overrides(asked.get("parameter_overrides", "")))
    return found


def overrides(given: str | list[str]) -> dict[str, str]:
    """`Name=value Name=value`, as SAM reads it."""
    words = shlex.split(given) if isinstance(given, str) else given
    if wrong := [word for word in words if "=" not in word]:
        raise Failed(f"`{wrong[0]}` is not a parameter: expected Name=value")
    return dict(word.split("=", 1) for word in words)


def known_sets(parameters: dict) -> dict[str, Set]:
    """Every set by its name, without those of which the template lacks a parameter."""
    found = deployed()
    prod = found["prod"]
    for name, choice in CHOICES.items():
        if set(choice) <= set(parameters):
            found[f"prod+{name}"] = Set(f"prod+{name}", prod.stack, prod.parameters | choice)
    return found


def all_sets(parameters: dict) -> list[Set]:
    """The sets of the table: a choice that prod makes already is left out."""
    defaults = {name: str(entry.get("Default", "")) for name, entry in parameters.items()}
    found = known_sets(parameters)
    prod = defaults | found["prod"].parameters
    return [one for name, one in found.items() if "+" not in name or defaults | one.parameters != prod]


def find(words: str) -> Set:
    """The set of this name; parameters may follow it: `prod AlarmFeeds=visits`."""
    name, *more = shlex.split(words) or [""]
    named = known_sets(parameters_of())
    if name not in named:
        raise Failed(f"there is no set `{name}`: expected one of {', '.join(named)}")
    one = named[name]
    return Set(words, one.stack, one.parameters | overrides(more))
