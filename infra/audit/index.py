"""What the registry says of the locked crates: cargo's copy of the sparse index.

One file for each crate, `<CARGO_HOME>/registry/index/<registry>/.cache/se/rd/serde`: a header, then for each
version its number and its line of the index, separated by NUL. The layout is cargo's own and may change; a crate that
cannot be read from it is a finding, never passed over.
https://doc.rust-lang.org/cargo/reference/registry-index.html
"""

import datetime
import functools
import json
import pathlib


class Copy:
    """Cargo's copy of the registry's index, the one that was written last when there are several."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home

    @functools.cached_property
    def folder(self) -> pathlib.Path | None:
        """Looked for at its first use: on a fresh machine it is made by the question before."""
        copies = self.home.glob("registry/index/*/.cache")
        return max(copies, key=lambda folder: folder.stat().st_mtime, default=None)

    def file(self, name: str) -> pathlib.Path | None:
        return self.folder and self.folder / place(name)

    def versions(self, name: str) -> dict[str, dict]:
        """The crate's versions; none when the copy does not have the crate."""
        path = self.file(name)
        return versions(path.read_bytes()) if path and path.exists() else {}


def place(name: str) -> str:
    """The path of a crate in the index."""
    name = name.lower()
    if len(name) < 3:
        return f"{len(name)}/{name}"
    return f"3/{name[0]}/{name}" if len(name) == 3 else f"{name[:2]}/{name[2:4]}/{name}"


def versions(content: bytes) -> dict[str, dict]:
    lines = (json.loads(part) for part in content.split(b"\0") if part.startswith(b"{"))
    return {line["vers"]: line for line in lines}


def findings(package: dict, known: dict[str, dict]) -> list[str]:
    """What the index holds against a locked package."""
    name = f"{package['name']} {package['version']}"
    line = known.get(package["version"])
    if line is None:
        return [f"{name}: cargo's copy of the index does not have it; run `cargo fetch`"]
    wrong = [f"{name}: yanked; run `cargo update {package['name']}`"] if line["yanked"] else []
    if line["cksum"] != package.get("checksum"):
        wrong.append(f"{name}: Cargo.lock and the index have different checksums")
    return wrong


def report(packages: list[dict], copy: Copy, asked: datetime.datetime | None, now: datetime.datetime) -> list[str]:
    """Prints what was looked at, and returns what is wrong. `asked` is `None` when the registry did not answer."""
    lines = [(package, copy.versions(package["name"])) for package in packages]
    youngest = max((known.get(package["version"], {}).get("pubtime", ""), package["name"]) for package, known in lines)
    state = "as of now" if asked else f"NOT refreshed, last change {last_change(packages, copy)}"
    print(f"index       {len(packages)} crates, {state}: looked for yanked and changed ones; youngest {age(youngest, now)}")
    return [finding for package, known in lines for finding in findings(package, known)]


def last_change(packages: list[dict], copy: Copy) -> str:
    times = [file.stat().st_mtime for package in packages if (file := copy.file(package["name"])) and file.exists()]
    return str(datetime.date.fromtimestamp(max(times))) if times else "unknown"


def age(release: tuple[str, str], now: datetime.datetime) -> str:
    published, name = release
    if not published:
        return "unknown"
    return f"{name}, {(now - datetime.datetime.fromisoformat(published)).days} days old"
