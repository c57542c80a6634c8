"""The emulator for `make deploy-check`, with what it lacks for a stack that the SAM command line deploys.

It applies AWS::LanguageExtensions to the outer template only; here nested templates are expanded too, before their
parameters are read. It compares a number that comes from a parameter as a text; here it is a number. Alarms that it cannot
make (composite ones, and those that compute from several metrics) are left out.
"""

import sys

from ministack.app import main
from ministack.services.cloudformation import changesets, engine, handlers, language_extensions

import emulator_as_aws  # noqa: F401  what every emulator has here
from nested import can_be_made

resolve_parameters = engine._resolve_parameters


def expand_then_resolve(template: dict, provided: list, *others, **more):
    # The outer template declares SAM too, and is expanded by the emulator.
    if list(engine.declared_transforms(template)) == [language_extensions.TRANSFORM]:
        given = {each["Key"]: each["Value"] for each in provided}
        expanded = language_extensions.apply(template, given)
        expanded.pop("Transform")
        expanded["Resources"] = {name: each for name, each in expanded["Resources"].items() if can_be_made(each)}
        template.clear()
        template.update(expanded)
    resolved = resolve_parameters(template, provided, *others, **more)
    for name, parameter in template.get("Parameters", {}).items():
        if parameter["Type"] == "Number":
            resolved[name]["Value"] = int(resolved[name]["Value"])
    return resolved


for user in (engine, changesets, handlers):
    user._resolve_parameters = expand_then_resolve

if __name__ == "__main__":
    sys.exit(main())
