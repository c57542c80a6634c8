"""`make watch` and `make invoke`: a function that is rebuilt at every change, in place of the deployed one.

    python infra/local/watch.py ingest                                  serve it until interrupted
    python infra/local/watch.py processor --invoke events/sqs-put.json  send it one event

While a function is watched, the emulator of `make local` passes its events on: a file that is dropped, or a request to the
API, reaches the code that is being changed. Afterwards the deployed one is back.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import emulator as emulators
from deploy import all_functions, binary_of, binary_path, client, function_environment
from emulator import ROOT, START_SECONDS, Emulator, Failed, free_port

ADDRESS = "127.0.0.1"
LOOK_AGAIN_SECONDS = 0.5
# The emulator posts a function's events to the address in this variable of the function.
PASS_ON = "MINISTACK_LAMBDA_PROXY_URL"


def main() -> None:
    arguments = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        running = emulators.running()
        if arguments.invoke:
            sys.exit(invoke(running, arguments.function, arguments.invoke))
        sys.exit(watch(running, arguments.function))
    except Failed as error:
        sys.exit(str(error))


def parse() -> argparse.Namespace:
    known = [binary_of(each) for each in all_functions()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("function", help=", ".join(known))
    parser.add_argument("--invoke", type=Path, metavar="EVENT", help="a file below events/")
    arguments = parser.parse_args()
    if arguments.function not in known:
        sys.exit(f"unknown function {arguments.function}: FUNCTION is one of {', '.join(known)}")
    if arguments.invoke and not arguments.invoke.is_file():
        events = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "events").glob("*.json"))
        sys.exit(f"no file {arguments.invoke}: EVENT is a file such as\n  " + "\n  ".join(events))
    return arguments


def watch(running: Emulator, function: str) -> int:
    folder = Path(running.folder)
    served = folder / f"{function}.port"
    if served.exists():
        raise Failed(f"{function} is watched already: use that terminal, or end it with Ctrl-C first (else delete {served})")
    build()
    port = free_port()
    # Only the interface of a function: `cargo lambda watch` would build it with other features, and everything again.
    apis = subprocess.Popen(
        ["cargo", "lambda", "watch", "--only-lambda-apis", "--quiet", "--invoke-address", ADDRESS, "--invoke-port", str(port)],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )
    process = None
    try:
        wait_until_open(port, apis)
        served.write_text(str(port))
        pass_on(running, function, f"http://{ADDRESS}:{port}/2015-03-31/functions/{function}/invocations")
        variables = os.environ | function_environment(running, function) | {
            "AWS_LAMBDA_RUNTIME_API": f"http://{ADDRESS}:{port}/.rt/{function}",
            "AWS_LAMBDA_FUNCTION_NAME": f"{running.stack}-{function}", "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        }
        print(
            f"{function} is served on {ADDRESS}:{port}; the stack on {running.endpoint} passes its events on.\n"
            f"Drop a file, or: make invoke FUNCTION={function} EVENT=events/….json      (Ctrl-C ends it)",
            flush=True,
        )
        seen = newest_change()
        process = subprocess.Popen([binary_path(function)], env=variables)
        while apis.poll() is None:
            time.sleep(LOOK_AGAIN_SECONDS)
            if (now := newest_change()) != seen:
                seen = now
                if build(check=False):
                    stop(process)
                    process = subprocess.Popen([binary_path(function)], env=variables)
                    print(f"{function} is the new one", flush=True)
                else:
                    print(f"the build failed: {function} is still the one before", flush=True)
        return apis.returncode
    except KeyboardInterrupt:
        return 0
    finally:
        served.unlink(missing_ok=True)
        for each in (process, apis):
            stop(each)
        if emulators.find(folder) is not None:
            pass_on(running, function, None)


def build(check: bool = True) -> bool:
    """Builds as `make build` does, so that nothing is built twice."""
    done = subprocess.run(["make", "--no-print-directory", "build"], cwd=ROOT).returncode == 0
    if check and not done:
        raise Failed("the build failed")
    return done


def newest_change() -> float:
    """When a source was changed last."""
    sources = [*(ROOT / "crates").rglob("*.rs"), *(ROOT / "crates").rglob("*.toml"), ROOT / "Cargo.toml"]
    return max(path.stat().st_mtime for path in sources)


def stop(process: subprocess.Popen | None) -> None:
    if process is not None:
        process.terminate()
        process.wait()


def wait_until_open(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), timeout=1):
            return
        time.sleep(0.1)
    raise Failed("cargo-lambda did not serve: `make tools` installs it")


def pass_on(running: Emulator, function: str, address: str | None) -> None:
    """Makes the deployed function one that passes its events on, or what it was."""
    service = client(running, "lambda")
    name = f"{running.stack}-{function}"
    variables = service.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables.pop(PASS_ON, None)
    if address:
        variables[PASS_ON] = address
    service.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def invoke(running: Emulator, function: str, event: Path) -> int:
    served = Path(running.folder) / f"{function}.port"
    if not served.exists():
        raise Failed(f"{function} is not watched: run `make watch FUNCTION={function}` in another terminal first")
    if not event.exists():
        raise Failed(f"{event} does not exist: give EVENT a file of events/")
    try:
        json.loads(event.read_text())
    except ValueError as error:
        raise Failed(f"{event} is not JSON: {error}") from error
    command = ["cargo", "lambda", "invoke", function, "--data-file", str(event)]
    return subprocess.run([*command, "--invoke-address", ADDRESS, "--invoke-port", served.read_text()], cwd=ROOT, env=os.environ).returncode


if __name__ == "__main__":
    main()
