"""`make watch-check`: "Run it locally" of CONTRIBUTING.md as a developer does it. A local stack, `make watch` of a function, `make invoke`, and
a real file and a real request, which reach the watched function and not the deployed one."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import emulator as emulators
from deploy import client
from emulator import ROOT, STATE, Emulator, Failed
from story import FIRST

from generate import samples

# A busy machine takes longer.
PATIENCE_SECONDS = 300


def main() -> None:
    if emulators.find() is not None:
        sys.exit("a local stack runs: `make stop` first")
    try:
        make("local")
        running = emulators.running()
        for function, event, use in (
            ("processor", "events/s3-folder-marker.json", drop), ("ingest", "events/api-check-file.json", ask),
        ):
            watched(running, function, event, use)
    except Failed as error:
        sys.exit(str(error))
    finally:
        make("stop")


def watched(running: Emulator, function: str, event: str, use) -> None:
    log = STATE / f"{function}.log"
    with log.open("w") as output:
        server = subprocess.Popen(["make", "watch", f"FUNCTION={function}"], cwd=ROOT, stdout=output, stderr=output, start_new_session=True)
    try:
        wait(lambda: (STATE / f"{function}.port").exists(), server, log)
        wait(lambda: "is served on" in log.read_text(), server, log)
        make("invoke", f"FUNCTION={function}", f"EVENT={event}")
        before = len(log.read_text())
        use(running)
        wait(lambda: '"message":"' in log.read_text()[before:], server, log)
        (ROOT / "crates" / function / "src" / "main.rs").touch()
        wait(lambda: f"{function} is the new one" in log.read_text(), server, log)
        make("invoke", f"FUNCTION={function}", f"EVENT={event}")
        print(f"{function}: `make invoke` and the stack's own events reach the watched function, also after a change", flush=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGINT)
        server.wait()


def wait(happened, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if server.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"`make watch` did not get there:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


def make(*words: str) -> str:
    done = subprocess.run(["make", *words], cwd=ROOT, text=True, capture_output=True)
    if done.returncode != 0:
        raise Failed(f"`make {' '.join(words)}` ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def drop(running: Emulator) -> None:
    client(running, "s3").put_object(Bucket=running.outputs["InboxBucketName"], Key=FIRST[0].key, Body=samples()[FIRST[0].sample])


def ask(running: Emulator) -> None:
    with urllib.request.urlopen(f"{running.outputs['PartnerApiUrl']}/v1/health", timeout=PATIENCE_SECONDS) as answer:
        if json.load(answer) != {"status": "ok"}:
            raise Failed("GET /v1/health did not answer ok")


if __name__ == "__main__":
    main()
