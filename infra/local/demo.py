"""`make demo`: a local stack from the real template, sample files sent through it, and the outcome of each.

Ends what it started, also when it fails or is interrupted. State and logs stay in `.local/demo`.
"""

import json
import signal
import sys
import time

import emulator as emulators
import show
from deploy import client, deploy, local_parameters
from emulator import ROOT, STACK, Emulator, Failed
from outcomes import Outcome, ledger_entry, look_up, subscribe, wait_for, wait_until_empty
from incidents import expect_daily, show_incidents
from outbox import show_outbox
from partner import Partner, scalper
from receiver import Receiver
from story import FIRST, LARGE, OVERDUE_FEED, PARTNER, RECORD_KEY, REPEATED, SECOND, SMALL, Delivery, notification
from ways_back import show_ways_back

from generate import samples

FOLDER = ROOT / ".local" / "demo"
# States whose rows are in the records table; of other files rows were at most read.
LOADED = frozenset({"COMPLETE", "SUPERSEDED"})
Sent = list[tuple[Delivery, str]]
NEXT = """ What you can do next:

  make local    start a stack that stays, drop your own files, try `scalper`
  make cost     see what a stack costs in your AWS account
  make test     run all tests; then deploy: docs/deploy.md
"""


def main() -> None:
    # A request to end is an interrupt: the emulator must not outlive the demo.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    try:
        emulators.stop(FOLDER)
        receiver = Receiver()
        running = stand_up(receiver)
        run(running, receiver)
        show.step(f"\nDone in {time.monotonic() - begun:.1f} s.{NEXT}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
    except Failed as error:
        sys.exit(f"\n{error}\nthe log is {FOLDER / 'emulator.log'}")
    finally:
        if emulators.stop(FOLDER):
            show.step("The local stack is stopped.")


def stand_up(receiver: Receiver) -> Emulator:
    running = emulators.start(FOLDER)
    show.step(f"emulator on {running.endpoint}")
    begun = time.monotonic()
    architecture = local_parameters()["Architecture"]
    choices = {
        "ChannelsSecretArn": receiver.keep_address(running),
        "Outbox": "On",
    }
    running.outputs, running.stack = deploy(running, parameters=choices), STACK
    running.save()
    show.step(f"template.yaml deployed for {architecture} in {time.monotonic() - begun:.1f} s, contracts published")
    return running


def run(running: Emulator, receiver: Receiver) -> None:
    queue, contents = subscribe(running), samples()
    due = expect_daily(running)
    show.heading("Files go to the inbox")
    sent = [(delivery, send(running, delivery, contents)) for delivery in FIRST]
    outcomes = hear(running, queue, sent)
    show.step("\nThe same keys again, with other bytes:")
    again = [(delivery, send(running, delivery, contents)) for delivery in SECOND]
    outcomes |= hear(running, queue, again)
    repeated = outcomes[REPEATED.key, dict(sent)[REPEATED]]
    show.step(f"\n{repeat(running, repeated)}")
    show_table(running, sent + again, outcomes)
    show_excerpts(running, repeated)
    show_api(running, contents)
    show_outbox(running, queue, contents)
    show_ways_back(running, PARTNER, FOLDER)

    def process(delivery: Delivery) -> None:
        hear(running, queue, [(delivery, send(running, delivery, contents))])

    show_incidents(running, receiver, due, process)


def send(running: Emulator, delivery: Delivery, contents: dict[str, bytes]) -> str:
    """Puts one file in the inbox, as a partner does; returns its version."""
    content = contents[delivery.sample]
    version = client(running, "s3").put_object(
        Bucket=running.outputs["InboxBucketName"], Key=delivery.key, Body=content
    )["VersionId"]
    show.step(f"  {delivery.key:<44} {len(content):>9,} bytes  {delivery.what}")
    return version


def hear(running: Emulator, queue: str, sent: Sent) -> dict[tuple[str, str], Outcome]:
    show.step("")
    versions = {(delivery.key, version) for delivery, version in sent}
    return wait_for(running, queue, versions, show.Progress(len(sent)).heard)


def repeat(running: Emulator, outcome: Outcome) -> str:
    """Delivers the event of a finished file once more; says what changed."""
    sqs, inbox = client(running, "sqs"), running.outputs["InboxQueueUrl"]
    wait_until_empty(sqs, inbox)
    before = (ledger_entry(running, outcome.file), count_records(running))
    event = notification(running.outputs["InboxBucketName"], outcome.key, outcome.version)
    sqs.send_message(QueueUrl=inbox, MessageBody=json.dumps(event))
    wait_until_empty(sqs, inbox)
    after = (ledger_entry(running, outcome.file), count_records(running))
    if before != after:
        raise Failed(f"a second delivery of {outcome.key} changed the ledger or the records")
    return f"{outcome.key} delivered a second time: acknowledged, ledger entry and {after[1]:,} records unchanged"


def count_records(running: Emulator) -> int:
    pages = client(running, "dynamodb").get_paginator("scan").paginate(
        TableName=running.outputs["RecordsTableName"], Select="COUNT"
    )
    return sum(page["Count"] for page in pages)


def show_table(running: Emulator, sent: Sent, outcomes: dict) -> None:
    show.heading("Outcomes")
    rows = []
    for delivery, version in sent:
        # Read again: a later file may have superseded it since its event.
        outcome = look_up(running, outcomes[delivery.key, version].file)
        state = f"{outcome.state} ({outcome.fault})" if outcome.fault else outcome.state
        loaded = outcome.rows if outcome.state in LOADED else 0
        rows.append((delivery.key, delivery.what, state, loaded, outcome.rejects, where(outcome)))
    show.table(("file", "what it is", "outcome", "rows", "rejects", "where"), rows, right=frozenset({3, 4}))
    check_pages(rows)


def check_pages(rows: list[tuple]) -> None:
    """The pages show the same outcomes: README.md some of them, docs/demo.md all."""
    keys = tuple(row[0] for row in rows)
    outcomes = {" ".join(" ".join(str(cell) for cell in row[:5]).split()) for row in rows}
    for page, least in (("README.md", set()), ("docs/demo.md", outcomes)):
        lines = (" ".join(line.split()) for line in (ROOT / page).read_text().splitlines())
        stated = {line for line in lines if line.startswith(keys)}
        if wrong := (stated - outcomes) | (least - stated):
            raise Failed(f"{page} shows other outcomes than the demo:\n" + "\n".join(sorted(wrong)))


def where(outcome: Outcome) -> str:
    places = {"COMPLETE": ["records"], "SUPERSEDED": ["records, no longer visible"]}.get(outcome.state, [])
    if outcome.quarantine:
        places.append(f"quarantine: {outcome.quarantine}/")
    return " + ".join(places) or "receipt only"


def show_excerpts(running: Emulator, outcome: Outcome) -> None:
    s3, bucket = client(running, "s3"), running.outputs["QuarantineBucketName"]
    show.heading(f"One record: {RECORD_KEY}, newest version first")
    answer = client(running, "dynamodb").query(
        TableName=running.outputs["RecordsTableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": RECORD_KEY}},
        ScanIndexForward=False,
        Limit=1,
    )
    if not answer["Items"]:
        raise Failed(f"no record {RECORD_KEY}")
    show.record(answer["Items"][0])
    show.heading(f"The rejects of {outcome.key}, from rejects.csv")
    show.rejects(text_of(s3, bucket, f"{outcome.quarantine}/rejects.csv"), "report_id")
    show.heading("Its receipt, which the sender gets: positions and rules, no values")
    show.document(text_of(s3, bucket, outcome.receipt), lines=60)


