"""`make api-fuzz`: the API of a local stack against its own OpenAPI document, with cases that schemathesis makes up.

A stack of its own is started, with a partner, a decided file and open uploads, so that cases reach what is behind the
first check too (`fuzz_hooks.py` puts real names into half of the paths). Runs until this number of cases was sent:

    python infra/local/fuzz.py --cases 20000
"""

import argparse
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import emulator as emulators
from deploy import deploy
from emulator import ROOT, STACK, Emulator, Failed
from partner import Partner, done, scalper
from story import FIRST

from generate import samples

FOLDER = ROOT / ".local" / "fuzz"
SCHEMATHESIS = ROOT / ".venv" / "fuzz" / "bin" / "st"
FEED = "scan-reports"
# What is looked for in each answer: a fault of the API, anything that the document does not promise, and an answer that a
# caller without a credential gets too.
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "ignored_auth",
]
# The phase that goes through the document by hand-made cases is not fit for several workers on Python 3.11.
WORKERS = 4
# Rounds of this many cases for each operation, so that a failure is known soon.
MOST_EACH = 200
MOST_ROUNDS = 40


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = parse()
    try:
        emulators.stop(FOLDER)
        running = emulators.start(FOLDER)
        running.outputs, running.stack = deploy(running), STACK
        running.save()
        partner = prepare(running)
        failed = fuzz(running, partner, arguments.cases, arguments.seed)
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
    except Failed as error:
        sys.exit(str(error))
    finally:
        emulators.stop(FOLDER)
    sys.exit(1 if failed else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000, help="least number of cases (default: 20000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each round has the next one")
    return parser.parse_args()


def prepare(running: Emulator) -> Partner:
    """A partner whose limits nothing reaches, with what the routes are about."""
    limits = ("--rate", "10000", "--burst", "5000", "--requests-per-day", "10000000", "--bytes-per-day", str(1 << 50))
    added = scalper(running, "partner", "add", "fuzzed", *limits)
    partner = Partner(running.outputs["PartnerApiUrl"], added["secret"])
    file = partner.send_file(FEED, "day.csv", samples()[FIRST[1].sample])["id"]
    partner.wait(file)
    wish = {"bytes": 9 << 20, "sha256": "0" * 64}
    single, parts = (
        done(partner.post(f"/v1/feeds/{FEED}/uploads", json.dumps(wish | more).encode(), "application/json"))
        for more in ({}, {"parts": True})
    )
    names = {"feed": [FEED], "file": [file], "upload": [single["upload"], parts["upload"]], "key": ["RPT-00001002"]}
    (FOLDER / "names.json").write_text(json.dumps(names))
    with urllib.request.urlopen(f"{partner.api}/v1/openapi.json") as document:
        (FOLDER / "openapi.json").write_bytes(document.read())
    return partner


def fuzz(running: Emulator, partner: Partner, cases: int, seed: int) -> bool:
    """Rounds until enough cases were sent; whether any of them failed."""
    operations = sum(len(item) for item in json.loads((FOLDER / "openapi.json").read_text())["paths"].values())
    sent, begun = 0, time.monotonic()
    for number in range(MOST_ROUNDS):
        each = min(MOST_EACH, math.ceil((cases - sent) / operations))
        phases, each, workers = ("fuzzing", each, WORKERS) if number else ("examples,coverage", 1, 1)
        status, count = round_of(partner, seed + number, each, phases, workers)
        sent += count
        print(f"{sent:,} cases after {time.monotonic() - begun:.0f} s", flush=True)
        if status:
            print(f"failed: seed {seed + number}; the log of the stack is {running.folder}/emulator.log")
            return True
        if sent >= cases:
            return False
    raise Failed(f"{sent} cases after {MOST_ROUNDS} rounds, {cases} expected")


def round_of(partner: Partner, seed: int, most: int, phases: str, workers: int) -> tuple[int, int]:
    """One run of schemathesis; its exit status and how many cases it sent."""
    command = [
        str(SCHEMATHESIS), "run", str(FOLDER / "openapi.json"), "--url", partner.api, "--checks", ",".join(CHECKS),
        "-H", f"x-api-key: {partner.key}", "--seed", str(seed), "--max-examples", str(most),
        "--phases", phases, "--workers", str(workers), "--continue-on-failure",
        "--generation-with-security-parameters", "false", "--generation-database", "none", "--no-color",
        "--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off",
    ]
    if not SCHEMATHESIS.exists():
        raise Failed(f"{SCHEMATHESIS} is not installed: `make api-fuzz` installs it")
    folder = str(Path(__file__).parent)
    environment = {
        "PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", ""), "LANG": "C.UTF-8",
        "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": folder, "FUZZ_NAMES": str(FOLDER / "names.json"),
    }
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False, cwd=FOLDER)
    found = re.search(r"([\d,]+) (?:test cases? )?generated", run.stdout)
    count = int(found[1].replace(",", "")) if found else 0
    if run.returncode or not count:
        print(run.stdout, flush=True)
        return run.returncode or 1, count
    return 0, count


if __name__ == "__main__":
    main()
