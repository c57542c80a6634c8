"""Nested stacks on the emulator.

Their templates are written out before, since the emulator applies AWS::LanguageExtensions to the outer one only. Alarms that it
takes by its API and not from a template (composite ones, and those that compute from several metrics) are put by its API
when the stack stands, so that every alarm of the template is there; what they compute the emulator does not know.
"""

import re

from ministack.services.cloudformation import language_extensions
from samtranslator.yaml_helper import yaml_parse

from emulator import REGION, ROOT, Failed

COMPOSITE = "AWS::CloudWatch::CompositeAlarm"


def expand_nested(path: str, parameters: dict[str, str]) -> dict:
    """A nested stack's template with its loops written out."""
    template = yaml_parse((ROOT / path).read_text())
    if missing := sorted(set(template["Parameters"]) - set(parameters)):
        raise Failed(f"{path} is given no {', '.join(missing)}")
    return language_extensions.apply(template, parameters)


def can_be_made(resource: dict) -> bool:
    """Whether the emulator creates such an alarm from a template."""
    return resource["Type"] != COMPOSITE and "Metrics" not in resource.get("Properties", {})


def put_alarms(cloudwatch, template: dict, known: dict[str, str], account: str) -> None:
    """Puts the alarms of a nested stack's template that it was created without; `known` are its parameters."""
    values = known | {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": account}
    values |= conditions(template, values)
    alarms = {name: each for name, each in wanted(template, values).items() if "AlarmName" in each["Properties"]}
    # A rule names alarms by their resources.
    values |= {name: filled(each["Properties"]["AlarmName"], values) for name, each in alarms.items()}
    left_out = [filled(each, values) for each in alarms.values() if not can_be_made(each)]
    # A composite alarm is put when those that it names are there.
    for alarm in sorted(left_out, key=lambda each: each["Type"] == COMPOSITE):
        put = cloudwatch.put_composite_alarm if alarm["Type"] == COMPOSITE else cloudwatch.put_metric_alarm
        put(**alarm["Properties"])


def conditions(template: dict, values: dict[str, str]) -> dict[str, bool]:
    """Which conditions of a template hold."""
    held: dict[str, bool] = {}
    # A condition may name those that are written before it.
    for name, each in template.get("Conditions", {}).items():
        held[name] = filled(each, values | held)
    return held


def wanted(template: dict, values: dict[str, str | bool]) -> dict[str, dict]:
    """The resources whose condition, if they have one, holds."""
    return {name: each for name, each in template["Resources"].items() if values.get(each.get("Condition"), True)}


def filled(node, values: dict[str, str | bool]):
    """A part of a template with the values of what it refers to: parameters, resources, and whether conditions hold."""
    match node:
        case {"Ref": name}:
            return values[name]
        case {"Fn::Equals": [one, other]}:
            return filled(one, values) == filled(other, values)
        case {"Fn::Not": [one]}:
            return not filled(one, values)
        case {"Fn::And": each}:
            return all(filled(one, values) for one in each)
        case {"Condition": str(name)} if len(node) == 1:
            return values[name]
        case {"Fn::If": [condition, one, other]}:
            return filled(one if values[condition] else other, values)
        case {"Fn::Sub": [text, own]}:
            return filled({"Fn::Sub": text}, values | filled(own, values))
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(values[found[1]]), text)
        case dict():
            return {key: filled(value, values) for key, value in node.items()}
        case list():
            return [filled(value, values) for value in node]
    return node
