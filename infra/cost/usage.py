"""What an idle stack uses in a month, counted from its expanded templates.

The template says how many alarms, dashboards, keys, polled queues and scheduled runs there are. `idle_metrics.json`
says which metrics the functions write while nothing happens, and `assumptions.toml` what a run needs, and why.
"""

import json
import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from expanded import Expanded, Failed

HERE = Path(__file__).resolve().parent
ASSUMPTIONS = tomllib.loads((HERE / "assumptions.toml").read_text())
IDLE_METRICS = json.loads((HERE / "idle_metrics.json").read_text())
# The folder of the stack's own hourly file in the inbox.
HEARTBEAT_FOLDER = "heartbeat/"
MINUTES = {"minute": 1, "hour": 60, "day": 1440}
# A dashboard with more metrics is not in the always-free tier.
SMALL_DASHBOARD = 50
# S3 lists at most this many versions at once.
PAGE = 1000


@dataclass
class Line:
    """Units of one price that the stack uses for one purpose."""

    column: str
    price: str
    quantity: float
    purpose: str


def assumed(name: str) -> float:
    """A number that the template does not say."""
    return ASSUMPTIONS[name]["value"]


def usage(stack: Expanded) -> list[Line]:
    """Everything that is billed while nothing happens. Uses of zero are left out."""
    runs = sum(runs_a_month(rule) for rule in schedules(stack))
    beats = assumed("hours") if runs and heartbeat(stack) else 0
    lines = [
        *alarms(stack), *metrics(stack), *dashboards(stack), *keys(stack, runs, beats),
        *queues(stack, runs, beats), *invocations(stack, beats), *objects(stack, runs, beats),
        *tables(stack, runs, beats), *logs(runs, beats),
        Line("other", "published", beats, "outcomes of the heartbeat"),
    ]
    return [line for line in lines if line.quantity]


# --- CloudWatch ---------------------------------------------------------------------------------------------------


def alarms(stack: Expanded) -> list[Line]:
    """Alarms are billed by the metrics that they read, composite ones by the piece."""
    standard = fast = 0
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        computed = [each.get("Expression", "") for each in alarm.get("Metrics", [])]
        if "ThresholdMetricId" in alarm or any("SELECT" in each for each in computed):
            raise Failed(f"alarm {alarm['AlarmName']}: the table has no price for queries and anomaly detection")
        read = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each] or [alarm]
        if any(int(each.get("Period", 300)) < 60 for each in read):
            fast += len(read)
        else:
            standard += len(read)
    composite = len(stack.of_type("AWS::CloudWatch::CompositeAlarm"))
    return [
        Line("alarms", "alarm", standard, "alarms, one for each metric that an alarm reads"),
        Line("alarms", "fast_alarm", fast, "alarms that look more often than once a minute"),
        Line("alarms", "composite_alarm", composite, "alarms that combine others"),
    ]


def monitoring(stack: Expanded) -> str:
    """Off, Basic or Full. A template without the parameter monitors all it can."""
    return stack.values.get("Monitoring", "Full")


def idle_metrics(stack: Expanded) -> set[tuple[str, ...]]:
    """Every metric that an idle stack writes: its name, and its dimensions' values.

    `idle_metrics.json` has for each level of Monitoring, record and metric the sets of dimensions that it is written
    with. Records: `heartbeat_file`, of the hourly file (telemetry's `FileRecord`); `watcher_run`, of a run
    (`WatchRecord`); `feed`, of each feed whose contract expects files (`FeedWatchRecord`). A set with `partner` is
    written with PartnerMetrics only.
    """
    partners = stack.values.get("PartnerMetrics", "true") == "true"
    found = set()
    for record, written in IDLE_METRICS[monitoring(stack)].items():
        if record == "heartbeat_file" and not heartbeat(stack):
            continue
        for name, sets in written.items():
            for dimensions in sets:
                if "partner" in dimensions and not partners:
                    continue
                # The heartbeat's file has one partner, one feed and one state.
                own = feeds(stack) if record == "feed" and "feed" in dimensions else [record if dimensions else ""]
                found |= {(name, *dimensions, value) for value in own}
    return found


