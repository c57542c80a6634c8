"""`make watch` and `make invoke`: a function that is rebuilt at every change, in place of the deployed one.

    python infra/local/watch.py ingest                                  serve it until interrupted
    python infra/local/watch.py processor --invoke events/sqs-put.json  send it one event

While a function is watched, the emulator of `make local` passes its events on: a file that is dropped, or a request to the
API, reaches the code that is being changed. Afterwards the deployed one is back.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import emulator as emulators
from deploy import TEMPLATE, binary_of, client, function_environment, functions
from emulator import ROOT, Emulator, Failed, free_port
from samtranslator.yaml_helper import yaml_parse

ADDRESS = "127.0.0.1"
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
    known = [binary_of(each) for each in functions(yaml_parse(TEMPLATE.read_text()))]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("function", choices=known)
    parser.add_argument("--invoke", type=Path, metavar="EVENT", help="a file below events/")
    return parser.parse_args()


def watch(running: Emulator, function: str) -> int:
    folder = Path(running.folder)
    variables = function_environment(running, function)
    (folder / f"{function}.env").write_text("".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
    port = free_port()
    server = subprocess.Popen(
        [
            "cargo", "lambda", "watch", "--bin", function, "--env-file", str(folder / f"{function}.env"),
            "--invoke-address", ADDRESS, "--invoke-port", str(port),
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL,
    )
    served = folder / f"{function}.port"
    try:
        served.write_text(str(port))
        pass_on(running, function, f"http://{ADDRESS}:{port}/2015-03-31/functions/{function}/invocations")
        print(
            f"{function} is served on {ADDRESS}:{port}; the stack on {running.endpoint} passes its events on.\n"
            f"Drop a file, or: make invoke FUNCTION={function} EVENT=events/….json      (Ctrl-C ends it)",
            flush=True,
        )
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        served.unlink(missing_ok=True)
        server.terminate()
        server.wait()
        if emulators.find(folder) is not None:
            pass_on(running, function, None)


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
