"""The stack of `template.yaml`, created on a running emulator exactly as the template says.

What differs from `sam deploy`, because the emulator needs it:

* the SAM macro is expanded here, with its parameters, and each function's code is the binary that `make build` made;
* statements that reject plain HTTP are left out: plain HTTP on the loopback is all that the emulator speaks (and it
  enforces them);
* a number that comes from a parameter is written in as a number: the emulator would compare it as a text;
* the API's binary media types are written with their slash, and the answers of API Gateway itself, which SAM puts into
  the OpenAPI body, become resources: the emulator reads them only there;
* the nested stacks that are its parts are written into one template (see `parts.py`), those of alarms and the dashboard are
  written out before, and some alarms are put by the API (see `nested.py`);
* the output `PartnerApiUrl` is the emulator's address of the API.

What the emulator accepts and does not do is asserted on the expanded template (`tests/src/template`): access logs, TLS
policy, encryption, backups, limits on leading keys, the 10 MB of a request; and on synthetic series, what alarms do.
"""

import functools
import json
import logging
import os
import platform
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

import parts
from emulator import ACCOUNT, REGION, ROOT, STACK, Emulator, Failed
from nested import can_be_made, conditions, expand_nested, filled, put_alarms, wanted
from parts import TEMPLATE

CONTRACTS = ROOT / "infra" / "contracts"
CODE_BUCKET = "code"
API_STAGE = "api"
# A fixed time in every archive: the same binary gives the same bytes.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
# The translator warns of switches that only its authors set.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


def client(emulator: Emulator, service: str, account: str = ACCOUNT):
    """A client of one service of the emulator, as the owner of an account there."""
    return client_at(emulator.endpoint, service, account)


@functools.cache  # making one takes a third of a second
def client_at(endpoint: str, service: str, account: str):
    # These are no credentials of anything real.
    session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="local", region_name=REGION)
    config = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"})
    return session.client(service, endpoint_url=endpoint, config=config)


def local_parameters() -> dict[str, str]:
    """The template's parameters for this machine: nothing is retained, binaries are the host's."""
    machine = platform.machine().lower()
    return {
        "Stage": "dev",
        "Architecture": "arm64" if machine in ("arm64", "aarch64") else "x86_64",
        "OnDelete": "Delete",
    }


def expand(parameters: dict[str, str]) -> dict:
    """The template with its parts in it, after the SAM macro."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks for a region
    template = parts.load(TEMPLATE)
    return parts.whole(expand_parsed(template, parameters), all_values(template, parameters), expand_part)


def expand_part(template: dict, values: dict[str, str]) -> dict:
    """A part of the template after the SAM macro, with the archives of its functions."""
    for function in functions(template):
        function["Properties"]["CodeUri"] = {"Bucket": CODE_BUCKET, "Key": f"{binary_of(function)}.zip"}
    return translated(template, values)


def all_values(template: dict, parameters: dict[str, str]) -> dict[str, str]:
    """The values of the parameters: those that are given, and the defaults."""
    return {name: str(entry["Default"]) for name, entry in template["Parameters"].items() if "Default" in entry} | parameters


def expand_parsed(template: dict, parameters: dict[str, str]) -> dict:
    declared = template.pop("Transform")
    macros = [declared] if isinstance(declared, str) else declared
    if unknown := sorted(set(parameters) - set(template["Parameters"])):
        raise Failed(f"template.yaml has no parameter {', '.join(unknown)}")
    expanded = translated(template, all_values(template, parameters))
    expanded["Transform"] = [macro for macro in macros if not macro.startswith("AWS::Serverless")]
    return expanded


def translated(template: dict, values: dict[str, str]) -> dict:
    """A template after the SAM macro alone."""
    template.pop("Transform", None)
    try:
        return transform(template, values, NoManagedPolicies())
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise Failed(f"the template is not valid SAM: {causes}") from error


class NoManagedPolicies:
    """The template names no managed policy, so there is no list to look one up in."""

    def load(self) -> dict[str, str]:
        return {}


def deploy(emulator: Emulator, account: str = ACCOUNT, stack: str = STACK, parameters: dict | None = None) -> dict:
    """Creates the stack, publishes the sample contracts, and returns the stack's outputs."""
    parameters = local_parameters() | (parameters or {})
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    s3 = client(emulator, "s3", account)
    upload_code(s3)
    expanded = expand(parameters)
    nested = put_nested(s3, expanded, f"{emulator.endpoint}/{CODE_BUCKET}", stack, parameters)
    expanded = with_numbers(with_api(with_batches(without_tls_only(expanded))), parameters)
    # By address: a template in the request itself may have 51,200 bytes.
    s3.put_object(Bucket=CODE_BUCKET, Key=f"{stack}.json", Body=json.dumps(expanded).encode())
    address = f"{emulator.endpoint}/{CODE_BUCKET}/{stack}.json"
    outputs = create_stack(client(emulator, "cloudformation", account), stack, address, parameters)
    topics = {"AlarmTopic": outputs["AlarmTopicArn"], "MailTopic": outputs["MailTopicArn"]}
    known = known_values(expanded, stack, parameters) | topics
    for template, given in nested:
        put_alarms(client(emulator, "cloudwatch", account), template, filled(given, known), account)
    outputs["PartnerApiUrl"] = f"{emulator.endpoint}/_aws/execute-api/{outputs['PartnersApiId']}/{API_STAGE}"
    publish_contracts(s3, outputs["ContractsBucketName"])
    return outputs