def feeds(stack: Expanded) -> list[str]:
    """The feeds of AlarmFeeds, each of which is taken to have a contract that expects files."""
    return [feed for feed in stack.values.get("AlarmFeeds", "").split(",") if feed]


def metrics(stack: Expanded) -> list[Line]:
    count = len(idle_metrics(stack))
    return [Line("metrics", "metric", count, f"what the functions write with Monitoring={monitoring(stack)}")]


def dashboards(stack: Expanded) -> list[Line]:
    shown = [metrics_shown(each["DashboardBody"]) for each in stack.of_type("AWS::CloudWatch::Dashboard")]
    large = sum(count > SMALL_DASHBOARD for count in shown)
    never = f"dashboards that show more than {SMALL_DASHBOARD} metrics: never free"
    return [
        Line("dashboards", "dashboard", len(shown) - large, "the dashboards"),
        Line("dashboards", "large_dashboard", large, never),
    ]


def metrics_shown(body) -> int:
    """Metrics and searches of a dashboard. A search may find more than one; it counts as one."""
    text = body["Fn::Sub"] if isinstance(body, dict) else body
    text = text[0] if isinstance(text, list) else text
    widgets = json.loads(text)["widgets"]
    metrics = [metric for widget in widgets for metric in widget.get("properties", {}).get("metrics", [])]
    return sum(not is_computed(metric) for metric in metrics)


def is_computed(metric: list) -> bool:
    """Whether it is metric math over other metrics of its widget, which count themselves."""
    return isinstance(metric[0], dict) and "SEARCH(" not in metric[0]["expression"]


def logs(runs: float, beats: float) -> list[Line]:
    written = runs * assumed("watcher_log_bytes") + beats * assumed("heartbeat_log_bytes")
    return [Line("other", "logs", written / 1e9, "the log lines of the watcher and the heartbeat")]


# --- What runs by itself ------------------------------------------------------------------------------------------


def heartbeat(stack: Expanded) -> bool:
    """Whether the stack drops a file of its own each hour."""
    return stack.values.get("Heartbeat") != "Off"


def schedules(stack: Expanded) -> list[dict]:
    """The schedules that are switched on."""
    rules = [each for each in stack.of_type("AWS::Events::Rule") if "ScheduleExpression" in each]
    both = [*rules, *stack.of_type("AWS::Scheduler::Schedule")]
    return [each for each in both if each.get("State", "ENABLED") == "ENABLED"]


def runs_a_month(rule: dict) -> float:
    """Runs of a schedule in a month."""
    expression = rule["ScheduleExpression"]
    if not (found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)):
        raise Failed(f"schedule {expression} cannot be counted: expected rate(<number> minutes)")
    return assumed("hours") * 60 / (int(found[1]) * MINUTES[found[2]])


def function(stack: Expanded, end: str) -> dict | None:
    """The function whose name ends so."""
    for each in stack.of_type("AWS::Lambda::Function"):
        if str(each.get("FunctionName")).endswith(end):
            return each
    return None


def invocations(stack: Expanded, beats: float) -> list[Line]:
    """Scheduled runs of the function that each schedule names, and the heartbeat's way through processor, webhook and outbox."""
    lines = []
    for rule in schedules(stack):
        targets = rule.get("Targets") or [rule["Target"]]
        name = targets[0]["Arn"]["Fn::GetAtt"][0]
        target = stack.template["Resources"][name]["Properties"]
        lines += seconds(target, runs_a_month(rule), assumed("watcher_seconds"), "scheduled runs of the watcher")
    for end in ("-processor", "-webhook", "-outbox"):
        if one := function(stack, end):
            lines += seconds(one, beats, assumed(f"{end[1:]}_seconds"), f"the heartbeat in the {end[1:]}")
    return lines


def seconds(one: dict, times: float, each: float, purpose: str) -> list[Line]:
    gigabytes = int(one.get("MemorySize", 128)) / 1024
    price = f"{one.get('Architectures', ['x86_64'])[0]}_second"
    return [Line("other", "invocation", times, purpose), Line("other", price, gigabytes * times * each, purpose)]


