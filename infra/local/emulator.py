"""The emulator's life: started on a free loopback port as a process group of its own, stopped with that group.

State is one folder (`.local/stack` unless told otherwise), so several emulators run side by side.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local" / "stack"
REGION = "us-east-1"
# A 12-digit access key is an account of its own on the emulator.
ACCOUNT = "000000000001"
STACK = "silent-scalper-dev"
START_SECONDS = 30
STOP_SECONDS = 10


class Failed(Exception):
    """Something did not work; the message says what and what to do."""


@dataclass
class Emulator:
    """A running emulator, and the stack on it once it is deployed."""

    folder: str
    port: int
    pid: int
    stack: str = ""
    outputs: dict = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        # The number, never `localhost`: the SDKs then address buckets by path.
        return f"http://127.0.0.1:{self.port}"

    def save(self) -> None:
        (Path(self.folder) / "state.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def start(folder: Path = STATE, auth: bool = True, for_sam: bool = False) -> Emulator:
    """Starts an emulator and waits until it answers.

    With `auth` it holds every role to its policies; the account's owner may do everything. With `for_sam` it has what a
    stack of the SAM command line needs (`emulator_for_sam.py`).
    """
    if running := find(folder):
        raise Failed(f"an emulator already runs on port {running.port}: `make stop` ends it")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)
    program = Path(sys.executable).parent / "ministack"
    if not program.exists():
        raise Failed(f"{program} is not installed: `make tools` installs it")
    script = "emulator_for_sam.py" if for_sam else "emulator_as_aws.py"
    command = [sys.executable, str(ROOT / "infra" / "local" / script)]
    port = free_port()
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment(folder, port, auth), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    emulator = Emulator(folder=str(folder), port=port, pid=process.pid)
    emulator.save()
    try:
        wait_until_healthy(emulator, process)
    except BaseException:
        stop(folder)
        raise
    return emulator


def environment(folder: Path, port: int, auth: bool) -> dict[str, str]:
    """Nothing of the caller's environment but paths: no credentials reach the emulator or the functions."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", ""),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",  # in queue URLs
        # Functions find the emulator only through the emulator's own environment.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,  # whose API an unsigned request means
        "TMPDIR": str(folder / "tmp"),
        "AUTH": "true" if auth else "false",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_healthy(emulator: Emulator, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"the emulator ended at once: see {emulator.folder}/emulator.log")
        try:
            with urllib.request.urlopen(f"{emulator.endpoint}/_ministack/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Failed(f"the emulator did not answer within {START_SECONDS} s: see {emulator.folder}/emulator.log")


def find(folder: Path = STATE) -> Emulator | None:
    """The emulator that runs in this folder, if one does."""
    try:
        emulator = Emulator(**json.loads((folder / "state.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return emulator if is_ours(emulator) else None


def is_ours(emulator: Emulator) -> bool:
    """Whether the recorded process still is the emulator, and not another one that got its number."""
    try:
        with urllib.request.urlopen(f"{emulator.endpoint}/_ministack/health", timeout=2):
            return os.getpgid(emulator.pid) == emulator.pid
    except (urllib.error.URLError, OSError):
        return False


def running(folder: Path = STATE) -> Emulator:
    """The emulator that runs in this folder, with a stack."""
    emulator = find(folder)
    if emulator is None or not emulator.stack:
        raise Failed("no local stack runs: `make local` starts one")
    return emulator


def stop(folder: Path = STATE) -> bool:
    """Ends the emulator's whole process group; its workers are in it. Says whether one was running."""
    try:
        emulator = Emulator(**json.loads((folder / "state.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return False
    alive = leads_group(emulator.pid)
    if alive:
        end_group(emulator.pid)
    (folder / "state.json").unlink(missing_ok=True)
    return alive


def leads_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid and not is_zombie(pid)
    except ProcessLookupError:
        return False


def is_zombie(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return False  # started by an earlier command: its parent is no longer us


def end_group(pid: int) -> None:
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not leads_group(pid):
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what is left of the group
