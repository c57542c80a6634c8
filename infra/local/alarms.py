"""What CloudWatch does on AWS between a function's metrics and an alarm's state, for the alarms of a local stack.

The emulator keeps the functions' logs and does not read the metrics in them (CloudWatch's embedded metric format), and its own
evaluation knows no dimensions. So the metric lines are read here, and each alarm is evaluated as it stands in the
deployed template: its namespace, metric, dimensions, statistic, period and threshold. A state that changes is set
by SetAlarmState with the words that CloudWatch writes; what follows (the alarm's actions, the topic, the notifier, the
channels) is the emulator and the stack themselves.

What this does not do: metrics that AWS makes itself (queues, functions), alarms that compute from several metrics, percentiles,
M out of N periods, and missing data other than leaving a state as it is. Those rules are judged on made-up series in
`tests/src/template/cloudwatch.rs`.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deploy import client
from emulator import Emulator

STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Sum": sum, "Maximum": max, "Minimum": min, "SampleCount": len, "Average": lambda values: sum(values) / len(values),
}
COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", lambda value, threshold: value > threshold),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, threshold: value >= threshold),
    "LessThanThreshold": ("less than", lambda value, threshold: value < threshold),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, threshold: value <= threshold),
}


@dataclass(frozen=True)
class Point:
    """One value of one metric, with the dimensions that it was written under."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    seconds: float
    value: float


def evaluate(emulator: Emulator, since: float) -> list[str]:
    """Evaluates each alarm on what its metric was since then, at most a period ago; the alarms that went off or ended."""
    cloudwatch = client(emulator, "cloudwatch")
    points = list(read_points(emulator, since))
    changed = []
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
        for alarm in page["MetricAlarms"]:
            if (change := judge(alarm, points)) and change["StateValue"] != alarm["StateValue"]:
                cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], **change)
                if "ALARM" in (change["StateValue"], alarm["StateValue"]):
                    changed.append(alarm["AlarmName"])
    return changed


def judge(alarm: dict, points: list[Point]) -> dict[str, str] | None:
    """The state of an alarm and its reason, as CloudWatch words them; none when there is nothing to judge it by."""
    if alarm.get("ExtendedStatistic") or not alarm.get("MetricName"):
        return None
    statistic = STATISTICS[alarm["Statistic"]]
    wanted = (alarm["Namespace"], alarm["MetricName"], frozenset((each["Name"], each["Value"]) for each in alarm["Dimensions"]))
    begin = time.time() - alarm["Period"]
    own = [point for point in points if (point.namespace, point.metric, point.dimensions) == wanted and point.seconds >= begin]
    if not own:
        return None
    value, threshold = float(statistic([point.value for point in own])), alarm["Threshold"]
    words, compare = COMPARISONS[alarm["ComparisonOperator"]]
    crossed = compare(value, threshold)
    start = time.gmtime(own[0].seconds)
    reason = (
        f"Threshold Crossed: 1 out of the last 1 datapoints [{value} ({time.strftime('%d/%m/%y %H:%M:%S', start)})]"
        f" was {'' if crossed else 'not '}{words} the threshold ({float(threshold)})."
    )
    data = {
        "version": "1.0", "queryDate": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime()),
        "startDate": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", start), "statistic": alarm["Statistic"],
        "period": alarm["Period"], "recentDatapoints": [value], "threshold": float(threshold),
    }
    return {"StateValue": "ALARM" if crossed else "OK", "StateReason": reason, "StateReasonData": json.dumps(data)}


def read_points(emulator: Emulator, since: float) -> Iterator[Point]:
    """The metrics in the logs of the stack's functions."""
    logs = client(emulator, "logs")
    groups = [value for name, value in emulator.outputs.items() if name.endswith("LogGroupName")]
    for group in sorted(groups):
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                yield from (point for point in points_of(event["message"]) if point.seconds >= since)


def points_of(line: str) -> Iterator[Point]:
    """The metrics of one line; of a line that is none, nothing.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    try:
        record = json.loads(line)
        directive = record["_aws"]
    except (ValueError, KeyError, TypeError):
        return
    for part in directive["CloudWatchMetrics"]:
        for names in part["Dimensions"]:
            dimensions = frozenset((name, str(record[name])) for name in names)
            for metric in part["Metrics"]:
                values = record[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    seconds = directive["Timestamp"] / 1000
                    yield Point(part["Namespace"], metric["Name"], dimensions, seconds, float(value))
