"""`make deploy-check`: the commands of README.md and docs/deploy.md, run with the real SAM command line against the emulator.

The deploy sections of both pages are run as written. Its stack is held against the one that `make demo` and the tests deploy
(`deploy.py`), takes a file to its outcome, has its API's address ranges changed, and is removed. The other environments of
samconfig.toml, and a production stack with its own keys and full monitoring, are built, packaged and deployed. Stack names
and parameters that cannot work are rejected, and a stack whose first creation failed is created again.

SAM builds with `infra/local/stub/cargo`, which hands it the binaries of `make build`: that the release build works is not
shown here. The emulator holds no role to its policies here, since the policies reject plain HTTP.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import emulator as emulators
import parts
from deploy import client, deploy, publish_contracts
from emulator import ACCOUNT, REGION, ROOT, Emulator, Failed
from outcomes import subscribe, wait_for
from story import FIRST

from generate import samples

FOLDER = ROOT / ".local" / "sam"
SAM = ROOT / ".venv" / "sam" / "bin" / "sam"
DEV = "silent-scalper-dev"
# Accounts of the emulator; each has a stack of its own, and buckets' names are unique among them. Dev is that of the pages.
OWN_KEYS = "Stage=prod KeyChoice=CustomerKey Monitoring=Full Outbox=On AlarmEmail=ops@example.org"
ENVIRONMENTS = [
    ("staging", "000000000002", None), ("prod", "000000000003", None),
    ("prod", "000000000004", OWN_KEYS),
]
PARTS = parts.of_root(parts.load(parts.TEMPLATE))
# What `deploy.py` adds or leaves out, because the emulator needs it.
ONLY_LOCAL = {"AWS::ApiGateway::GatewayResponse"}
ONLY_SAM = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::CloudWatch::CompositeAlarm"}


def main() -> None:
    begun = time.monotonic()
    try:
        emulators.stop(FOLDER)
        running = emulators.start(FOLDER, auth=False, for_sam=True)
        check(running)
        print(f"deployed and removed with the commands of the pages, in {time.monotonic() - begun:.0f} s")
    except Failed as error:
        sys.exit(f"\n{error}\nthe log is {FOLDER / 'emulator.log'}")
    finally:
        emulators.stop(FOLDER)


def check(running: Emulator) -> None:
    *deployed, removal = commands("README.md", "## Deploy to AWS")
    for block in deployed:
        run(running, ACCOUNT, block)
    step(f"dev, with the commands of README.md: {len(resources(running, DEV, ACCOUNT))} resources")
    same_commands_on_the_deploy_page(deployed[0], removal)
    same_as_local(running)
    takes_a_file(running)
    [overridden] = commands("docs/deploy.md", "## Parameters")
    run(running, ACCOUNT, overridden)
    step("the parameters of docs/deploy.md")
    run(running, ACCOUNT, deployed[0])
    if (status := described(running, DEV, ACCOUNT)["StackStatus"]) != "UPDATE_COMPLETE":
        raise Failed(f"{deployed[0]}again: the stack is {status}")
    step("an update, with the commands of docs/deploy.md")
    address_ranges_take_effect(running)
    run(running, ACCOUNT, removal)
    nothing_is_left(running, ACCOUNT)
    for environment, account, parameters in ENVIRONMENTS:
        build_and_deploy(running, environment, account, parameters)
    what_cannot_work_is_rejected(running)
    a_failed_creation_is_made_again(running)
    data_that_is_kept_can_be_deleted(running)


def commands(page: str, heading: str) -> list[str]:
    """The shell commands of a section, block by block, as they stand on the page."""
    section = (ROOT / page).read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.S)
    if not blocks:
        raise Failed(f"{page}: no commands under {heading}")
    return blocks


def same_commands_on_the_deploy_page(deploy: str, removal: str) -> None:
    """What both pages show is run once."""
    for heading, block in (("## Deploy", deploy), ("## Update", deploy), ("## Remove", removal)):
        if commands("docs/deploy.md", heading) != [block]:
            raise Failed(f"docs/deploy.md has another command under {heading} than README.md: {block}")


def run(running: Emulator, account: str, block: str) -> str:
    """Runs commands as a user does who types the stack's name when asked for it; returns what they said."""
    words = ["bash", "-euo", "pipefail", "-c", block]
    given = f"{DEV}\n"
    done = subprocess.run(words, cwd=ROOT, env=environment(running, account), input=given, text=True, capture_output=True)
    if done.returncode != 0:
        raise Failed(f"{block}ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def build_and_deploy(running: Emulator, environment: str, account: str, parameters: str | None) -> None:
    what = f"{environment} {parameters or ''}".strip()
    begun = time.monotonic()
    sam(running, account, "build", "--config-env", environment)
    chosen = ["--parameter-overrides", parameters] if parameters else []
    packaged = FOLDER / "packaged.yaml"
    sam(running, account, "package", "--config-env", environment, "--output-template-file", str(packaged))
    sam(running, account, "deploy", "--config-env", environment, *chosen)
    stack = described(running, f"silent-scalper-{environment}", account)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Failed(f"{what}: the stack is {stack['StackStatus']}")
    made = resources(running, stack["StackName"], account)
    step(f"{what}: built, packaged and deployed in {time.monotonic() - begun:.0f} s; {len(made)} resources")


def sam(running: Emulator, account: str, *words: str, expect: int = 0) -> str:
    """Runs SAM as a user does, and answers each of its questions with yes; returns what it said."""
    done = subprocess.run(
        [str(SAM), *words], cwd=ROOT, env=environment(running, account), input="y\n" * 3, text=True, capture_output=True,
    )
    said = done.stdout + done.stderr
    if (done.returncode == 0) != (expect == 0):
        failed = [line for line in said.splitlines() if "FAILED" in line or "Error" in line]
        raise Failed(f"`sam {' '.join(words)}` ended with {done.returncode}:\n" + "\n".join(failed or [said[-4000:]]))
    return said


def environment(running: Emulator, account: str) -> dict[str, str]:
    cargo = shutil.which("cargo")
    if cargo is None:
        raise Failed("cargo is not on the PATH: install Rust")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    first = [ROOT / "infra" / "local" / "stub", ROOT / ".venv" / "bin", SAM.parent, target / "debug"]
    return {
        "PATH": ":".join([*map(str, first), os.environ["PATH"]]), "HOME": os.environ["HOME"], "LANG": "C.UTF-8",
        "REAL_CARGO": cargo, "TARGET": str(target),
        "AWS_ENDPOINT_URL": running.endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
        # These are no credentials of anything real.
        "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "local",
        "SAM_CLI_TELEMETRY": "0", "COLUMNS": "400",
    }


def described(running: Emulator, stack: str, account: str) -> dict:
    return client(running, "cloudformation", account).describe_stacks(StackName=stack)["Stacks"][0]


def resources(running: Emulator, stack: str, account: str) -> dict[str, str]:
    """Types by logical id, of the stack and of those nested in it."""
    return {name: kind for name, (kind, _) in made(running, stack, account).items()}


def made(running: Emulator, stack: str, account: str) -> dict[str, tuple[str, str]]:
    """Types and physical ids by logical id, of the stack and of those nested in it. Parts of the template count as the template."""
    found = {}
    pages = client(running, "cloudformation", account).get_paginator("list_stack_resources").paginate(StackName=stack)
    for each in (each for page in pages for each in page["StackResourceSummaries"]):
        name, kind, physical = each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"]
        inner = made(running, physical, account) if kind == "AWS::CloudFormation::Stack" else {}
        if name in PARTS:
            found |= inner
        else:
            found |= {name: (kind, physical)} | {f"{name}.{key}": value for key, value in inner.items()}
    return found


def same_as_local(running: Emulator) -> None:
    """Holds the stack that SAM made to the one of the demo and the tests: the same resources, functions and outputs."""
    other = "000000000009"
    # The emulator runs the machine's binaries, whatever a function's architecture is.
    choices = {"Stage": "dev", "OnDelete": "Delete", "LogLevel": "debug", "Architecture": "arm64"}
    local_outputs = deploy(running, other, DEV, choices)
    sams, ours = made(running, DEV, ACCOUNT), made(running, DEV, other)
    by_sam, local = ({name: kind for name, (kind, _) in each.items()} for each in (sams, ours))
    # The id of a deployment holds a hash of the API's document, in which the accounts differ.
    differences = [
        f"{whose} only: {name} ({kind})"
        for whose, these, those, known in (("SAM", by_sam, local, ONLY_SAM), ("local", local, by_sam, ONLY_LOCAL))
        for name, kind in sorted(these.items())
        if name not in those and kind not in known and kind != "AWS::ApiGateway::Deployment"
    ]
    outputs = {each["OutputKey"] for each in described(running, DEV, ACCOUNT)["Outputs"]}
    differences += [f"output: {name}" for name in sorted(outputs ^ set(local_outputs))]
    for name, kind in sorted(by_sam.items()):
        if kind == "AWS::Lambda::Function":
            one, two = (function(running, each[name][1], account) for each, account in ((sams, ACCOUNT), (ours, other)))
            differences += [f"{name}.{key}: {one[key]} by SAM, {two[key]} locally" for key in one if one[key] != two[key]]
    if differences:
        raise Failed("SAM and deploy.py made different stacks:\n  " + "\n  ".join(differences))
    step(f"the stack of the demo is the same: {len(local)} resources")


def function(running: Emulator, physical: str, account: str) -> dict:
    """What decides how a function behaves, with the account's number written as one word."""
    functions = client(running, "lambda", account)
    found = functions.get_function_configuration(FunctionName=physical)
    sources = functions.list_event_source_mappings(FunctionName=physical)["EventSourceMappings"]
    wanted = {key: found.get(key) for key in ("Timeout", "MemorySize", "Handler", "Runtime", "Architectures", "Environment")}
    wanted["Sources"] = [
        {key: each.get(key) for key in ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig")} for each in sources
    ]
    # Each account has an API of its own, whose id is a part of its address.
    told = re.sub(r"//[0-9a-z]+\.execute-api\.", "//API.execute-api.", json.dumps(wanted))
    return json.loads(told.replace(account, "ACCOUNT"))


def takes_a_file(running: Emulator) -> None:
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described(running, DEV, ACCOUNT)["Outputs"]}
    running.outputs, running.stack = outputs, DEV
    s3, good = client(running, "s3"), FIRST[0]
    publish_contracts(s3, outputs["ContractsBucketName"])
    queue = subscribe(running)
    version = s3.put_object(Bucket=outputs["InboxBucketName"], Key=good.key, Body=samples()[good.sample])["VersionId"]
    outcome = wait_for(running, queue, {(good.key, version)}, lambda *_: None)[good.key, version]
    if outcome.state != "COMPLETE":
        raise Failed(f"{good.key} ended as {outcome.state}")
    step(f"a file dropped into the stack of SAM: {outcome.state}, {outcome.rows} rows")


def address_ranges_take_effect(running: Emulator) -> None:
    before = deployment(running)
    chosen = "Stage=dev OnDelete=Delete LogLevel=debug AllowedCidrs=192.0.2.0/24"
    sam(running, ACCOUNT, "deploy", "--config-env", "dev", "--parameter-overrides", chosen)
    api = running.outputs["PartnersApiId"]
    policy = client(running, "apigateway").get_rest_api(restApiId=api).get("policy", "")
    if "192.0.2.0/24" not in policy:
        raise Failed("AllowedCidrs was changed and the API's policy was not")
    if deployment(running) == before:
        raise Failed("AllowedCidrs was changed and the API was not deployed again, so that its stage keeps the old policy")
    step("AllowedCidrs changed on the running stack: the API has a new deployment")


def deployment(running: Emulator) -> str:
    api = running.outputs["PartnersApiId"]
    return client(running, "apigateway").get_stage(restApiId=api, stageName="api")["deploymentId"]


def what_cannot_work_is_rejected(running: Emulator) -> None:
    """Each is rejected by name, and leaves nothing that a second try would meet."""
    account = "000000000005"
    cases = [
        ("OAuth without audience", DEV, "OAuthIssuer=https://issuer.example.org", "OAuthAudience is empty"),
        ("capitals in the stack's name", "Silent-Scalper", "Stage=dev", "lower-case"),
        ("address ranges with a blank", DEV, "AllowedCidrs='10.0.0.0/8, 192.0.2.0/24'", "without blanks"),
        ("a stack name that is too long", "a-stack-name-that-is-too-long-for-buckets", "Stage=dev", "too long"),
        # SAM CLI meets it first: it writes the loops out itself.
        ("feeds with one id", DEV, "AlarmFeeds=scan-reports,scan_reports Monitoring=Full", "conflict with existing entries"),
    ]
    for what, stack, parameters, said in cases:
        words = ("deploy", "--config-env", "dev", "--stack-name", stack, "--parameter-overrides", f"OnDelete=Delete {parameters}")
        answer = " ".join(sam(running, account, *words, expect=1).split())
        if said not in answer and said not in reasons(running, stack, account):
            raise Failed(f"{what}: rejected, but not by name:\n{answer[-2000:]}")
        left = client(running, "s3", account).list_buckets()["Buckets"]
        if any(stack.lower() in bucket["Name"] for bucket in left):
            raise Failed(f"{what}: rejected after a bucket was made")
        step(f"rejected before anything is made: {what}")
        only_its_own_is_removed(running, stack, account)


def only_its_own_is_removed(running: Emulator, stack: str, account: str) -> None:
    """`make remove` of a stack that was rejected: a bucket of another stack, whose name differs in capitals, stays."""
    s3 = client(running, "s3", account)
    neighbour = f"{stack.lower()}-inbox-{account}-{REGION}"
    if stack != stack.lower():
        s3.create_bucket(Bucket=neighbour)
    cloudformation = client(running, "cloudformation", account)
    if stack in [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]:
        run(running, account, f"make remove STACK={stack} YES=1")
    if stack != stack.lower():
        s3.head_bucket(Bucket=neighbour)


def reasons(running: Emulator, stack: str, account: str) -> str:
    cloudformation = client(running, "cloudformation", account)
    try:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    except cloudformation.exceptions.ClientError:
        return ""
    return " ".join(each.get("ResourceStatusReason", "") for each in events)


def nothing_is_left(running: Emulator, account: str, stack: str = DEV) -> None:
    gateway = client(running, "apigateway", account)
    left = [each["Name"] for each in client(running, "s3", account).list_buckets()["Buckets"]]
    left += client(running, "dynamodb", account).list_tables()["TableNames"]
    left += [each["name"] for each in gateway.get_usage_plans()["items"] + gateway.get_api_keys()["items"]]
    left += [each["FunctionName"] for each in client(running, "lambda", account).list_functions()["Functions"]]
    if named := [name for name in left if stack in name]:
        raise Failed(f"`make remove STACK={stack}` left {', '.join(named)}")
    step(f"`make remove STACK={stack}`: nothing is left")


def a_failed_creation_is_made_again(running: Emulator) -> None:
    """A bucket of the stack's name is in the way; once it is gone, the commands of docs/deploy.md create the stack."""
    account = "000000000006"
    in_the_way = f"{DEV}-quarantine-{account}-{REGION}"
    client(running, "s3", account).create_bucket(Bucket=in_the_way)
    words = ("deploy", "--config-env", "dev")
    sam(running, account, *words, expect=1)
    [block] = commands("docs/deploy.md", "## When the first creation fails")
    run(running, account, block)
    step("a stack whose first creation failed was removed and created again")


def data_that_is_kept_can_be_deleted(running: Emulator) -> None:
    """A production stack keeps its buckets, tables and keys; a second word deletes them."""
    _, account, _ = ENVIRONMENTS[-1]
    stack = "silent-scalper-prod"
    run(running, account, f"make remove STACK={stack} YES=1")
    kept = [each["Name"] for each in client(running, "s3", account).list_buckets()["Buckets"] if stack in each["Name"]]
    expected = [f"{stack}-{bucket}-{account}-us-east-1" for bucket in ("contracts", "inbox", "outbox", "quarantine")]
    if sorted(kept) != expected:
        raise Failed(f"a stack that keeps its data kept the buckets {kept}")
    run(running, account, f"make remove STACK={stack} DATA=delete YES=1")
    nothing_is_left(running, account, stack)


def step(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
