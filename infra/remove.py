"""`make remove STACK=…`: deletes a stack of your AWS account, also one whose first creation failed.

CloudFormation deletes no bucket that holds an object, no table that is protected, and nothing that it did not make. So
this empties the stack's buckets (every version), takes the protection off its tables, deletes the usage plans and keys that
`scalper partner add` made for its API, and then deletes the stack. It shows what goes and what stays, and asks for the stack's
name. A stack that keeps its data (`OnDelete` is RetainExceptOnCreate) is deleted without it; `DATA=delete` deletes the data
too, and schedules the deletion of the stack's own keys.

Credentials and region come from where the AWS command line takes them.
"""

import argparse
import re
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

# What the template names after the stack. The names are all that a failed creation leaves to find them by.
BUCKETS = ("inbox", "contracts", "quarantine", "outbox")
TABLES = ("ledger", "records", "partners", "audit")
# KMS deletes no key at once; 7 days is the shortest wait that it takes.
KEY_WAIT_DAYS = 7
PAUSE_SECONDS = 2
ATTEMPTS = 3
# States of a stack whose first creation failed.
NEVER_CREATED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})


class Failed(Exception):
    """Something could not be deleted; the message says what and why."""


def main() -> None:
    arguments = parse()
    try:
        remove(arguments.stack, arguments.data == "delete", arguments.yes)
    except Failed as error:
        sys.exit(str(error))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS did not do it: {error}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", help="the stack's name, such as silent-scalper-dev")
    parser.add_argument("--data", default="keep", help="keep or delete: whether retained data is deleted too")
    parser.add_argument("--yes", action="store_true", help="do not ask (for scripts)")
    arguments = parser.parse_args()
    if arguments.data not in ("keep", "delete"):
        sys.exit(f"DATA is keep or delete, not {arguments.data}; nothing was changed")
    return arguments


def remove(stack: str, with_data: bool, is_sure: bool) -> None:
    cloudformation = boto3.client("cloudformation")
    found = describe(cloudformation, stack)
    if found is not None:
        reject_early(stack, found)
    stores = existing(stack)
    made = made_by(cloudformation, found)
    doomed = [each for each in stores if with_data or goes(found, each, made)]
    keys = customer_keys(stack) if with_data else []
    if found is None and not doomed and not keys:
        raise Failed(
            f"the stack {stack} is gone; its data is kept: {', '.join(each.name for each in stores)} (DATA=delete deletes it)"
            if stores else
            f"no stack {stack} and nothing named after it is in {here()}: check name, region and account"
        )
    show_plan(stack, found, stores, doomed, keys)
    if not is_sure:
        confirm(stack)
    if found is not None:
        remove_callers(stack)
        delete_stack(cloudformation, stack, doomed)
    # What the stack kept, or what a failed creation left behind.
    for each in doomed:
        if each.is_there():
            each.empty()
            each.delete()
            show(f"  deleted {each.name}")
    delete_keys(keys)
    kept = ", ".join(each.name for each in stores if each not in doomed)
    show(f"done; kept: {kept}" if kept else "done")


def reject_early(stack: str, found: dict) -> None:
    """Rejects what CloudFormation would reject later, when data is gone already."""
    status = found["StackStatus"]
    if parameter(found, "OnDelete") is None and status != "REVIEW_IN_PROGRESS":
        raise Failed(f"{stack} was not made from this template: it has no parameter OnDelete")
    if found.get("EnableTerminationProtection"):
        raise Failed(f"{stack} is protected from deletion: switch its termination protection off first")
    if status.endswith("_IN_PROGRESS") and status not in ("REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS"):
        raise Failed(f"{stack} is {status}: run the command again when that is done")


