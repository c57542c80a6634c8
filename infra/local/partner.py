"""A partner at the API of a local stack: made by `scalper`, then HTTP with nothing but the standard library."""

import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from deploy import binary_path
from emulator import ACCOUNT, REGION, Emulator, Failed

# A file of the demo takes well under a second; a busy machine takes longer.
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    headers: dict
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


def scalper(emulator: Emulator, *words: str) -> dict:
    """Runs a command of `scalper` on the stack; its answer."""
    done = run_scalper(emulator, "--json", *words)
    if done.returncode:
        raise Failed(f"scalper {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def run_scalper(emulator: Emulator, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command of `scalper` on the stack, whatever comes of it; files are named as seen from `folder`."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    command = [str(binary_path("scalper")), "--stack", emulator.stack, *words]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Partner:
    """A partner that knows the API's address and its own key."""

    api: str
    key: str

    def get(self, path: str) -> Answer:
        return send(f"{self.api}{path}", headers={"x-api-key": self.key})

    def post(self, path: str, body: bytes, content_type: str) -> Answer:
        return send(f"{self.api}{path}", "POST", {"x-api-key": self.key, "content-type": content_type}, body)

    def send_file(self, feed: str, name: str, content: bytes) -> dict:
        """A small file, as the body of one request."""
        return done(self.post(f"/v1/feeds/{feed}/files?name={name}", content, "text/csv"))

    def upload(self, feed: str, name: str, content: bytes) -> dict:
        """A file of any size: promised by the API, sent to S3 itself."""
        wish = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        promise = done(self.post(f"/v1/feeds/{feed}/uploads", json.dumps(wish).encode(), "application/json"))
        put = promise["put"]
        done(send(put["url"], put["method"], put["headers"], content))
        return done(self.get(f"/v1/uploads/{promise['upload']}"))

    def wait(self, file: str) -> dict:
        """Asks for a file's state until it is decided."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = done(self.get(f"/v1/files/{file}"))
            if status["state"] not in ("RECEIVED", "PROCESSING"):
                return status
            time.sleep(0.3)
        raise Failed(f"{file} was not decided within {PATIENCE_SECONDS} s")


def done(answer: Answer) -> dict:
    """The answer's JSON; a rejection is a failure."""
    if answer.status >= 300:
        raise Failed(f"{answer.status} {answer.body.decode(errors='replace')}")
    return answer.json() if answer.body else {}


def send(url: str, method: str = "GET", headers: dict | None = None, body: bytes | None = None) -> Answer:
    """One request; an answer that rejects is an answer too."""
    # urllib writes the length itself; a second one would break the signature.
    sent = {name: value for name, value in (headers or {}).items() if name.lower() not in ("host", "content-length")}
    request = urllib.request.Request(url, data=body, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read())
