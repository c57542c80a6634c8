"""The emulator for `make deploy-check`, with what it lacks for a stack that the SAM command line deploys.

Of a nested stack it does less than AWS, which is added here:

* its macros (AWS::LanguageExtensions and SAM) are applied, as the emulator applies those of the outer template;
* a number that comes from a parameter is a number, not a text;
* at an update, a resource that does not change is left as it is;
* when it cannot be created, what it had made is deleted;
* when it is deleted, a resource stays that its DeletionPolicy keeps. AWS does not say whether RetainExceptOnCreate keeps a
  resource when the creation of the outer stack fails after that of the nested one. Here it does, which leaves more to remove.

Alarms that the emulator cannot make (composite ones, and those that compute from several metrics) are left out.
"""

import copy
import sys

from ministack.app import main
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

import emulator_as_aws  # noqa: F401  what every emulator has here
from nested import can_be_made

NESTED = "AWS::CloudFormation::Stack"
KEEPS = ("Retain", "RetainExceptOnCreate")

resolve_parameters = engine._resolve_parameters
deploy_nested = provisioners._cfn_nested_stack_deploy
delete_nested = provisioners._cfn_nested_stack_delete
update_resource = provisioners._update_resource
# The nested stack whose template is read next: the emulator resolves its parameters first.
begun = []


def expand_then_resolve(template: dict, provided: list, *others, **more):
    if begun:
        begun.clear()
        expanded = engine._apply_transforms(copy.deepcopy(template), provided)
        expanded.pop("Transform", None)
        expanded["Resources"] = {name: each for name, each in expanded["Resources"].items() if can_be_made(each)}
        template.clear()
        template.update(expanded)
    resolved = resolve_parameters(template, provided, *others, **more)
    for name, parameter in template.get("Parameters", {}).items():
        if parameter["Type"] == "Number":
            resolved[name]["Value"] = int(resolved[name]["Value"])
    return resolved


def deploy_or_roll_back(logical_id, props, parent, **more):
    before = set(cloudformation._stacks)
    begun.append(logical_id)
    try:
        return deploy_nested(logical_id, props, parent, **more)
    except Exception:
        for name in set(cloudformation._stacks) - before:
            delete_nested(name, {})
        raise
    finally:
        begun.clear()


def update_what_changes(kind, physical_id, old, new, stack, logical_id):
    made = cloudformation._stacks.get(stack, {}).get("_resources", {}).get(logical_id)
    if old == new and made and "_parent_stack_name" in cloudformation._stacks[stack]:
        return physical_id, made["Attributes"]
    return update_resource(kind, physical_id, old, new, stack, logical_id)


def delete_by_policy(physical_id, props):
    nested = cloudformation._stacks.get(provisioners._nested_stack_lookup_name(physical_id))
    kept = {}
    if nested:
        made = nested["_resources"]
        kept = {name: each for name, each in made.items() if is_kept(nested, name)}
        nested["_resources"] = {name: each for name, each in made.items() if name not in kept}
    delete_nested(physical_id, props)
    if nested:
        nested["_resources"] = {name: each | {"ResourceStatus": "DELETE_SKIPPED"} for name, each in kept.items()}


def is_kept(nested: dict, name: str) -> bool:
    template = nested["_template"]
    policy = stacks._resource_policy(
        template["Resources"].get(name), "DeletionPolicy", nested["_resources"], nested["_resolved_params"],
        nested["_conditions"], template.get("Mappings", {}), nested["StackName"], nested["StackId"],
    )
    return policy in KEEPS


for user in (engine, changesets, handlers):
    user._resolve_parameters = expand_then_resolve
provisioners._cfn_nested_stack_deploy = deploy_or_roll_back
provisioners._update_resource = update_what_changes
provisioners._RESOURCE_HANDLERS[NESTED]["delete"] = delete_by_policy

if __name__ == "__main__":
    sys.exit(main())