def made_by(cloudformation, found: dict | None) -> set[str]:
    """The names of what the stack and those nested in it made. After a failed creation another one's may bear its name."""
    # A failed one may bear the name of what was in its way. A nested stack that is deleted says what it kept.
    left = ("CREATE_COMPLETE", "DELETE_FAILED", "DELETE_SKIPPED")
    names, stacks = set(), [found["StackId"]] if found else []
    while stacks:
        for each in cloudformation.describe_stack_resources(StackName=stacks.pop())["StackResources"]:
            if each["ResourceType"] == "AWS::CloudFormation::Stack":
                # It has no id when nothing of it was made.
                stacks += [each["PhysicalResourceId"]] if each.get("PhysicalResourceId") else []
            elif each["ResourceStatus"] in left:
                names.add(each["PhysicalResourceId"])
    return names


def goes(found: dict | None, store, made: set[str]) -> bool:
    """Whether a bucket or table is deleted without being asked for: that of a stack which was told to, or which was never
    created whole and so holds no partner's data. What another stack made stays, unless it is empty."""
    if found is None:
        return False
    if found["StackStatus"] in NEVER_CREATED:
        return store.name in made or store.is_empty()
    return parameter(found, "OnDelete") == "Delete"


def here() -> str:
    return f"{boto3.session.Session().region_name} of account {boto3.client('sts').get_caller_identity()['Account']}"


def describe(cloudformation, stack: str) -> dict | None:
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None  # how CloudFormation says that there is no such stack
        raise


def parameter(stack: dict, name: str) -> str | None:
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    return given.get(name)


class Bucket:
    """A bucket of the stack, with all versions in it."""

    def __init__(self, name: str) -> None:
        self.name, self.s3 = name, boto3.client("s3")

    def is_there(self) -> bool:
        return answers("404", "NoSuchBucket", call=lambda: self.s3.head_bucket(Bucket=self.name))

    def is_empty(self) -> bool:
        page = self.s3.list_object_versions(Bucket=self.name, MaxKeys=1)
        return not page.get("Versions") and not page.get("DeleteMarkers")

    def empty(self) -> None:
        count = 0
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            listed = page.get("Versions", []) + page.get("DeleteMarkers", [])
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
            if objects:
                answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise Failed(f"{self.name}: {len(errors)} versions could not be deleted: {errors[0]['Code']}")
                count += len(objects)
                show(f"  {self.name}: {count:,} versions deleted")
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name):
            for upload in page.get("Uploads", []):
                self.s3.abort_multipart_upload(Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"])

    def delete(self) -> None:
        self.s3.delete_bucket(Bucket=self.name)


class Table:
    """A table of the stack. It is deleted as it is; only its protection is in the way."""

    def __init__(self, name: str) -> None:
        self.name, self.dynamodb = name, boto3.client("dynamodb")

    def is_there(self) -> bool:
        return answers("ResourceNotFoundException", call=lambda: self.dynamodb.describe_table(TableName=self.name))

    def is_empty(self) -> bool:
        return not self.dynamodb.scan(TableName=self.name, Limit=1)["Items"]

    def empty(self) -> None:
        if self.dynamodb.describe_table(TableName=self.name)["Table"].get("DeletionProtectionEnabled"):
            self.dynamodb.update_table(TableName=self.name, DeletionProtectionEnabled=False)
            self.dynamodb.get_waiter("table_exists").wait(TableName=self.name)

    def delete(self) -> None:
        self.dynamodb.delete_table(TableName=self.name)


def existing(stack: str) -> list[Bucket | Table]:
    """The buckets and tables that are named after the stack: none where the name could never be a bucket's. CloudFormation tells
    `Dev` from `dev`, and a bucket's name is in lower case."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", stack):
        return []
    identity, region = boto3.client("sts").get_caller_identity(), boto3.session.Session().region_name
    buckets = [Bucket(f"{stack}-{each}-{identity['Account']}-{region}") for each in BUCKETS]
    tables = [Table(f"{stack}-{each}") for each in TABLES]
    return [each for each in [*buckets, *tables] if each.is_there()]


def answers(*absent: str, call) -> bool:
    """Whether a call finds what it asks for; `absent` are the codes of the errors that say it does not."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return False
        raise
    return True


def show_plan(stack: str, found: dict | None, stores: list, doomed: list, keys: list[str]) -> None:
    show(f"{stack}: {found['StackStatus'] if found else 'the stack is gone'}")
    if found is not None:
        show("  deletes the stack: functions, queues, topics, alarms, logs, API, usage plans and keys of partners")
    for each in stores:
        show(f"  deletes {each.name} and all that it holds" if each in doomed else f"  keeps   {each.name}")
    for key in keys:
        show(f"  deletes {key} in {KEY_WAIT_DAYS} days, and with it whatever it encrypted, backups too")
    if len(doomed) < len(stores):
        show("  DATA=delete deletes the kept ones too")


def confirm(stack: str) -> None:
    try:
        typed = input("Type the stack's name to go on: ")
    except EOFError:
        typed = ""
    if typed.strip() != stack:
        raise Failed("nothing was deleted: that is not the stack's name (in a script, give YES=1)")


def customer_keys(stack: str) -> list[str]:
    """The ARNs of the stack's own keys, by their descriptions: they outlive the stack and its outputs."""
    kms = boto3.client("kms")
    keys = []
    for page in kms.get_paginator("list_keys").paginate():
        for listed in page["Keys"]:
            try:
                key = kms.describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "AccessDeniedException":
                    continue  # somebody else's: who may delete a key of the stack may describe it
                raise
            if key.get("Description", "").startswith(f"{stack}: ") and key["KeyState"] != "PendingDeletion":
                keys.append(key["Arn"])
    return keys


def remove_callers(stack: str) -> None:
    """Deletes the usage plans and keys that `scalper partner add` made for the stack's API: its name begins theirs."""
    gateway = boto3.client("apigateway")
    plans = [each for each in pages(gateway, "get_usage_plans") if each.get("name", "").startswith(f"{stack}.")]
    for plan in plans:
        for key in pages(gateway, "get_usage_plan_keys", usagePlanId=plan["id"]):
            gateway.delete_api_key(apiKey=key["id"])
        of_plan = [f"{each['apiId']}:{each['stage']}" for each in plan.get("apiStages", [])]
        stages = [{"op": "remove", "path": "/apiStages", "value": stage} for stage in of_plan]
        if stages:
            gateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=stages)
        gateway.delete_usage_plan(usagePlanId=plan["id"])
    keys = [each for each in pages(gateway, "get_api_keys") if each.get("name", "").startswith(f"{stack}.")]
    for key in keys:
        gateway.delete_api_key(apiKey=key["id"])
    if plans or keys:
        show(f"  deleted {len(plans)} usage plans of partners and their keys")


