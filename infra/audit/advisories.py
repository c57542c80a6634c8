"""Advisories of a clone of RustSec/advisory-db: one Markdown file for each, with a TOML head.

https://github.com/RustSec/advisory-db#advisory-format
"""

import datetime
import pathlib
import re
import subprocess
import tomllib

# What is only said of a crate, and needs a decision but no haste.
NOTICES = {"unmaintained", "notice"}


def key(version: str) -> tuple:
    """A version in the order of Semantic Versioning 2.0.0, section 11."""
    number, _, before = version.split("+")[0].partition("-")
    parts = [int(part) for part in number.split(".")]
    identifiers = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".") if part)
    return (*parts, *[0] * (3 - len(parts)), not before, identifiers)


def fits(requirement: str, version: str) -> bool:
    """Whether a version meets a requirement, e.g. `>= 1.2.3, < 2.0.0-0` or `^0.3.1`. Each part must hold."""
    return all(part_fits(part.strip(), version) for part in requirement.split(","))


def part_fits(part: str, version: str) -> bool:
    match = re.fullmatch(r"(>=|<=|>|<|=|\^|~)?\s*(\d+(?:\.\d+){0,2}(?:[-+][0-9A-Za-z.+-]+)?)", part)
    if not match:
        raise ValueError(f"a requirement that is not understood: {part}")
    operator, bound = match.groups()
    one, two = key(version), key(bound)
    if operator in ("^", "~", None):
        first = next((place for place in range(3) if two[place]), 2) if operator != "~" else 1
        return one >= two and one[: first + 1] == two[: first + 1]
    return {">=": one >= two, "<=": one <= two, ">": one > two, "<": one < two, "=": one == two}[operator]


def head(text: str) -> dict:
    match = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    if not match:
        raise ValueError("an advisory without a head")
    return tomllib.loads(match[1])


def affects(advisory: dict, version: str) -> bool:
    versions = advisory.get("versions", {})
    spared = [*versions.get("patched", []), *versions.get("unaffected", [])]
    return "withdrawn" not in advisory["advisory"] and not any(fits(requirement, version) for requirement in spared)


def findings(package: dict, known: list[dict]) -> tuple[list[str], list[str]]:
    """What is wrong with a package, and what is only said of it."""
    wrong, notices = [], []
    for advisory in known:
        if affects(advisory, package["version"]):
            about = advisory["advisory"]
            kind = about.get("informational", "vulnerability")
            text = f"{package['name']} {package['version']}: {about['id']} ({kind})"
            (notices if kind in NOTICES else wrong).append(text)
    return wrong, notices


def report(packages: list[dict], folder: pathlib.Path | None, now: datetime.datetime) -> list[str]:
    """Prints what was looked at and how old it is, and returns what is wrong."""
    if folder is None:
        print("advisories  NOT checked: no database; `make audit ADVISORIES=<a clone of RustSec/advisory-db>` does")
        return []
    date = subprocess.run(["git", "log", "-1", "--format=%cI"], cwd=folder, capture_output=True, text=True, check=True)
    days = (now - datetime.datetime.fromisoformat(date.stdout.strip())).days
    count, all_wrong, all_notices = 0, [], []
    for package in packages:
        known = [head(path.read_text()) for path in sorted((folder / "crates" / package["name"]).glob("*.md"))]
        wrong, notices = findings(package, known)
        count, all_wrong, all_notices = count + len(known), all_wrong + wrong, all_notices + notices
    print(f"advisories  {count} about locked crates, database {days} days old")
    for notice in all_notices:
        print(f"notice      {notice}")
    if not any((folder / "crates").glob("*/*.md")):
        all_wrong.append(f"{folder}: has no advisories; expected a clone of RustSec/advisory-db")
    return all_wrong