def show_api(running: Emulator, contents: dict[str, bytes]) -> None:
    show.heading("The same by API: a partner with nothing but HTTP and a key")
    added = scalper(running, "partner", "add", PARTNER, "--feeds", f"scan-reports,charges,{OVERDUE_FEED}")
    partner = Partner(running.outputs["PartnerApiUrl"], added["secret"])
    show.step(f"  scalper partner add {PARTNER}: the key is shown once, and kept only as a hash")
    sent = [
        partner.send_file("scan-reports", SMALL.key, contents[SMALL.sample]),
        partner.upload("scan-reports", LARGE.key, contents[LARGE.sample]),
    ]
    for delivery, file in zip((SMALL, LARGE), sent, strict=True):
        status = partner.wait(file["id"])
        counts = status["counts"]
        show.step(f"  {delivery.key:<16} {delivery.what:<30} {status['state']}, {counts['rows']} rows, {counts['rejects']} rejects")
    show.step("\nIts receipt, by GET /v1/files/{id}/receipt:")
    show.document(partner.get(f"/v1/files/{sent[0]['id']}/receipt").body.decode(), lines=14)
    show.step("\nA key that nobody has:")
    rejected = Partner(partner.api, "ssk_not_a_key").get("/v1/files")
    show.step(f"  {rejected.status} {rejected.json()['code']}: {rejected.json()['detail']}")
    show.step("\nA partner that may ask once a second, asking without a pause:")
    busy = Partner(partner.api, scalper(running, "partner", "add", "busy", "--rate", "1", "--burst", "3")["secret"])
    answers = [busy.get("/v1/feeds") for _ in range(8)]
    slow = next((answer for answer in answers if answer.status == 429), None)
    if slow is None:
        raise Failed("eight requests at once passed a limit of three")
    passed = sum(answer.status == 200 for answer in answers)
    wait = {name.lower(): value for name, value in slow.headers.items()}["retry-after"]
    show.step(f"  {passed} answered, then {slow.status} {slow.json()['code']}, Retry-After: {wait}")


def text_of(s3, bucket: str, key: str) -> str:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


if __name__ == "__main__":
    main()
