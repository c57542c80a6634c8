"""`make audit`: what the registry says of the locked crates today, and which advisories they have.

Sources, licences, forbidden and duplicate crates are checked before, by cargo-deny (`deny.toml`). What the registry
says is read from cargo's own copy of the index, which `cargo update --dry-run` brings up to date without changing the
lock. Advisories are read from a clone of
https://github.com/RustSec/advisory-db when one is given; nothing is guessed when there is none, and it says so.
Exit status 1: something is wrong.
"""

import argparse
import datetime
import os
import pathlib
import subprocess
import sys
import tomllib

import advisories
import index

ROOT = pathlib.Path(__file__).resolve().parents[2]


def foreign(lock: dict) -> list[dict]:
    """Returns the locked packages of other projects."""
    return [package for package in lock["package"] if "source" in package]


def refreshed() -> bool:
    """Brings cargo's copy of the index up to date; false when the registry does not answer."""
    return subprocess.run(["cargo", "update", "--dry-run", "--quiet"], cwd=ROOT, capture_output=True).returncode == 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--advisories", type=pathlib.Path, help="a clone of RustSec/advisory-db")
    arguments = arguments.parse_args()
    packages = foreign(tomllib.loads((ROOT / "Cargo.lock").read_text()))
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    now = datetime.datetime.now(datetime.UTC)
    wrong = index.report(packages, index.Copy(home), now if refreshed() else None, now)
    wrong += advisories.report(packages, arguments.advisories, now)
    for finding in wrong:
        print(f"wrong       {finding}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
