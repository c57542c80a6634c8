"""What an idle stack costs: the bounds of the project's own sets, and that each thing that is billed is counted."""

import datetime
import json
import unittest

import cost  # first: it makes the local stack's modules importable
import expanded
import sets
import usage
from emulator import Failed

# Dollars a month by the list, and beyond what is always free, without keys of the customer.
BASIC_LIST = 3.00
BASIC_BEYOND = 0.50
FULL_LIST = 32.00
# Where CloudWatch's always-free tier ends.
FREE_ALARMS = FREE_METRICS = 10
FREE_DASHBOARDS = 3
CLOUDWATCH = ("alarm", "fast_alarm", "composite_alarm", "metric", "dashboard", "large_dashboard", "logs")

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Monitoring: {Type: String, Default: Basic}
  PartnerMetrics: {Type: String, Default: "false"}
  AlarmFeeds: {Type: String, Default: "a,b"}
  KeyChoice: {Type: String, Default: AwsOwned}
  Days: {Type: Number, Default: 6}
Conditions:
  Own: !Equals [!Ref KeyChoice, CustomerKey]
  Watched: !Not [!Equals [!Ref Monitoring, "Off"]]
  Shown: !And [!Condition Watched, !Not [!Or [!Condition Own, !Equals [!Ref Monitoring, Basic]]]]
Mappings:
  Names: {First: {Name: one}}
Resources:
  Key: {Type: AWS::KMS::Key, Condition: Own}
  Single:
    Type: AWS::CloudWatch::Alarm
    Condition: Watched
    DependsOn: [Key, Inbox]
    Properties: {AlarmName: !FindInMap [Names, First, Name], MetricName: Errors, Period: !If [Own, 10, 300]}
  Sum:
    Type: AWS::CloudWatch::Alarm
    Condition: Watched
    Properties:
      AlarmName: sum
      Metrics:
        - {Id: a, MetricStat: {Period: 60}}
        - {Id: b, MetricStat: {Period: 60}}
        - {Id: c, Expression: a + b}
  Both: {Type: AWS::CloudWatch::CompositeAlarm, Condition: Shown}
  Board:
    Type: AWS::CloudWatch::Dashboard
    Condition: Shown
    Properties:
      DashboardBody: !Sub |
        {"widgets": [{"properties": {"region": "${AWS::Region}", "metrics": [["a"], ["b"]]}}]}
  Inbox:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${AWS::StackName}-inbox"
      NotificationConfiguration: {}
      LifecycleConfiguration:
        Rules:
          - {Status: Enabled, ExpirationInDays: 400, NoncurrentVersionExpiration: {NoncurrentDays: 400}}
          - Status: Enabled
            Prefix: heartbeat/
            ExpirationInDays: !Ref Days
            NoncurrentVersionExpiration: {NoncurrentDays: 1}
          - {Status: Enabled, Prefix: other/, ExpirationInDays: 1, NoncurrentVersionExpiration: {NoncurrentDays: 1}}
  Queue: {Type: AWS::SQS::Queue}
  Polled:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Watcher}
  Unpolled:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Watcher, Enabled: false}
  Watcher:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-watcher"
      InlineCode: ""
      Handler: bootstrap
      Runtime: provided.al2023
      Architectures: [arm64]
      MemorySize: 512
      Events:
        Watch: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
