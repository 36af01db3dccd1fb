"""What no stand-in shows is looked up in the template itself: permissions, time limits, processors, alarms. Run by the
test command; by itself: target/venv/bin/python -m unittest discover -v tests/template"""

import json
import os
import re
import unittest
from pathlib import Path

import cfnlint.decode

from deployed import deployed

ROOT = Path(__file__).resolve().parents[2]
# SAM asks for one, and asks nobody.
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
# Everything that parameters switch on.
FULL = {
    "AlarmTopicArn": "arn:topic", "SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1", "KmsKeyArn": "arn:key", "PermissionsBoundaryArn": "arn:boundary",
    "Tracing": "Active", "OAuthClientId": "Iv1", "ConsoleIssuer": "cognito", "Lake": "bucket",
}


def words(value):
    """Every text in it, at any depth."""
    if isinstance(value, dict):
        for one in value.values():
            yield from words(one)
    elif isinstance(value, list):
        for one in value:
            yield from words(one)
    else:
        yield str(value)


def plain(value):
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        template, wrong = cfnlint.decode.decode(str(ROOT / "infra" / "template.yaml"))
        assert not wrong, wrong
        cls.template = plain(template)
        cls.resources = cls.template["Resources"]
        cls.metrics = (ROOT / "shared" / "aws" / "src" / "metrics.rs").read_text()
        cls.runbook = (ROOT / "infra" / "RUNBOOK.md").read_text()

    def of(self, kind):
        found = {name: one.get("Properties", {}) for name, one in self.resources.items() if one["Type"] == kind}
        self.assertTrue(found, kind)
        return found

    def deployed(self, kind, **parameters):
        found = {name: one.get("Properties", {}) for name, one in deployed(self.template, **parameters).items() if one["Type"] == kind}
        self.assertTrue(found, kind)
        return found

    def statements(self, role):
        """All that a role allows, by policies of its own and by managed ones."""
        properties = self.resources[role]["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
        managed = self.of("AWS::IAM::ManagedPolicy")
        documents += [managed[name]["PolicyDocument"] for name in words(properties["ManagedPolicyArns"]) if name in managed]
        return [statement for document in documents for statement in document["Statement"]]

    def functions(self):
        shared = self.template["Globals"]["Function"]
        return {name: {**shared, **one} for name, one in self.of("AWS::Serverless::Function").items()}

    def test_each_function_has_a_role_of_its_own_and_no_role_has_a_wildcard(self):
        roles = [one["Role"]["Fn::GetAtt"] for one in self.functions().values()]
        self.assertEqual(len({json.dumps(role) for role in roles}), len(roles))
        documents = [policy["PolicyDocument"] for one in self.of("AWS::IAM::Role").values() for policy in one["Policies"]]
        documents += [one["PolicyDocument"] for name, one in self.of("AWS::IAM::ManagedPolicy").items() if name not in ("VpcPolicy", "TracePolicy")]
        for document in documents:
            for statement in document["Statement"]:
                told = [*words(statement["Action"]), *words(statement["Resource"])]
                self.assertFalse([word for word in told if "*" in word], statement)
        # AWS knows no resource for these.
        for name in ("VpcPolicy", "TracePolicy"):
            for statement in self.resources[name]["Properties"]["PolicyDocument"]["Statement"]:
                self.assertFalse([action for action in statement["Action"] if "*" in action])

    def test_whoever_discovers_may_ask_how_much_waits(self):
        # The fetcher goes on with discoveries, and reconcile begins them.
        for function in ("Discovery", "Reconcile", "Fetcher"):
            role = self.resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
            told = [one for one in self.statements(role) if "sqs:GetQueueAttributes" in words(one["Action"])]
            self.assertIn("Jobs", [name for one in told for name in words(one["Resource"])], function)

    def test_a_boundary_bounds_every_role_those_that_sam_makes_too(self):
        roles = self.deployed("AWS::IAM::Role", **FULL)
        # One a function, and one a schedule.
        self.assertEqual(len(roles), len(self.functions()) + 2)
        for name, role in roles.items():
            self.assertEqual(role.get("PermissionsBoundary"), "arn:boundary", name)
        for name, role in self.deployed("AWS::IAM::Role").items():
            self.assertNotIn("PermissionsBoundary", role, name)

    def test_two_stacks_in_one_account_do_not_meet(self):
        self.assertEqual(len(self.deployed("AWS::Scheduler::Schedule")), 2)
        # Of what is named, the name has the stack's in it; a user pool's domain has its id.
        names = {"AWS::Scheduler::Schedule": "Name", "AWS::Lambda::Function": "FunctionName", "AWS::DynamoDB::Table": "TableName", "AWS::SQS::Queue": "QueueName",
                 "AWS::SecretsManager::Secret": "Name", "AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::Logs::LogGroup": "LogGroupName",
                 "AWS::S3::Bucket": "BucketName", "AWS::CloudWatch::Dashboard": "DashboardName", "AWS::CloudWatch::Alarm": "AlarmName"}
        for name, one in deployed(self.template, **FULL).items():
            told = one.get("Properties", {}).get(names.get(one["Type"]))
            self.assertIn("AWS::StackName", json.dumps(told or "AWS::StackName"), name)

    def test_functions_are_traced_and_in_a_vpc_if_that_is_chosen(self):
        full, plain = self.deployed("AWS::Lambda::Function", **FULL), self.deployed("AWS::Lambda::Function")
        self.assertEqual(set(full), set(self.functions()))
        for name, one in full.items():
            self.assertEqual(one["TracingConfig"], {"Mode": "Active"}, name)
            self.assertEqual(one["VpcConfig"], {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}, name)
            # What they need for it.
            role = self.resources[one["Role"]["Fn::GetAtt"][0]]["Properties"]
            self.assertLessEqual({"VpcPolicy", "TracePolicy", "KeyPolicy"}, set(words(role["ManagedPolicyArns"])), name)
        for name, one in plain.items():
            self.assertEqual(one["TracingConfig"], {"Mode": "PassThrough"}, name)
            self.assertNotIn("VpcConfig", one, name)

    def test_a_key_encrypts_everything_that_is_kept(self):
        keys = {"AWS::SQS::Queue": ("KmsMasterKeyId", 5), "AWS::SecretsManager::Secret": ("KmsKeyId", 3)}
        chosen = {"KmsKeyArn": "arn:key", "OAuthClientId": "Iv1"}
        for kind, (key, count) in keys.items():
            told = [one.get(key) for one in self.deployed(kind, **chosen).values()]
            self.assertEqual(told, ["arn:key"] * count, kind)
            for name, one in self.deployed(kind).items():
                self.assertNotIn(key, one, name)
        for one in self.deployed("AWS::SQS::Queue").values():
            self.assertTrue(one["SqsManagedSseEnabled"])
        [table], [ours] = self.deployed("AWS::DynamoDB::Table", **chosen).values(), self.deployed("AWS::DynamoDB::Table").values()
        self.assertEqual(table["SSESpecification"], {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:key"})
        self.assertEqual(ours["SSESpecification"], {"SSEEnabled": True, "SSEType": "KMS"})

    def test_the_table_forgets_what_our_own_code_dates(self):
        attribute = self.resources["Table"]["Properties"]["TimeToLiveSpecification"]
        self.assertEqual(attribute, {"AttributeName": "_expires", "Enabled": True})
        self.assertIn('insert("_expires"', (ROOT / "shared" / "aws" / "src" / "state.rs").read_text())

    def test_the_webhook_reaches_nothing_of_the_table_but_deliveries(self):
        told = [one for one in self.statements("WebhookRole") if {"Table", "Table.Arn"} & set(words(one["Resource"]))]
        self.assertTrue(told)
        for statement in told:
            self.assertEqual(statement["Condition"], {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["deliveries#*", "claims#*"]}})

    def test_nobody_reads_a_secret_that_he_does_not_need(self):
        told = lambda name: json.dumps(self.resources[name]["Properties"])
        self.assertNotIn('"Token"', told("WebhookRole"))
        self.assertNotIn("secretsmanager", told("ReceiverRole"))
        self.assertNotIn("WebhookSecret", told("WorkerPolicy"))
        self.assertNotIn("WebhookSecret", told("ConsoleRole"))
        self.assertNotIn("OAuthClientSecret", told("ConsoleRole"))

    def test_functions_are_small_bounded_and_of_the_cheaper_processor(self):
        self.assertEqual(self.template["Parameters"]["Architecture"]["Default"], "arm64")
        for name, one in self.functions().items():
            self.assertEqual(one["Runtime"], "provided.al2023", name)
            self.assertGreaterEqual(one["MemorySize"], 256, name)
            self.assertIn("LoggingConfig", one, name)
        self.assertEqual(self.resources["Fetcher"]["Properties"]["RecursiveLoop"], "Allow")

    def test_a_message_is_not_delivered_while_it_is_worked_on_and_is_tried_five_times(self):
        functions = self.functions()
        for queue, function in (("Jobs", "Fetcher"), ("UrgentJobs", "Fetcher"), ("Events", "Receiver")):
            settings = self.resources[queue]["Properties"]
            self.assertGreaterEqual(settings["VisibilityTimeout"], 6 * functions[function]["Timeout"])
            self.assertGreaterEqual(settings["RedrivePolicy"]["maxReceiveCount"], 5)
            source = functions[function]["Events"][queue]["Properties"]
            self.assertEqual(source["FunctionResponseTypes"], ["ReportBatchItemFailures"])
            self.assertIn("MaximumConcurrency", source["ScalingConfig"])

    def test_every_queue_is_watched_and_told_to_the_command(self):
        told = {one["Value"].get("Ref") for one in self.template["Outputs"].values() if isinstance(one["Value"], dict)}
        alarms = [one for one in self.of("AWS::CloudWatch::Alarm").values() if one["Namespace"] == "AWS/SQS"]
        watched = {(one["Dimensions"][0]["Value"]["Fn::GetAtt"][0], one["MetricName"]) for one in alarms}
        for name, one in self.of("AWS::SQS::Queue").items():
            self.assertIn(name, told)
            self.assertIn((name, "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in one else "ApproximateNumberOfMessagesVisible"), watched)

    def test_the_console_sends_dead_letters_back_to_any_queue_that_they_come_from(self):
        queues = self.of("AWS::SQS::Queue")
        sent = [one for one in self.statements("ConsoleRole") if "sqs:SendMessage" in words(one["Action"])]
        reached = {name for one in sent for name in words(one["Resource"])} & set(queues)
        self.assertEqual(reached, {name for name, one in queues.items() if "RedrivePolicy" in one})

    def test_the_copy_outlives_mistakes(self):
        table = self.resources["Table"]
        self.assertTrue(table["Properties"]["DeletionProtectionEnabled"])
        # What is protected cannot be deleted when a first deployment is rolled back.
        self.assertEqual((table["DeletionPolicy"], table["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertTrue(table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        self.assertTrue(table["Properties"]["SSESpecification"]["SSEEnabled"])
        self.assertEqual(table["Properties"]["BillingMode"], "PAY_PER_REQUEST")

    def test_the_lake_is_there_only_if_it_is_asked_for_and_nobody_elses(self):
        self.assertEqual(self.template["Parameters"]["Lake"]["Default"], "none")
        lake = {name: one for name, one in self.resources.items() if one["Type"].startswith(("AWS::S3::", "AWS::Glue::"))}
        self.assertEqual(set(lake), {"LakeBucket", "LakeBucketPolicy", "LakeDatabase"})
        for name, one in lake.items():
            self.assertEqual(one["Condition"], "HasLake", name)
        bucket = lake["LakeBucket"]
        self.assertEqual((bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]), ("RetainExceptOnCreate", "Retain"))
        self.assertEqual(set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()), {True})
        [statement] = lake["LakeBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual((statement["Effect"], statement["Condition"]), ("Deny", {"Bool": {"aws:SecureTransport": "false"}}))
        # No function may reach it.
        for name, one in self.of("AWS::IAM::Role").items():
            self.assertNotIn("Lake", json.dumps(one), name)

    def test_the_console_is_there_only_if_it_is_asked_for_and_a_session_begins_behind_the_authorizer(self):
        self.assertEqual(self.template["Parameters"]["ConsoleIssuer"]["Default"], "")
        console = {name: one for name, one in self.resources.items() if name.startswith("Console")}
        self.assertGreater(len(console), 10)
        for name, one in console.items():
            self.assertIn(one["Condition"], ("HasConsole", "HasConsoleSecret", "HasPool", "HasPoolAdmins", "HasPoolViewers"), name)
        authorizer = console["ConsoleAuthorizer"]["Properties"]
        self.assertEqual((authorizer["AuthorizerType"], authorizer["IdentitySource"]), ("JWT", ["$request.header.Authorization"]))
        # What it lets through is what the function asks the issuer for.
        variables = console["Console"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(authorizer["JwtConfiguration"], {"Issuer": variables["SEI_ISSUER"], "Audience": [variables["SEI_CLIENT_ID"]]})
        begins = re.search(r'^const BEGIN: &str = "(.+)";', (ROOT / "functions" / "console" / "src" / "hosted.rs").read_text(), re.MULTILINE)[1]
        routes = {one["RouteKey"]: one for one in self.of("AWS::ApiGatewayV2::Route").values() if one["ApiId"] == {"Ref": "ConsoleApi"}}
        self.assertEqual(set(routes), {f"POST {begins}", "$default"})
        self.assertEqual((routes[f"POST {begins}"]["AuthorizationType"], routes[f"POST {begins}"]["AuthorizerId"]), ("JWT", {"Ref": "ConsoleAuthorizer"}))
        # Of an issuer that lets in whoever comes, nobody gets in who is in no group.
        self.assertNotIn(self.template["Parameters"]["ConsoleViewers"]["Default"], ("", "everybody"))
        # People are added by whoever runs the stack.
        self.assertTrue(console["ConsoleUsers"]["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"])
        self.assertEqual(console["ConsoleClient"]["Properties"]["AllowedOAuthFlows"], ["code"])

    def test_every_log_ends_and_every_api_is_throttled_and_logged(self):
        for name, one in self.of("AWS::Logs::LogGroup").items():
            self.assertIn("RetentionInDays", one, name)
        for name, one in self.of("AWS::ApiGatewayV2::Stage").items():
            self.assertIn("ThrottlingRateLimit", one["DefaultRouteSettings"], name)
            self.assertIn("AccessLogSettings", one, name)

    def test_each_alarm_has_a_section_in_the_runbook_and_a_metric_that_is_told(self):
        alarms = self.of("AWS::CloudWatch::Alarm")
        self.assertGreaterEqual(len(alarms), 8)
        sections = set(re.findall(r"^## (\w+)$", self.runbook, re.MULTILINE))
        self.assertEqual({name.removesuffix("Alarm") for name in alarms}, sections)
        told = set(re.findall(r'= "(\w+)" in "', self.metrics))
        self.assertTrue(told)
        for name, one in alarms.items():
            self.assertIn(name.removesuffix("Alarm"), one["AlarmDescription"], name)
            if one["Namespace"] == "sei-github":
                self.assertIn(one["MetricName"], told, name)

    def test_cloudwatch_keeps_exactly_the_metrics_that_alarms_watch(self):
        watched = self.metrics.split("WATCHED")[1].split("];")[0]
        names = dict(re.findall(r'^    (\w+) = "(\w+)" in "', self.metrics, re.MULTILINE))
        kept = {(names[metric], name, value) for metric, name, value in re.findall(r'\((\w+), (?:None|Some\(\("(\w+)", "(\w+)"\)\))\)', watched)}
        alarms = [one for one in self.of("AWS::CloudWatch::Alarm").values() if one["Namespace"] == "sei-github"]
        besides = lambda one: next(((d["Name"], d["Value"]) for d in one["Dimensions"] if d["Name"] != "Stack"), ("", ""))
        self.assertEqual({(one["MetricName"], *besides(one)) for one in alarms}, kept)

    def test_plan_reckons_with_what_it_deploys(self):
        written = (ROOT / "shared" / "engine" / "src" / "plan" / "aws.rs").read_text()
        reckoned = {name: float(value) for name, value in re.findall(r"^const (\w+): f64 = ([\d.]+);", written, re.MULTILINE)}
        self.assertEqual(reckoned["ALARMS"], len(self.of("AWS::CloudWatch::Alarm")) - 10)
        sources = [one for function in self.functions().values() for one in function.get("Events", {}).values() if one["Type"] == "SQS"]
        self.assertEqual(reckoned["TRIGGERS"], len(sources))
        # CloudWatch gives an account ten metrics and three dashboards. Unsigned webhooks are told only while they come.
        watched = re.findall(r"^    \((\w+), .*\),$", self.metrics.split("WATCHED")[1].split("];")[0], re.MULTILINE)
        self.assertLessEqual(len([name for name in watched if name != "WEBHOOKS"]), 10)
        self.assertLessEqual(len(self.of("AWS::CloudWatch::Dashboard")), 3)
        self.assertEqual(reckoned["FETCHER_GB"] * 1024, self.resources["Fetcher"]["Properties"]["MemorySize"])
        secrets = [one for one in self.resources.values() if one["Type"] == "AWS::SecretsManager::Secret" and "Condition" not in one]
        self.assertEqual(reckoned["SECRETS"], len(secrets))

    def test_entities_and_commands_that_it_names_exist(self):
        entities = set(re.findall(r"^## (\w+)$", (ROOT / "SCHEMA.md").read_text(), re.MULTILINE))
        for name, one in self.of("AWS::CloudWatch::Alarm").items():
            for dimension in one["Dimensions"]:
                if dimension["Name"] == "Entity":
                    self.assertIn(dimension["Value"], entities, name)
        typed = (ROOT / "functions" / "cli" / "src" / "arguments.rs").read_text().lower().replace("_", "-")
        for command in re.findall(r"`[^`]*sei-github ([a-z-]+)", self.runbook):
            self.assertIn(f"{command}(", typed.replace("-", "") if "-" in command else typed, command)

    def test_each_threat_names_tests_that_exist(self):
        named = re.findall(r"^  Tests: (.+)$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
        tests = [name.strip(" `.") for line in named for name in line.split(",")]
        self.assertGreater(len(tests), 10)
        sources = [*ROOT.glob("tests/it/**/*.rs"), *ROOT.glob("tests/template/*.py"), *ROOT.glob("tests/sql/*.py"), *ROOT.glob("functions/**/*.rs"), *ROOT.glob("shared/**/*.rs")]
        written = "\n".join(source.read_text() for source in sources)
        for name in tests:
            if "/" in name:
                self.assertTrue((ROOT / name).exists(), name)
            else:
                self.assertRegex(written, rf"(fn|def) {name}\(", name)

    def test_its_version_is_the_commands(self):
        version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
        self.assertEqual(str(self.template["Outputs"]["Version"]["Value"]), version)


if __name__ == "__main__":
    unittest.main(verbosity=2)