def put_nested(
    s3, template: dict, place: str, stack: str, parameters: dict[str, str]
) -> list[tuple[dict, dict]]:
    """Puts the templates of nested stacks where the emulator reads them, and names the places. Returns each that it cannot
    make whole, with what it is given."""
    whole = []
    known = known_values(template, stack, parameters)
    for name, nested in of_type(wanted(template, known | conditions(template, known)), "AWS::CloudFormation::Stack"):
        properties = nested["Properties"]
        # What a loop repeats must be known here; an address of a resource is not, and is not repeated.
        given = {key: known.get(value.get("Ref"), "") for key, value in properties["Parameters"].items()}
        inner = with_numbers(expand_nested(properties["TemplateURL"], given), given)
        made = {key: each for key, each in inner["Resources"].items() if can_be_made(each)}
        if len(made) < len(inner["Resources"]):
            whole.append((inner, properties["Parameters"]))
        inner = inner | {"Resources": made}
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{stack}-{name}.json", Body=json.dumps(inner).encode())
        properties["TemplateURL"] = f"{place}/{stack}-{name}.json"
    return whole


def known_values(template: dict, stack: str, parameters: dict[str, str]) -> dict[str, str]:
    """What the template's parameters and its name for the stack are."""
    return all_values(template, parameters) | {"AWS::StackName": stack}


def without_tls_only(template: dict) -> dict:
    """The template without the statements that reject plain HTTP, and without the policies that are then empty."""
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        document = resource.get("Properties", {}).get("PolicyDocument")
        if document:
            document["Statement"] = [each for each in document["Statement"] if not rejects_plain_http(each)]
            if not document["Statement"]:
                del resources[name]
    return template


def rejects_plain_http(statement: dict) -> bool:
    return statement.get("Effect") == "Deny" and "aws:SecureTransport" in statement.get("Condition", {}).get("Bool", {})


