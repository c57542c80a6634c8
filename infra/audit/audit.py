"""`make audit`: where the locked crates come from, what the registry says of them today, and which advisories they have.

The lock is the committed one. What the registry says is read from cargo's own copy of the index, which `cargo update
--dry-run` brings up to date without changing the lock. Advisories are read from a clone of
https://github.com/RustSec/advisory-db when one is given; nothing is guessed when there is none, and it says so.
Exit status 1: something is wrong. Licences and the number of TLS stacks are tests (`tests/src/tidy/dependencies.rs`).
"""

import argparse
import datetime
import os
import pathlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import advisories
import index

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def foreign(lock: dict) -> list[dict]:
    """The locked packages that are not ours."""
    return [package for package in lock["package"] if "source" in package]


def wrong_sources(packages: list[dict]) -> Iterator[str]:
    """Packages that are not from cargo's default registry, or whose content is not pinned."""
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] != REGISTRY:
            yield f"{name}: comes from {package['source']}, expected cargo's default registry"
        elif "checksum" not in package:
            yield f"{name}: has no checksum in Cargo.lock"


def loose_requirements(path: str, manifest: dict) -> Iterator[str]:
    """Dependencies without a version, with a wildcard, or from elsewhere than cargo's default registry and this workspace."""
    tables = [manifest, manifest.get("workspace", {}), *manifest.get("target", {}).values()]
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    for name, wanted in [item for table in tables for kind in kinds for item in table.get(kind, {}).items()]:
        wanted = {"version": wanted} if isinstance(wanted, str) else wanted
        if wanted.keys() & {"git", "registry"}:
            yield f"{path}: {name} is not from cargo's default registry"
        elif not wanted.keys() & {"path", "workspace"} and not re.match(r"[=~^]?\d+\.\d+", wanted.get("version", "")):
            yield f"{path}: {name} {wanted.get('version', 'without a version')}: expected at least major.minor"


def committed(path: pathlib.Path) -> bool:
    """Whether git has the file."""
    command = ["git", "ls-files", "--error-unmatch", path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True).returncode == 0


def refreshed() -> bool:
    """Brings cargo's copy of the index up to date."""
    return subprocess.run(["cargo", "update", "--dry-run", "--quiet"], cwd=ROOT, capture_output=True).returncode == 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--advisories", type=pathlib.Path, help="a clone of RustSec/advisory-db")
    arguments = arguments.parse_args()
    lock = ROOT / "Cargo.lock"
    packages = foreign(tomllib.loads(lock.read_text()))
    wrong = list(wrong_sources(packages))
    if not committed(lock):
        wrong.append("Cargo.lock: is not in git")
    manifests = [ROOT / "Cargo.toml", *sorted(ROOT.glob("crates/*/Cargo.toml"))]
    manifests += [ROOT / "tests/Cargo.toml", ROOT / "bench/Cargo.toml"]
    for manifest in manifests:
        wrong += loose_requirements(str(manifest.relative_to(ROOT)), tomllib.loads(manifest.read_text()))
    print(f"sources     {len(packages)} crates, {len(manifests)} manifests: looked for other registries, git, wildcards")
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    now = datetime.datetime.now(datetime.UTC)
    wrong += index.report(packages, index.Copy(home), now if refreshed() else None, now)
    wrong += advisories.report(packages, arguments.advisories, now)
    for finding in wrong:
        print(f"wrong       {finding}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
