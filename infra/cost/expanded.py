"""The stack's templates as one parameter set makes them.

The SAM macro and the language extensions are expanded as the local stack does it (`infra/local`). On top of that
conditions are decided here, and parameters are written in, so that the result is plain CloudFormation of exactly the
resources that are created. `--write` puts the templates of each set into a folder, for linters.
"""

import argparse
import contextlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "local"))

from ministack.services.cloudformation import language_extensions
from samtranslator.yaml_helper import yaml_parse

import deploy
from emulator import REGION, Failed
from nested import expand_nested

NOTHING = object()  # what AWS::NoValue becomes: the member is left out
NESTED = "AWS::CloudFormation::Stack"


@dataclass
class Expanded:
    """A stack: its own template, and those of its nested stacks by their logical names."""

    values: dict[str, str]
    template: dict
    nested: dict[str, dict]

    def resources(self) -> list[dict]:
        """Every resource that the set creates, those of nested stacks included."""
        return [each for one in (self.template, *self.nested.values()) for each in one["Resources"].values()]

    def of_type(self, kind: str) -> list[dict]:
        """The properties of every resource of a type."""
        return [each.get("Properties", {}) for each in self.resources() if each["Type"] == kind]


def parameters_of(path: Path = deploy.TEMPLATE) -> dict[str, dict]:
    """The template's parameters."""
    return yaml_parse(path.read_text())["Parameters"]


def expand(parameters: dict[str, str], stack: str) -> Expanded:
    """The project's template with these parameters, as a stack of this name."""
    return decided(deploy.expand(parameters), parameters, stack)


def expand_text(text: str, parameters: dict[str, str], stack: str = "stack") -> Expanded:
    """Another template, from its YAML. It must name its transforms."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks for a region
    return decided(deploy.expand_parsed(yaml_parse(text), parameters), parameters, stack)


def decided(template: dict, parameters: dict[str, str], stack: str) -> Expanded:
    """What SAM's macro left, as the parameters decide it."""
    given = deploy.known_values(template, stack, parameters)
    template = language_extensions.apply(template, given)
    template = settled(template, given)
    nested = {}
    for name, one in template["Resources"].items():
        if one["Type"] == NESTED:
            passed = one["Properties"].get("Parameters", {})
            known = {key: text for key, value in passed.items() if (text := as_text(value)) is not None}
            # A loop cannot run over the address of a resource, which is known only when the stack is created.
            inner = expand_nested(one["Properties"]["TemplateURL"], dict.fromkeys(passed, "") | known)
            nested[name] = settled(inner, known)
    return Expanded(given, template, nested)


def as_text(value) -> str | None:
    """A nested stack's parameter, where it is known before the stack is created."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if isinstance(value, str | int | float):
        return str(value)
    return None


def settled(template: dict, given: dict[str, str]) -> dict:
    """A template without conditions, mappings, rules and the parameters that are given."""
    declared = template.get("Parameters", {})
    values = {name: typed(text, declared.get(name, {})) for name, text in given.items()}
    decide = Decisions(template, values)
    kept = {key: template[key] for key in ("AWSTemplateFormatVersion", "Description") if key in template}
    if left := {name: entry for name, entry in declared.items() if name not in values}:
        kept["Parameters"] = left
    for section in ("Resources", "Outputs"):
        members = template.get(section, {})
        there = {name: one for name, one in members.items() if decide.holds(one.get("Condition"))}
        kept[section] = {
            name: decide.value({key: part for key, part in one.items() if key != "Condition"})
            for name, one in there.items()
        }
    for one in kept["Resources"].values():
        if "DependsOn" in one:
            asked = [one["DependsOn"]] if isinstance(one["DependsOn"], str) else one["DependsOn"]
            one["DependsOn"] = [name for name in asked if name in kept["Resources"]]
    return kept


def typed(text: str, declared: dict):
    """A parameter's value as its type has it."""
    kind = declared.get("Type", "String")
    if kind == "Number":
        with contextlib.suppress(ValueError):
            return int(text)
        return float(text)
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in text.split(",")] if text else []
    return text