def with_batches(template: dict) -> dict:
    """The template with the emulator's own name for sending several messages, which AWS knows as `sqs:SendMessage` too."""
    for _, role in of_type(template["Resources"], "AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            for statement in policy.get("PolicyDocument", {}).get("Statement", []):
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions
                if "sqs:SendMessage" in actions:
                    statement["Action"] = [*actions, "sqs:SendMessageBatch"]
    return template


def with_api(template: dict) -> dict:
    """The template with the API's binary media types and gateway responses where the emulator reads them."""
    resources = template["Resources"]
    for name, api in of_type(resources, "AWS::ApiGateway::RestApi"):
        properties = api["Properties"]
        properties["BinaryMediaTypes"] = [kind.replace("~1", "/") for kind in properties["BinaryMediaTypes"]]
        answers = properties["Body"].pop("x-amazon-apigateway-gateway-responses")
        added = {
            f"{name}{kind.title().replace('_', '')}": gateway_response(name, kind, answer)
            for kind, answer in answers.items()
        }
        resources |= added
        # A deployment keeps the answers that there are when it is made.
        for _, deployment in of_type(resources, "AWS::ApiGateway::Deployment"):
            deployment["DependsOn"] = sorted(added)
    return template


def gateway_response(api: str, kind: str, answer: dict) -> dict:
    properties = {"RestApiId": {"Ref": api}, "ResponseType": kind}
    for theirs, ours in (
        ("statusCode", "StatusCode"), ("responseParameters", "ResponseParameters"),
        ("responseTemplates", "ResponseTemplates"),
    ):
        if theirs in answer:
            properties[ours] = answer[theirs]
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def of_type(resources: dict, kind: str) -> list[tuple[str, dict]]:
    return [(name, resource) for name, resource in resources.items() if resource["Type"] == kind]


def with_numbers(template: dict, parameters: dict[str, str]) -> dict:
    """The template with the value of each `Number` parameter in place of its references."""
    numbers = {
        name: int(parameters[name] if name in parameters else entry["Default"])
        for name, entry in template["Parameters"].items()
        if entry["Type"] == "Number"
    }

    def replaced(node):
        if isinstance(node, dict):
            if list(node) == ["Ref"] and node["Ref"] in numbers:
                return numbers[node["Ref"]]
            return {key: replaced(value) for key, value in node.items()}
        return [replaced(value) for value in node] if isinstance(node, list) else node

    return replaced(template)


def all_functions() -> list[dict]:
    """The functions of every part of the template."""
    paths = parts.of_root(parts.load(TEMPLATE)).values()
    return [function for path in paths for function in functions(parts.load(ROOT / path))]


def functions(template: dict) -> list[dict]:
    return [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]


def binary_of(function: dict) -> str:
    return function["Metadata"]["BuildProperties"]["Binary"]


def upload_code(s3) -> None:
    """Puts each function's archive where the expanded template looks for it."""
    s3.create_bucket(Bucket=CODE_BUCKET)
    for function in all_functions():
        binary = binary_of(function)
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{binary}.zip", Body=archive(binary_path(binary)).read_bytes())


def binary_path(binary: str) -> Path:
    path = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / binary
    if not path.exists():
        raise Failed(f"{path} does not exist: `make build` makes it")
    return path


def archive(binary: Path) -> Path:
    """The function's archive, made once for each build of its binary. Debug symbols, four fifths of it, stay outside."""
    path = binary.with_suffix(".zip")
    if path.exists() and path.stat().st_mtime >= binary.stat().st_mtime:
        return path
    entry = zipfile.ZipInfo("bootstrap", ZIP_TIME)
    entry.external_attr = 0o755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        stripped, made = Path(folder) / "bootstrap", Path(folder) / "archive"
        subprocess.run(["strip", "-o", str(stripped), str(binary)], check=True)
        with zipfile.ZipFile(made, "w", compresslevel=1) as file:
            file.writestr(entry, stripped.read_bytes())
        # Tests that start side by side may both get here: each puts a whole archive in place.
        made.replace(path)
    return path


def create_stack(cloudformation, name: str, address: str, parameters: dict[str, str]) -> dict[str, str]:
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=address,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        OnFailure="DO_NOTHING",
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
        )
    except Exception as error:
        raise Failed(f"the stack was not created: {first_failure(cloudformation, name)}") from error
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def first_failure(cloudformation, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
    if not failed:
        return "no event says why"
    return f"{failed[0]['LogicalResourceId']}: {failed[0].get('ResourceStatusReason', 'no reason given')}"


def publish_contracts(s3, bucket: str) -> list[str]:
    """Puts every sample contract where the processor looks for it; returns the feeds."""
    feeds = []
    for path in sorted(CONTRACTS.glob("*.odcs.yaml")):
        s3.put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes(), ContentType="application/yaml")
        feeds.append(re.sub(r"\.odcs\.yaml$", "", path.name))
    return feeds


def function_environment(emulator: Emulator, function: str, account: str = ACCOUNT) -> dict[str, str]:
    """What a function's environment is on the emulator, for one that runs outside of it."""
    found = client(emulator, "lambda", account).get_function_configuration(FunctionName=f"{emulator.stack}-{function}")
    return found["Environment"]["Variables"] | {
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
    }
