"""`make remove STACK=…`: deletes a stack of your AWS account, also one whose first creation failed.

CloudFormation deletes no bucket that holds an object, no table that is protected, and nothing that it did not make. So
this empties the stack's buckets (every version), takes the protection off its tables, deletes the usage plans and keys that
`scalper partner add` made for its API, and then deletes the stack. A stack that keeps its data (`OnDelete` is
RetainExceptOnCreate) is deleted without it; `DATA=delete` deletes the data too, keys included, and asks for the stack's name
first.

Credentials and region come from where the AWS command line takes them.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

# What the template names after the stack. The names are all that a failed creation leaves to find them by.
BUCKETS = ("inbox", "contracts", "quarantine")
TABLES = ("ledger", "records", "partners")
# KMS deletes no key at once; 7 days is the shortest wait that it takes.
KEY_WAIT_DAYS = 7
PAUSE_SECONDS = 5

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
    parser.add_argument("--data", choices=["keep", "delete"], default="keep", help="what becomes of retained data")
    parser.add_argument("--yes", action="store_true", help="do not ask (for scripts)")
    return parser.parse_args()

def remove(stack: str, with_data: bool, is_sure: bool) -> None:
    cloudformation = boto3.client("cloudformation")
    found = describe(cloudformation, stack)
    keeps_data = found is not None and parameter(found, "OnDelete") != "Delete" and not failed_at_first(found)
    kept = keeps_data and not with_data
    buckets, tables = existing_buckets(stack), existing_tables(stack)
    if found is None and not buckets and not tables:
        raise Failed(f"no stack {stack} and nothing named after it is in {here()}: check name, region and account")
    if found is not None and parameter(found, "OnDelete") is None:
        raise Failed(f"{stack} is no stack of Silent Scalper: it has no parameter OnDelete")
    show_plan(stack, found, buckets, tables, kept)
    if not is_sure:
        confirm(stack)
    keys = customer_keys(found) if with_data or not keeps_data else []
    if found is not None:
        remove_callers(stack)
    if not kept:
        for bucket in buckets:
            empty(bucket)
        for table in tables:
            unprotect(table)
    if found is not None:
        delete_stack(cloudformation, stack)
    if not kept:
        # What the stack kept, or what a failed creation left behind.
        delete_rest(stack, keys)
    show("done" if not kept else f"done; kept: {', '.join(buckets + tables)}")

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

def failed_at_first(stack: dict) -> bool:
    """Whether the stack was never created whole, so that it can hold no data."""
    return stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")

def existing_buckets(stack: str) -> list[str]:
    identity, region = boto3.client("sts").get_caller_identity(), boto3.session.Session().region_name
    s3 = boto3.client("s3")
    named = [f"{stack}-{each}-{identity['Account']}-{region}".lower() for each in BUCKETS]
    return [name for name in named if is_there(lambda name=name: s3.head_bucket(Bucket=name), "404", "NoSuchBucket")]

def existing_tables(stack: str) -> list[str]:
    dynamodb = boto3.client("dynamodb")
    named = [f"{stack}-{each}" for each in TABLES]
    return [name for name in named if is_there(lambda name=name: dynamodb.describe_table(TableName=name), "ResourceNotFoundException")]

def is_there(look, *absent: str) -> bool:
    try:
        look()
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return False
        raise
    return True

def show_plan(stack: str, found: dict | None, buckets: list[str], tables: list[str], kept: bool) -> None:
    status = found["StackStatus"] if found else "no such stack; what a failed creation left"
    show(f"{stack}: {status}")
    if found is not None:
        show("  deletes the stack: functions, queues, topics, alarms, logs, API, usage plans and keys of partners")
    for name in buckets + tables:
        show(f"  {'keeps  ' if kept else 'deletes'} {name}{'' if kept else ' and all that it holds'}")
    if kept:
        show("  `DATA=delete` deletes the kept ones too")

def confirm(stack: str) -> None:
    try:
        typed = input(f"Type the stack's name to go on: ")
    except EOFError:
        typed = ""
    if typed.strip() != stack:
        raise Failed("nothing was deleted: that is not the stack's name (in a script, give YES=1)")

def customer_keys(found: dict | None) -> list[str]:
    """The ARNs of the stack's own keys; CloudFormation keeps them when the stack is deleted."""
    outputs = (found or {}).get("Outputs", [])
    return [each["OutputValue"] for each in outputs if each["OutputKey"].endswith("KeyArn")]

def remove_callers(stack: str) -> None:
    """Deletes the usage plans and keys that `scalper partner add` made for the stack's API: its name begins theirs."""
    gateway = boto3.client("apigateway")
    plans = [each for each in pages(gateway, "get_usage_plans") if each.get("name", "").startswith(f"{stack}.")]
    for plan in plans:
        for key in pages(gateway, "get_usage_plan_keys", usagePlanId=plan["id"]):
            gateway.delete_api_key(apiKey=key["id"])
        stages = [{"op": "remove", "path": "/apiStages", "value": f"{each['apiId']}:{each['stage']}"} for each in plan.get("apiStages", [])]
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

def empty(bucket: str) -> None:
    """Deletes every version, delete marker and unfinished upload."""
    s3 = boto3.client("s3")
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        listed = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]
        if objects:
            errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors", [])
            if errors:
                raise Failed(f"{bucket}: {len(errors)} objects could not be deleted: {errors[0]['Code']}")
            count += len(objects)
            show(f"  {bucket}: {count:,} versions deleted")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])

def unprotect(table: str) -> None:
    dynamodb = boto3.client("dynamodb")
    if dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=table)

def delete_stack(cloudformation, stack: str) -> None:
    show("  deleting the stack (minutes)")
    cloudformation.delete_stack(StackName=stack)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": PAUSE_SECONDS, "MaxAttempts": 360})
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"] == "DELETE_FAILED"]
        reason = failed[-1].get("ResourceStatusReason", "no reason given") if failed else str(error)
        name = failed[-1]["LogicalResourceId"] if failed else stack
        raise Failed(f"{name} was not deleted: {reason}; run the command again when that is solved") from error

def delete_rest(stack: str, keys: list[str]) -> None:
    s3, dynamodb, kms = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("kms")
    for bucket in existing_buckets(stack):
        empty(bucket)  # a function may have written until the stack was gone
        s3.delete_bucket(Bucket=bucket)
        show(f"  deleted {bucket}")
    for table in existing_tables(stack):
        dynamodb.delete_table(TableName=table)
        show(f"  deleted {table}")
    for key in keys:
        if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion":
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_WAIT_DAYS)
            show(f"  {key} is deleted in {KEY_WAIT_DAYS} days; until then `aws kms cancel-key-deletion` keeps it")

def show(line: str) -> None:
    print(line, flush=True)

if __name__ == "__main__":
    main()
