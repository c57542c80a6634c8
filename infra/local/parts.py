"""The parts of `template.yaml`, written into one template.

The root template is a table of contents: most of its nested stacks are its parts by concern. Here each of them is expanded by the
SAM macro, its parameters are replaced by what the root gives it, and its resources are put in its place. The result makes the
resources that the nested stacks make, with the same names. The emulator's local stack, the linters, the cost table and the
tests read it: what a resource is does not depend on the file that it is written in. `make deploy-check` deploys the nested
stacks themselves.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from emulator import ROOT, Failed

TEMPLATE = ROOT / "template.yaml"
STACK = "AWS::CloudFormation::Stack"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
# These stay stacks of their own: the patterns of Checks' parameters are what it checks, and the loops of the alarms and the
# dashboard are written out one stack at a time.
APART = re.compile(r"infra/(checks|dashboard|alarms.*)\.yaml")


def load(path: Path) -> dict:
    """A template as it is written; a part that several places name by a YAML alias is a copy at each."""
    return json.loads(json.dumps(yaml_parse(path.read_text())))


def of_root(template: dict) -> dict[str, str]:
    """The paths of the root's parts by their logical names."""
    stacks = {name: each["Properties"]["TemplateURL"] for name, each in template["Resources"].items() if each["Type"] == STACK}
    return {name: path for name, path in stacks.items() if not APART.fullmatch(path)}


def whole(template: dict, values: dict[str, str], expand: Callable[[dict, dict[str, str]], dict]) -> dict:
    """The root with its parts in place of their stacks; `expand` runs the SAM macro on one template with its parameters."""
    found = of_root(template)
    stacks = {name: template["Resources"].pop(name) for name in found}
    outputs: dict[str, dict] = {}
    # A part comes after those whose outputs it is given.
    while waiting := [name for name in stacks if name not in outputs]:
        ready = [name for name in waiting if not named_stacks(stacks[name]["Properties"]["Parameters"]) & set(waiting)]
        if not ready:
            raise Failed(f"these stacks of template.yaml need each other: {', '.join(waiting)}")
        for name in ready:
            given = with_outputs(stacks[name]["Properties"]["Parameters"], outputs)
            part = load(ROOT / found[name])
            if wrong := sorted(set(part["Parameters"]) ^ set(given)):
                raise Failed(f"{found[name]} and what template.yaml gives it differ in {', '.join(wrong)}")
            known = {key: values[each["Ref"]] for key, each in given.items() if is_known(each, values)}
            part = with_given({key: each for key, each in expand(part, known).items() if key != "Parameters"}, given)
            outputs[name] = {key: each["Value"] for key, each in part.get("Outputs", {}).items()}
            add(template, part, stacks[name])
    # A deletion policy that follows a parameter, in the part of the data, asks for it.
    return {key: with_outputs(each, outputs) for key, each in template.items()} | {"Transform": [LANGUAGE_EXTENSIONS]}


def is_known(value, values: dict[str, str]) -> bool:
    return isinstance(value, dict) and list(value) == ["Ref"] and value["Ref"] in values


def add(template: dict, part: dict, stack: dict) -> None:
    """Adds the resources and conditions of a part. What its stack waits for and depends on, each of its resources does."""
    for name, resource in part["Resources"].items():
        if name in template["Resources"]:
            raise Failed(f"two resources are called {name}")
        if "Condition" in stack:
            if "Condition" in resource:
                raise Failed(f"{name} and its stack both have a condition")
            resource["Condition"] = stack["Condition"]
        if "DependsOn" in stack:
            own = resource.get("DependsOn", [])
            resource["DependsOn"] = [*([own] if isinstance(own, str) else own), stack["DependsOn"]]
        template["Resources"][name] = resource
    for name, condition in part.get("Conditions", {}).items():
        if template["Conditions"].setdefault(name, condition) != condition:
            raise Failed(f"the condition {name} means two things")


def output_of(node) -> tuple[str, str] | None:
    """The stack and the output that a part of a template reads."""
    match node:
        case {"Fn::GetAtt": [str(stack), str(output)]} if output.startswith("Outputs."):
            return stack, output.removeprefix("Outputs.")
        case {"Fn::GetAtt": str(both)} if ".Outputs." in both:
            stack, _, output = both.partition(".Outputs.")
            return stack, output
    return None


def named_stacks(node) -> set[str]:
    """The stacks whose outputs a part of a template reads."""
    if read := output_of(node):
        return {read[0]}
    members = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return set().union(*map(named_stacks, members))


def with_outputs(node, outputs: dict[str, dict]):
    """A part of the root with the values of outputs in place of them."""
    if (read := output_of(node)) and read[0] in outputs:
        stack, output = read
        if output not in outputs[stack]:
            raise Failed(f"the stack {stack} has no output {output}")
        return outputs[stack][output]
    if isinstance(node, dict):
        return {key: with_outputs(value, outputs) for key, value in node.items()}
    return [with_outputs(value, outputs) for value in node] if isinstance(node, list) else node


def with_given(node, given: dict):
    """A part with the values of its parameters in place of them."""
    match node:
        case {"Ref": name} if name in given:
            return given[name]
        case {"Fn::Sub": [text, own]}:
            return substituted(text, {key: with_given(value, given) for key, value in own.items()}, given)
        case {"Fn::Sub": text}:
            return substituted(text, {}, given)
        case dict():
            return {key: with_given(value, given) for key, value in node.items()}
        case list():
            return [with_given(value, given) for value in node]
    return node


def substituted(text: str, own: dict, given: dict) -> dict:
    """`Fn::Sub` with the parameters' values written into its text, or beside it where they are no text."""

    def written(found: re.Match) -> str:
        name = found[1]
        if name in own or name not in given:
            return found[0]
        match given[name]:
            case {"Ref": other}:
                return f"${{{other}}}"
            case {"Fn::GetAtt": [resource, attribute]}:
                return f"${{{resource}.{attribute}}}"
            case {"Fn::Sub": str(inner)}:
                return inner
            case dict() as value:
                own[name] = value
                return found[0]
            case value:
                return str(value)

    text = re.sub(r"\$\{([A-Za-z0-9]+)\}", written, text)
    return {"Fn::Sub": [text, own] if own else text}