def pages(client, operation: str, **arguments) -> list[dict]:
    return [each for page in client.get_paginator(operation).paginate(**arguments) for each in page.get("items", [])]


def delete_stack(cloudformation, stack: str, doomed: list) -> None:
    """Deletes the stack. While its functions live they may write into a bucket that was emptied, and CloudFormation deletes
    none that holds an object: then both are done again."""
    show("  deleting the stack (minutes)")
    for attempt in range(ATTEMPTS):
        for each in doomed:
            if each.is_there():
                each.empty()
        cloudformation.delete_stack(StackName=stack)
        waiter = cloudformation.get_waiter("stack_delete_complete")
        try:
            waiter.wait(StackName=stack, WaiterConfig={"Delay": PAUSE_SECONDS, "MaxAttempts": 1_800})
            return
        except WaiterError as error:
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            failed = [each for each in events if each["ResourceStatus"] == "DELETE_FAILED"]
            if attempt + 1 < ATTEMPTS:
                continue
            reason = failed[-1].get("ResourceStatusReason", "no reason given") if failed else str(error)
            name = failed[-1]["LogicalResourceId"] if failed else stack
            raise Failed(f"{name} was not deleted: {reason}; run the command again when that is solved") from error


def delete_keys(keys: list[str]) -> None:
    kms = boto3.client("kms")
    for key in keys:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_WAIT_DAYS)
        show(f"  {key} is deleted in {KEY_WAIT_DAYS} days; until then `aws kms cancel-key-deletion` keeps it")


def show(line: str) -> None:
    print(line, flush=True)

if __name__ == "__main__":
    main()
