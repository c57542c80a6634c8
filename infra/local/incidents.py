"""The last section of the demo: the alarms of a bad file and of a missing one, and their ends."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import alarms
import show
from deploy import client
from emulator import ROOT, Emulator, Failed
from receiver import PATIENCE_SECONDS, Receiver
from story import CORRECTED, LATE_AT_LAST, OVERDUE_FEED, PARTNER, TEN_PERCENT_BAD, Delivery


def expect_daily(running: Emulator) -> datetime:
    """Publishes the contract of a feed that is due each day at a minute that is not over yet; the next time that it is."""
    due = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=10)
    text = (ROOT / "infra" / "local" / f"{OVERDUE_FEED}.odcs.yaml").read_text()
    text = text.replace("MINUTE HOUR", f"{due.minute} {due.hour}")
    bucket = running.outputs["ContractsBucketName"]
    client(running, "s3").put_object(Bucket=bucket, Key=f"{OVERDUE_FEED}.odcs.yaml", Body=text.encode())
    return due


def show_incidents(
    running: Emulator, receiver: Receiver, due: datetime, process: Callable[[Delivery], None]
) -> None:
    show.heading("Alarms")
    show.step(f"  A receiver of incidents at {receiver.url}, beside mail, Slack, PagerDuty and Teams.\n")
    show_bad_file(running, receiver, process)
    show_missing_file(running, receiver, due, process)


def show_missing_file(
    running: Emulator, receiver: Receiver, due: datetime, process: Callable[[Delivery], None]
) -> None:
    show.step(f"  {OVERDUE_FEED} of {PARTNER} are due each day at {due:%H:%M} UTC, and none arrived. The alarm at {due:%H:%M}:\n")
    show.message(told(receiver, watch(running, due), "alarm"))
    process(LATE_AT_LAST)
    show.message(told(receiver, watch(running, due), "resolved"))


def watch(running: Emulator, due: datetime) -> list[str]:
    """One run of the watcher as its schedule begins it at that time; the alarms that changed."""
    since = time.time()
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": f"{due:%Y-%m-%dT%H:%M:01Z}", "detail": {}}
    answer = client(running, "lambda").invoke(
        FunctionName=running.outputs["WatcherFunctionName"], Payload=json.dumps(event).encode()
    )
    if "FunctionError" in answer:
        raise Failed(f"the watcher failed: {answer['Payload'].read().decode()}")
    return changed_since(running, since)


def show_bad_file(running: Emulator, receiver: Receiver, process: Callable[[Delivery], None]) -> None:
    for delivery, status in ((TEN_PERCENT_BAD, "alarm"), (CORRECTED, "resolved")):
        # Each file is a period of its own: nobody waits five minutes in a demo.
        since = time.time()
        process(delivery)
        show.message(told(receiver, changed_since(running, since), status))


def changed_since(running: Emulator, since: float) -> list[str]:
    """The alarms that changed. A file's outcome is heard a moment before its function's log can be read."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (changed := alarms.evaluate(running, since)):
        if time.monotonic() > end:
            raise Failed(f"no alarm changed within {PATIENCE_SECONDS} s")
        time.sleep(0.1)
    return changed


def told(receiver: Receiver, changed: list[str], status: str) -> dict:
    """The message of the one alarm that changed."""
    if len(changed) != 1:
        raise Failed(f"one alarm should have changed: {', '.join(changed)}")
    message = receiver.next()
    # An alarm that is part of an incident ends with the incident, under the incident's name.
    if message["status"] != status or message["alarm"] not in (changed[0], message["incident"]):
        raise Failed(f"{message['status']} of {message['alarm']} came, {status} of {changed[0]} was expected")
    return message
