"""The demo's partner who only uses S3: it uploads with a role of its own, and reads the receipt in the outbox."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import show
from deploy import client
from emulator import ACCOUNT, REGION, Emulator, Failed
from outcomes import wait_for, wait_until_empty
from partner import scalper
from story import S3_ONLY, S3_PARTNER

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def show_outbox(running: Emulator, queue: str, contents: dict[str, bytes]) -> None:
    """Uploads a file as a partner who has nothing but an AWS role, and shows the receipt that it reads."""
    show.heading("The same by S3 alone: a partner with an AWS role and no key")
    arn, s3 = role_of_partner(running)
    scalper(running, "partner", "add", S3_PARTNER)
    scalper(running, "partner", "s3", S3_PARTNER, "--principal", arn)
    show.step(f"  scalper partner s3 {S3_PARTNER} --principal {arn}")
    inbox, outbox = running.outputs["InboxBucketName"], running.outputs["OutboxBucketName"]
    sent = s3.put_object(Bucket=inbox, Key=S3_ONLY.key, Body=contents[S3_ONLY.sample])
    wait_for(running, queue, {(S3_ONLY.key, sent["VersionId"])}, show.Progress(1).heard)
    wait_until_empty(client(running, "sqs"), running.outputs["OutboxQueueUrl"])
    receipt = f"{S3_ONLY.key}.receipt.json"
    show.step(f"\naws s3 cp s3://{outbox}/{receipt} -")
    show.document(s3.get_object(Bucket=outbox, Key=receipt)["Body"].read().decode(), lines=16)
    try:
        s3.get_object(Bucket=outbox, Key=receipt.replace(S3_PARTNER, "riverside"))
    except ClientError as error:
        show.step(f"\nThe outbox of another partner: {error.response['Error']['Code']}")
    else:
        raise Failed(f"{S3_PARTNER} reads the outbox of riverside")


def role_of_partner(running: Emulator) -> tuple[str, object]:
    """A role without any policy, and S3 as this role sees it."""
    name = f"{S3_PARTNER}-sender"
    role = client(running, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    if role["Role"]["Arn"] != arn:
        raise Failed(f"the role is {role['Role']['Arn']}, expected {arn}")
    own = client(running, "sts").assume_role(RoleArn=arn, RoleSessionName="demo")["Credentials"]
    session = boto3.Session(
        aws_access_key_id=own["AccessKeyId"], aws_secret_access_key=own["SecretAccessKey"],
        aws_session_token=own["SessionToken"], region_name=REGION,
    )
    return arn, session.client("s3", endpoint_url=running.endpoint, config=Config(s3={"addressing_style": "path"}))
