"""The last section of the demo: what an operator hears when a file is bad, and when the next one is good."""

import time
from collections.abc import Callable

import alarms
import show
from emulator import Emulator, Failed
from receiver import Receiver
from story import CORRECTED, TEN_PERCENT_BAD, Delivery


def show_incident(running: Emulator, receiver: Receiver, process: Callable[[Delivery], None]) -> None:
    show.heading("What an operator hears")
    show.step(f"  A receiver of incidents at {receiver.url}, beside mail, Slack, PagerDuty and Teams.\n")
    for delivery, status in ((TEN_PERCENT_BAD, "open"), (CORRECTED, "closed")):
        # Each file is a period of its own: nobody waits five minutes in a demo.
        since = time.time()
        process(delivery)
        changed = alarms.evaluate(running, since)
        show.message(told(receiver, changed, status))


def told(receiver: Receiver, changed: list[str], status: str) -> dict:
    """The message of the one alarm that changed."""
    if len(changed) != 1:
        raise Failed(f"one alarm should have changed: {', '.join(changed) or 'none did'}")
    message = receiver.next()
    # An alarm that is part of an incident ends with the incident, under the incident's name.
    if message["status"] != status or message["alarm"] not in (changed[0], message["incident"]):
        raise Failed(f"{message['status']} of {message['alarm']} came, {status} of {changed[0]} was expected")
    return message