"""


def made(text: str = TEMPLATE, **parameters: str) -> dict[str, float]:
    """Units of each price that the template above uses with these parameters."""
    stack = expanded.expand_text(text, parameters)
    return {each.price: each.quantity for each in cost.priced(usage.usage(stack))}


class Sets(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.parameters = expanded.parameters_of()
        cls.costs = {one.name: cost.cost(one) for one in sets.all_sets(cls.parameters)}

    def test_every_set_is_within_the_bound_of_its_monitoring(self) -> None:
        for name, one in self.costs.items():
            with self.subTest(name):
                without_keys = one.dollars - one.column("keys")
                self.assertLessEqual(without_keys, FULL_LIST if one.monitoring == "Full" else BASIC_LIST)

    def test_basic_is_free_of_charge_in_cloudwatch(self) -> None:
        for name, one in self.costs.items():
            if one.monitoring == "Full":
                continue
            with self.subTest(name):
                self.assertEqual(sum(each.beyond for each in one.priced if each.price in CLOUDWATCH), 0)
                self.assertLessEqual(one.quantity("alarm"), FREE_ALARMS)
                self.assertLessEqual(one.quantity("metric"), FREE_METRICS)
                self.assertLessEqual(one.quantity("dashboard"), FREE_DASHBOARDS)
                keys = sum(each.beyond for each in one.priced if each.lines[0].column == "keys")
                self.assertLessEqual(one.beyond - keys, BASIC_BEYOND)

    def test_what_is_deployed_is_basic_where_the_template_knows_it(self) -> None:
        expected = "Basic" if "Monitoring" in self.parameters else "Full"
        for name in ("dev", "staging", "prod"):
            self.assertEqual(self.costs[name].monitoring, expected)

    def test_every_cent_has_a_price_a_purpose_and_a_column(self) -> None:
        for one in self.costs.values():
            self.assertAlmostEqual(sum(one.column(name) for name in cost.COLUMNS), one.dollars)
            for each in one.priced:
                self.assertAlmostEqual(sum(line.quantity for line in each.lines), each.quantity)
                self.assertTrue(all(line.purpose for line in each.lines))

    def test_the_table_fits_80_columns_and_is_on_the_page(self) -> None:
        table = cost.overview(list(self.costs.values()))
        text = [table, cost.notes(), *(cost.explanation(one) for one in self.costs.values())]
        self.assertLessEqual(max(len(line) for line in "\n".join(text).splitlines()), 80)
        page = cost.PAGE.read_text()
        self.assertEqual(cost.on_page(page, table), page, "run `make cost ARGS=--write`")

    def test_the_front_page_has_the_same_sums(self) -> None:
        rows = {
            "dev, staging, prod (`Monitoring=Basic`)": "prod", "`KeyChoice=CustomerKey`": "prod+CustomerKey",
            "`Monitoring=Off`": "prod+Off", "`Monitoring=Full`, four feeds": "prod+Full",
        }
        page = (cost.PAGE.parents[1] / "README.md").read_text()
        for label, name in rows.items():
            one = self.costs[name]
            self.assertIn(f"| {label} | {one.dollars:.2f} | {one.beyond:.2f} |", page)

    def test_the_json_has_the_same_sums(self) -> None:
        for told, one in zip(json.loads(cost.as_json(list(self.costs.values())))["sets"], self.costs.values()):
            self.assertAlmostEqual(told["list"], one.dollars, 5)
            self.assertAlmostEqual(sum(line["beyondAlwaysFree"] for line in told["lines"]), one.beyond, 4)


class Table(unittest.TestCase):
    def test_every_price_says_where_it_is_from_and_when_it_was_checked(self) -> None:
        self.assertLessEqual(datetime.date(2026, 11, 27), datetime.date.fromisoformat(cost.TABLE["checked"]))
        for name, entry in cost.PRICES.items():
            with self.subTest(name):
                self.assertGreater(entry["dollars"] / entry["per"], 0)
                self.assertTrue(all(entry[key] for key in ("unit", "usage_type", "page", "compared")))

    def test_every_assumption_has_a_reason(self) -> None:
        for name, entry in usage.ASSUMPTIONS.items():
            self.assertTrue(entry["value"] > 0 and entry["reason"], name)

    def test_a_free_quantity_counts_once_for_all_lines_of_a_price(self) -> None:
        lines = [usage.Line("alarms", "alarm", 8, "one"), usage.Line("alarms", "alarm", 7, "other")]
        (one,) = cost.priced(lines)
        self.assertAlmostEqual(one.dollars, 1.5)
        self.assertAlmostEqual(one.beyond, 0.5)


class Counted(unittest.TestCase):
    def test_monitoring_decides_alarms_metrics_and_dashboards(self) -> None:
        off, basic, full = (made(Monitoring=level) for level in ("Off", "Basic", "Full"))
        self.assertEqual([off.get(name) for name in ("alarm", "metric", "dashboard")], [None, None, None])
        self.assertEqual([basic.get(name) for name in ("alarm", "metric", "dashboard")], [3, 3, None])
        self.assertEqual((full["alarm"], full["composite_alarm"], full["dashboard"]), (3, 1, 1))

    def test_a_template_without_monitoring_is_full_and_has_metrics_of_partners(self) -> None:
        declared = ("  Monitoring: {Type: String, Default: Basic}\n", '  PartnerMetrics: {Type: String, Default: "false"}\n')
        text = TEMPLATE.replace(declared[0], "").replace(declared[1], "").replace("!Ref Monitoring", "Full")
        self.assertEqual(made(text)["metric"], made(Monitoring="Full", PartnerMetrics="true")["metric"])

    def test_metrics_of_partners_and_of_each_feed_are_counted(self) -> None:
        few, more = made(Monitoring="Full"), made(Monitoring="Full", AlarmFeeds="a,b,c")
        by_feed = sum(["feed"] in each for each in usage.IDLE_METRICS["Full"]["feed"].values())
        self.assertEqual(more["metric"] - few["metric"], by_feed)
        all_of_them = made(Monitoring="Full", PartnerMetrics="true")
        files = usage.IDLE_METRICS["Full"]["heartbeat_file"].values()
        by_partner = sum("partner" in each for dimensions in files for each in dimensions)
        self.assertEqual(all_of_them["metric"] - few["metric"], by_partner)

    def test_keys_and_fast_alarms_have_prices_of_their_own(self) -> None:
        own = made(KeyChoice="CustomerKey")
        self.assertEqual((own["key"], own["fast_alarm"], own["alarm"]), (1, 1, 2))
        self.assertGreater(own["key_request"], 0)
        self.assertNotIn("key", made())

    def test_a_queue_is_polled_648_000_times_in_30_days_unless_its_mapping_is_off(self) -> None:
        polls = made()["queue_request"] - 8_760 * usage.assumed("watcher_queue_requests") - 730 * 4
        self.assertEqual(polls / 730 * 720, 648_000)

    def test_scheduled_runs_use_their_functions_memory(self) -> None:
        self.assertEqual((made()["invocation"], made()["arm64_second"]), (8_760, 8_760 * 0.5 * 1.0))
        with self.assertRaisesRegex(Failed, "cannot be counted"):
            made(TEMPLATE.replace("rate(5 minutes)", "'cron(0 12 * * ? *)'"))

    def test_the_shortest_rule_of_the_heartbeats_folder_bounds_what_is_compared_each_hour(self) -> None:
        runs = 8_760 * usage.assumed("watcher_reads")
        self.assertEqual(made()["table_read"], runs + 730 * 24 * 7 * 0.5)
        self.assertEqual(made(Days="9")["table_read"], runs + 730 * 24 * 10 * 0.5)
        with self.assertRaisesRegex(Failed, "no lifecycle rule"):
            made(TEMPLATE.replace("Status: Enabled", "Status: Disabled"))

    def test_a_dashboard_of_more_than_50_metrics_is_never_free(self) -> None:
        body = json.dumps({"widgets": [{"properties": {"metrics": [["a"]] * 26}}] * 2})
        self.assertEqual(usage.metrics_shown(body), 52)
        self.assertNotIn("free", cost.PRICES["large_dashboard"])


class Expansion(unittest.TestCase):
    def test_conditions_are_decided_and_parameters_written_in(self) -> None:
        template = expanded.expand_text(TEMPLATE, {"Monitoring": "Full"}, "s").template
        self.assertEqual(set(template), {"AWSTemplateFormatVersion", "Resources", "Outputs"})
        resources = template["Resources"]
        self.assertNotIn("Key", resources)
        single = {"AlarmName": "one", "MetricName": "Errors", "Period": 300}
        self.assertEqual(resources["Single"]["Properties"], single)
        self.assertEqual(resources["Single"]["DependsOn"], ["Inbox"])
        self.assertEqual(resources["Inbox"]["Properties"]["BucketName"], "s-inbox")
        self.assertFalse(any("Condition" in each for each in resources.values()))

    def test_no_value_leaves_its_member_out_and_the_unknown_stays(self) -> None:
        template = {"Conditions": {"No": {"Fn::Equals": ["1", "2"]}}}
        decide = expanded.Decisions(template, {"Name": "x", "Many": ["p", "q"]})
        for node, value in (
            ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": [{"Ref": "AWS::NoValue"}, 2]}, {"b": [2]}),
            ({"Fn::Sub": "${Name}-${AWS::Region}-${!Name}"}, {"Fn::Sub": "x-${AWS::Region}-${!Name}"}),
            ({"Fn::Sub": ["${A}${B}", {"A": {"Ref": "Name"}, "B": {"Ref": "Table"}}]},
             {"Fn::Sub": ["x${B}", {"B": {"Ref": "Table"}}]}),
            ({"Fn::Select": [1, {"Ref": "Many"}]}, "q"),
            ({"Fn::Join": ["-", {"Ref": "Many"}]}, "p-q"),
            ({"Fn::Split": [",", {"Ref": "Table"}]}, {"Fn::Split": [",", {"Ref": "Table"}]}),
        ):
            self.assertEqual(decide.value(node), value)

    def test_overrides_are_read_as_sam_reads_them(self) -> None:
        self.assertEqual(sets.overrides('A=1 B="x y"'), {"A": "1", "B": "x y"})
        self.assertEqual(sets.overrides(["A=1=2"]), {"A": "1=2"})
        with self.assertRaisesRegex(Failed, "expected Name=value"):
            sets.overrides("A")

    def test_an_unknown_set_or_parameter_is_rejected(self) -> None:
        with self.assertRaisesRegex(Failed, "there is no set"):
            sets.find("production")
        with self.assertRaisesRegex(Failed, "no parameter Nothing"):
            sets.find("prod Nothing=1").expand()


if __name__ == "__main__":
    unittest.main()