def queues(stack: Expanded, runs: float, beats: float) -> list[Line]:
    """Lambda polls each queue that a mapping names, whether anything is in it or not."""
    month = assumed("hours") * 3600
    polls = assumed("pollers") * month / assumed("poll_seconds")
    lines = []
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        if str(mapping.get("Enabled", True)).lower() == "false":
            continue
        if "ProvisionedPollerConfig" in mapping:
            raise Failed("provisioned pollers have a price that is not in the table")
        queue = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        lines.append(Line("other", "queue_request", polls, f"polls of {queue}"))
    used = runs * assumed("watcher_queue_requests") + beats * assumed("heartbeat_queue_requests")
    if function(stack, "-outbox"):
        used += beats * assumed("outbox_queue_requests")
    return [*lines, Line("other", "queue_request", used, "the watcher and the heartbeat")]


# --- What keeps data ----------------------------------------------------------------------------------------------


def heartbeat_versions(stack: Expanded) -> int:
    """Versions of heartbeat files in the inbox when its retention has passed. Each is kept as a file, then as an older
    version below its delete marker."""
    days = [math.inf, math.inf]
    for bucket in stack.of_type("AWS::S3::Bucket"):
        if "NotificationConfiguration" not in bucket:
            continue
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", []):
            prefix = rule.get("Prefix", rule.get("Filter", {}).get("Prefix", ""))
            if rule.get("Status") == "Enabled" and HEARTBEAT_FOLDER.startswith(prefix):
                older = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", math.inf)
                days = [min(days[0], rule.get("ExpirationInDays", math.inf)), min(days[1], older)]
    if math.inf in days:
        raise Failed("no lifecycle rule of the inbox ends the heartbeat's files: their cost has no bound")
    return int(24 * sum(days))


def objects(stack: Expanded, runs: float, beats: float) -> list[Line]:
    versions = heartbeat_versions(stack) if beats else 0
    pages = math.ceil(versions / PAGE)
    contracts = len(feeds(stack)) + bool(beats)
    history = f"the hourly reconciliation of {versions:,} heartbeat files"
    return [
        Line("other", "object_write", runs * assumed("watcher_lists"), "the lists of the watcher's runs"),
        Line("other", "object_write", beats * pages, history),
        Line("other", "object_write", beats * assumed("heartbeat_object_writes"), "the heartbeat"),
        Line("other", "object_read", assumed("watcher_starts") * contracts, "the contracts, read when the watcher starts"),
        Line("other", "object_read", beats * assumed("heartbeat_object_reads"), "the heartbeat"),
        Line("other", "object_storage", assumed("object_storage_gb"), "heartbeat files and receipts"),
    ]


def tables(stack: Expanded, runs: float, beats: float) -> list[Line]:
    versions = heartbeat_versions(stack) if beats else 0
    backed = any("PointInTimeRecoverySpecification" in each for each in stack.of_type("AWS::DynamoDB::Table"))
    stored = assumed("table_storage_gb")
    history = f"the hourly reconciliation of {versions:,} heartbeat files"
    compared = beats * versions * assumed("entry_read_units")
    return [
        Line("other", "table_read", runs * assumed("watcher_reads"), "the watcher's runs"),
        Line("other", "table_read", compared, history),
        Line("other", "table_write", beats * assumed("heartbeat_write_units"), "the heartbeat"),
        Line("other", "table_storage", stored, "ledger entries and rows of the heartbeat"),
        Line("other", "table_backup", stored if backed else 0, "their point-in-time recovery"),
    ]


def keys(stack: Expanded, runs: float, beats: float) -> list[Line]:
    count = len(stack.of_type("AWS::KMS::Key"))
    asked = runs * assumed("key_requests_run") + beats * assumed("key_requests_heartbeat") if count else 0
    return [
        Line("keys", "key", count, "keys of the stack, in their first year"),
        Line("keys", "key_request", asked, "encrypting and decrypting"),
    ]
