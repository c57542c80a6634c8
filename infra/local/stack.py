"""Steps of the local stack, each a command: start · deploy · expand · stop.

    python infra/local/stack.py start                   an emulator on a free port
    python infra/local/stack.py deploy                  template.yaml on it; the outputs as JSON
    python infra/local/stack.py expand KeyChoice=CustomerKey    the template with its parts, after the SAM macro, as JSON
    python infra/local/stack.py --template infra/alarms-path.yaml expand Prefix=…     a nested stack's template alike
    python infra/local/stack.py stop

`--folder` keeps several apart; `--account` (12 digits) and `--stack` put several stacks on one emulator.
"""

import argparse
import json
import sys
from pathlib import Path

import emulator as emulators
from emulator import ACCOUNT, STACK, STATE, Emulator, Failed


def main() -> None:
    arguments = parse()
    try:
        {
            "start": start, "deploy": deploy, "expand": expand, "stop": stop,
        }[arguments.step](arguments)
    except Failed as error:
        sys.exit(str(error))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["start", "deploy", "expand", "stop"])
    parser.add_argument("parameters", nargs="*", metavar="Name=Value", help="parameters of the template")
    parser.add_argument("--folder", type=Path, default=STATE, help="where the state is kept (default: .local/stack)")
    parser.add_argument("--account", default=ACCOUNT, help="12 digits: an account of its own on the emulator")
    parser.add_argument("--template", help="for expand: a nested stack's template, with all of its parameters")
    parser.add_argument("--stack", default=STACK, help="the stack's name")
    # Parameters may stand before the options and after them.
    arguments = parser.parse_intermixed_args()
    if arguments.template and arguments.step != "expand":
        parser.error("--template goes with expand")
    arguments.folder = arguments.folder.resolve()
    arguments.parameters = dict(pair(text) for text in arguments.parameters)
    return arguments


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        sys.exit(f"`{text}` found, Name=Value expected")
    return name, value


def start(arguments: argparse.Namespace) -> None:
    running = emulators.start(arguments.folder)
    print(json.dumps({"endpoint": running.endpoint, "pid": running.pid}))


def found(folder: Path) -> Emulator:
    running = emulators.find(folder)
    if running is None:
        raise Failed(f"no emulator runs in {folder}: `stack.py start` starts one")
    return running


def deploy(arguments: argparse.Namespace) -> None:
    import deploy as deployment  # not at the top: `stop` works without the venv

    running = found(arguments.folder)
    outputs = deployment.deploy(running, arguments.account, arguments.stack, arguments.parameters)
    running.stack, running.outputs = arguments.stack, outputs
    running.save()
    print(json.dumps({"endpoint": running.endpoint, "outputs": outputs}))


def expand(arguments: argparse.Namespace) -> None:
    import deploy as deployment

    nested = arguments.template
    expanded = (
        deployment.expand_nested(nested, arguments.parameters) if nested else deployment.expand(arguments.parameters)
    )
    print(json.dumps(expanded, indent=2))


def stop(arguments: argparse.Namespace) -> None:
    print("stopped" if emulators.stop(arguments.folder) else "nothing was running")


if __name__ == "__main__":
    main()
