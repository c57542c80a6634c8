"""The outcomes of files, received from the outcome topic as a partner's own system would receive them."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy import client
from emulator import ACCOUNT, Emulator, Failed

# A file of the demo takes well under a second; a build without optimisation, or a busy machine, takes longer.
SILENCE_SECONDS = 90


@dataclass(frozen=True)
class Outcome:
    """How a file ended: its ledger entry, as far as the demo needs it."""

    file: str
    key: str
    version: str
    state: str
    rows: int
    rejects: int
    fault: str | None
    receipt: str
    quarantine: str | None


def ledger_entry(emulator: Emulator, file: str) -> dict:
    """The ledger's item for a file id, with DynamoDB's types."""
    answer = client(emulator, "dynamodb").get_item(
        TableName=emulator.outputs["LedgerTableName"], Key={"pk": {"S": f"file#{file}"}}, ConsistentRead=True
    )
    if "Item" not in answer:
        raise Failed(f"the ledger has no entry file#{file}")
    return answer["Item"]


def look_up(emulator: Emulator, file: str) -> Outcome:
    """The outcome of a file that has one."""
    entry = ledger_entry(emulator, file)
    outcome = entry["outcome"]["M"]
    return Outcome(
        file=file,
        key=entry["key"]["S"],
        version=entry["version"]["S"],
        state=entry["state"]["S"],
        rows=int(outcome["rows"]["N"]),
        rejects=int(outcome["rejects"]["N"]),
        fault=outcome["fault"]["S"] if "fault" in outcome else None,
        receipt=outcome["receipt"]["S"],
        quarantine=outcome["quarantine"]["S"].rstrip("/") if "quarantine" in outcome else None,
    )


def subscribe(emulator: Emulator, account: str = ACCOUNT) -> str:
    """Subscribes a queue of the demo to the outcome topic; returns its URL."""
    sqs, topic = client(emulator, "sqs", account), emulator.outputs["OutcomeTopicArn"]
    url = sqs.create_queue(QueueName=f"{emulator.stack}-outcomes")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    client(emulator, "sns", account).subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    return url


def wait_for(
    emulator: Emulator, queue: str, versions: set[tuple[str, str]], heard: Callable[[Outcome, int], None]
) -> dict[tuple[str, str], Outcome]:
    """Waits until each (key, version) has an outcome. Events come at least once, so repeats are dropped; they name the
    file by its id only, since a key may tell more than everybody should read.
    """
    sqs = client(emulator, "sqs")
    outcomes: dict[tuple[str, str], Outcome] = {}
    last = time.monotonic()
    while missing := versions - outcomes.keys():
        if time.monotonic() - last > SILENCE_SECONDS:
            names = ", ".join(sorted(key for key, _ in missing))
            raise Failed(f"no outcome for {SILENCE_SECONDS} s of {names}")
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            outcome = look_up(emulator, json.loads(message["Body"])["fileId"])
            if (outcome.key, outcome.version) in missing:
                outcomes[outcome.key, outcome.version] = outcome
                last = time.monotonic()
                heard(outcome, len(outcomes))
    return outcomes


def wait_until_empty(sqs, queue: str) -> None:
    """Waits until nothing is in the queue, in flight included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < deadline:
        counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        if not any(int(counts[name]) for name in names):
            return
        time.sleep(0.1)
    raise Failed(f"the inbox queue was not empty after {SILENCE_SECONDS} s")