class Decisions:
    """What conditions, references and functions of a template come to. What only the created stack knows stays."""

    def __init__(self, template: dict, values: dict) -> None:
        self.conditions = template.get("Conditions", {})
        self.mappings = template.get("Mappings", {})
        self.values = values

    def holds(self, name: str | None) -> bool:
        """Whether a condition of the template holds."""
        if name is None:
            return True
        if name not in self.conditions:
            raise Failed(f"the template has no condition {name}")
        return self.test(self.conditions[name])

    def test(self, condition) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Equals": [one, other]}:
                return self.plain(one) == self.plain(other)
            case {"Fn::Not": [one]}:
                return not self.test(one)
            case {"Fn::And": parts}:
                return all(self.test(part) for part in parts)
            case {"Fn::Or": parts}:
                return any(self.test(part) for part in parts)
        raise Failed(f"a condition cannot be decided from parameters: {json.dumps(condition)}")

    def plain(self, node):
        """One side of a comparison. CloudFormation compares texts."""
        value = self.value(node)
        return str(value) if isinstance(value, int | float) else value

    def value(self, node):
        if isinstance(node, list):
            return [value for part in node if (value := self.value(part)) is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return self.function(name, argument)
        parts = {key: self.value(part) for key, part in node.items()}
        return {key: part for key, part in parts.items() if part is not NOTHING}

    def function(self, name: str, argument):
        match name, argument:
            case "Ref", "AWS::NoValue":
                return NOTHING
            case "Ref", _:
                return self.values.get(argument, {"Ref": argument})
            case "Fn::If", [condition, one, other]:
                return self.value(one if self.holds(condition) else other)
            case "Fn::Sub", _:
                text, own = (argument, {}) if isinstance(argument, str) else argument
                return self.substituted(text, {key: self.value(value) for key, value in own.items()})
            case "Fn::FindInMap", [table, first, second]:
                keys = [self.value(part) for part in (table, first, second)]
                with contextlib.suppress(KeyError, TypeError):
                    return self.mappings[keys[0]][keys[1]][keys[2]]
                return {name: keys}
        return chosen(name, self.value(argument))

    def substituted(self, text: str, own: dict):
        known = self.values | own

        def fill(found: re.Match) -> str:
            value = known.get(found[1])
            return str(value) if isinstance(value, str | int | float) else found[0]

        filled = re.sub(r"\$\{([^!}][^}]*)\}", fill, text)
        left = {key: value for key, value in own.items() if f"${{{key}}}" in filled}
        if left:
            return {"Fn::Sub": [filled, left]}
        return {"Fn::Sub": filled} if "${" in filled else filled


def chosen(name: str, argument):
    """A function of texts and lists, where its arguments are known."""
    match name, argument:
        case "Fn::Select", [index, list(items)] if int(index) < len(items):
            return items[int(index)]
        case "Fn::Split", [str(separator), str(text)]:
            return text.split(separator)
        case "Fn::Join", [str(separator), list(items)] if all(isinstance(item, str) for item in items):
            return separator.join(items)
    return {name: argument}


def write(folder: Path, name: str, one: Expanded) -> list[Path]:
    """Writes a set's templates as `<set>.json` and `<set>-<nested stack>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    outer = {key: packaged(each, f"{name}-{key}.json") for key, each in one.template["Resources"].items()}
    templates = {name: one.template | {"Resources": outer}}
    templates |= {f"{name}-{key}": each for key, each in one.nested.items()}
    written = []
    for stem, template in templates.items():
        path = folder / f"{stem}.json"
        path.write_text(json.dumps(template, indent=1) + "\n")
        written.append(path)
    return written


def packaged(resource: dict, file: str) -> dict:
    """A nested stack with its template at an address, as `sam package` leaves it."""
    if resource["Type"] != NESTED:
        return resource
    address = {"TemplateURL": f"https://code.s3.amazonaws.com/{file}"}
    return resource | {"Properties": resource["Properties"] | address}


def main() -> None:
    import sets  # it needs this module

    parser = argparse.ArgumentParser(description="Writes the expanded templates of parameter sets into a folder.")
    parser.add_argument("--write", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("names", nargs="+", metavar="SET")
    asked = parser.parse_args()
    for name in asked.names:
        write(asked.write, name, sets.find(name).expand())


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"expanded: {failed}")
