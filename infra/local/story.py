"""What the demo sends: which sample under which key, and what is worth knowing about it."""

import sys
from dataclasses import dataclass
from urllib.parse import quote_plus

from emulator import REGION, ROOT

sys.path.insert(0, str(ROOT / "infra" / "samples"))


@dataclass(frozen=True)
class Delivery:
    """One sample file sent under one key."""

    sample: str
    key: str
    what: str


# Sent together.
FIRST = [
    Delivery("scan-reports-good.csv", "riverside/scan-reports/2026-11-19.csv", "good CSV"),
    Delivery("scan-reports-one-percent-bad.csv", "riverside/scan-reports/2026-11-20.csv", "1 % bad rows, ten kinds"),
    Delivery("scan-reports-broken.csv.gz", "riverside/scan-reports/2026-11-21.csv.gz", "gzip that breaks off"),
    Delivery("scan-reports-latin1.csv", "lakeside/scan-reports/2026-11-20.csv", "Latin-1 where UTF-8 is agreed"),
    Delivery("scan-reports-excel.csv", "lakeside/scan-reports/Nord + Süd (1) 50%.csv", "blank, + and ü in key; BOM"),
    Delivery("scan-reports-monday.csv", "lakeside/scan-reports/daily.csv", "feed that appends"),
    Delivery("patients-first.ndjson.gz", "riverside/patients/all.ndjson.gz", "NDJSON.gz, feed that supersedes"),
    Delivery("appointments.json", "riverside/appointments/ct1.json", "JSON document"),
    Delivery("charges.csv", "lakeside/charges/november.csv", "semicolons, windows-1252"),
    Delivery("no-contract.csv", "lakeside/labs/2026-11-20.csv", "feed without a contract"),
]
# Sent when the first ones are through: other bytes under the same key.
SECOND = [
    Delivery("scan-reports-tuesday.csv", "lakeside/scan-reports/daily.csv", "same key again, appends"),
    Delivery("patients-second.ndjson.gz", "riverside/patients/all.ndjson.gz", "same key again, supersedes"),
]
# Delivered a second time by the queue, as S3 and SQS may do.
REPEATED = FIRST[1]
# Sent by a partner through the API, under these names.
PARTNER = "hillside"
SMALL = Delivery("scan-reports-one-percent-bad.csv", "monday.csv", "as the body of one request")
LARGE = Delivery("scan-reports-good.csv", "tuesday.csv", "announced, then a signed PUT")
# Sent by a partner who only uses S3, and has no key.
S3_PARTNER = "valley"
S3_ONLY = Delivery("scan-reports-one-percent-bad.csv", f"{S3_PARTNER}/scan-reports/monday.csv", "by S3, with a role")
# Sent last: the first sets off an alarm, the second ends it.
TEN_PERCENT_BAD = Delivery("charges-ten-percent-bad.csv", f"{PARTNER}/charges/monday.csv", "10 % bad rows, good ones loaded")
CORRECTED = Delivery("charges-corrected.csv", f"{PARTNER}/charges/tuesday.csv", "good")
# A feed of a partner that is waited for, and what ends the waiting.
OVERDUE_FEED = "referrals"
LATE_AT_LAST = Delivery("referrals.csv", f"{PARTNER}/{OVERDUE_FEED}/monday.csv", "the file that was waited for")
# Read back at the end.
RECORD_KEY = "riverside/scan-reports#RPT-00000001"


def notification(bucket: str, key: str, version: str) -> dict:
    """The event that S3 sends for a new object version: the key as a form encodes it, a blank as `+`."""
    return {
        "Records": [{
            "eventVersion": "2.3",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
            "eventTime": "2026-11-21T06:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {"key": quote_plus(key, safe="/"), "versionId": version, "sequencer": "00692003A0B1C2D3E4"},
            },
        }]
    }
