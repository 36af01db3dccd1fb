"""The template, deployed with `sam deploy` to a stand-in that runs the real function binaries, copies the simulated
organization. Run by the test command; by itself: target/venv/bin/python -m unittest discover -v tests/stack"""

import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives.asymmetric import rsa

from issuer import Issuer
from stand_in import ROOT, TOKEN, Runtime, StandIn, binaries, wait


class Stack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = StandIn()
        cls.addClassCleanup(cls.aws.close)
        cls.issuer = Issuer("the-console")
        cls.addClassCleanup(cls.issuer.close)
        cls.aws.deploy(OAuthClientId=cls.aws.control("agree", {})["client_id"], ConsoleIssuer=cls.issuer.url, ConsoleClientId="the-console")
        # Longer than any visit here takes, or a job would be worked on twice.
        cls.aws.quick_redelivery(20)

    def assert_whole(self):
        rows, truth = self.aws.rows(), self.aws.truth()
        for entity, there in truth.items():
            self.assertEqual(len(rows.get(entity, {})), there, entity)

    # unittest runs them by name.
    def test_0_nothing_is_read_before_it_is_connected(self):
        self.assertEqual(self.aws.invoke("Discovery"), {"repositories": 0, "jobs": 0})
        self.assertEqual(self.aws.ledger()["requests"], 0)
        told = self.aws.command("doctor", "--no-drift", "--json", code=1)
        bad = {one["what"]: one["remedy"] for one in json.loads(told) if one["verdict"] == "bad"}
        self.assertIn("sei-github connect --stack", bad["copy"])
        self.assertIn("sei-github connect --stack", bad["token"])
        self.aws.command("connect", "--no-input", "--org", "acme", code=4)
        self.aws.command("connect", "--no-input", "--org", "acme", code=4, GITHUB_TOKEN="wrong-token")

    def test_1_the_schedule_copies_the_organization(self):
        # Visits of a few pages only, so that a long list takes many of them, each asking for the next.
        self.aws.functions.update_function_configuration(FunctionName=self.aws.function("Fetcher"), Timeout=42)
        self.aws.control("faults", {"latency_ms": 300})
        # Over REST, so that one job has to be visited again and again.
        self.aws.command("connect", "--no-input", "--org", "acme", "--files-from", "rest", GITHUB_TOKEN=TOKEN)
        wait("a tick of the schedule", lambda: self.aws.ledger()["requests"] > 12, 150)
        wait("a copy", lambda: len(self.aws.rows().get("commit_files", {})) == self.aws.truth()["commit_files"], 240)
        self.aws.idle()
        self.assert_whole()
        self.assertEqual(self.aws.ledger()["breaches"], [])
        hops = [line for line in self.logs("fetcher") if line.get("outcome") == "Continued" and line.get("sweep") == "commit_files"]
        longest = max(sum(1 for line in hops if line["repository"] == one["repository"]) for one in hops)
        self.assertGreater(longest, 20)
        self.aws.control("faults", {"latency_ms": 0})
        self.aws.functions.update_function_configuration(FunctionName=self.aws.function("Fetcher"), Timeout=900)

    def logs(self, function):
        lines = self.aws.command("logs", "--function", function, "--since", "1h", "--json").splitlines()
        return [fields for fields in (json.loads(line)["fields"].get("fields", {}) for line in lines) if fields]

    def test_2_it_is_the_same_copy_as_the_command_makes(self):
        with tempfile.TemporaryDirectory() as directory:
            env = {"GITHUB_TOKEN": "sim-token", "SEI_DATA_DIR": directory}
            run = lambda *arguments: subprocess.run([binaries() / "sei-github", *arguments], env=env, capture_output=True, text=True, check=True).stdout
            run("sync", "--org", "acme", "--api-url", self.aws.github)
            for entity, ours in self.aws.rows().items():
                theirs = [json.loads(line) for line in run("export", entity).splitlines()]
                deployed = [json.loads(line) for line in self.aws.command("export", entity).splitlines()]
                self.assertEqual(len(deployed), len(ours), entity)
                for row in theirs:
                    # Neither is kept: both are joined when a row is exported.
                    row.pop("repo", None)
                    if entity == "pull_requests":
                        row.pop("review_comments", None)
                    row.pop("previous_committed_at", None)
                for row in [*ours.values(), *theirs]:
                    if row.get("source") == "snapshot":
                        # When the board was read.
                        row.pop("earliest"), row.pop("latest")
                # What is null is not stored.
                said = lambda row: {name: value for name, value in row.items() if value is not None}
                plain = lambda row: json.dumps(said(row), sort_keys=True, default=lambda number: int(number))
                self.assertEqual(sorted(plain(row) for row in ours.values()), sorted(plain(row) for row in theirs), entity)

    def test_3_when_nothing_changed_nothing_is_fetched(self):
        before, rows = self.aws.ledger(), self.aws.rows()
        self.aws.invoke("Discovery")
        self.aws.idle()
        after = self.aws.ledger()
        # Three requests look at everything; the schedule may have done so meanwhile, too.
        self.assertLessEqual(after["requests"] - after["not_modified"] - (before["requests"] - before["not_modified"]), 12)
        self.assertEqual(self.aws.rows(), rows)

    def test_3_then_files_of_commits_come_from_git(self):
        self.aws.command("integrations", "edit", "acme", "--files-from", "git")
        before = self.aws.ledger()["git"]
        self.aws.control("happen", {"times": 60})
        self.aws.invoke("Discovery")
        self.aws.idle()
        self.assertGreater(self.aws.ledger()["git"], before)
        # Those of commits that a push by force left behind stay.
        self.assertGreaterEqual(len(self.aws.rows()["commit_files"]), self.aws.truth()["commit_files"])

    def test_4_a_message_that_is_no_job_ends_in_the_dead_letter_queue(self):
        self.aws.quick_redelivery(1)
        self.addCleanup(self.aws.quick_redelivery, 20)
        for body in ("not json", '{"scope": 1}', '{"scope": 1, "sweep": "wikis"}'):
            self.aws.sqs.send_message(QueueUrl=self.aws.outputs["QueueUrl"], MessageBody=body)
        wait("three dead letters", lambda: self.aws.messages("DeadLetterQueueUrl") == 3, 120)
        self.aws.idle()

    def test_4_dead_letters_are_sent_back_or_thrown_away(self):
        listed = json.loads(self.aws.command("dlq", "list", "--json"))
        self.assertEqual(len(listed), 3)
        # One that died of what is mended by now.
        repository = next(iter(self.aws.rows()["repositories"].values()))
        job = json.dumps({"scope": int(repository["id"]), "sweep": "issues"})
        self.aws.sqs.send_message(QueueUrl=self.aws.outputs["DeadLetterQueueUrl"], MessageBody=job)
        listed = json.loads(self.aws.command("dlq", "list", "--json"))
        good = next(one for one in listed if one["what"].startswith("issues of repository"))
        self.assertIn(job, self.aws.command("dlq", "show", good["id"]))
        before = self.aws.ledger()["requests"]
        self.aws.command("dlq", "redrive", good["id"])
        self.aws.command("dlq", "redrive", good["id"], code=2)
        wait("the job", lambda: self.aws.ledger()["requests"] > before)
        self.aws.command("dlq", "purge", code=2)
        self.aws.command("dlq", "purge", "--yes")
        self.assertEqual(json.loads(self.aws.command("dlq", "list", "--json")), [])
        self.assertEqual(self.aws.messages("DeadLetterQueueUrl"), 0, "none is merely out of sight")
        self.aws.idle()

    def test_5_a_function_that_is_killed_loses_nothing(self):
        self.aws.control("happen", {"times": 60})
        self.aws.control("faults", {"latency_ms": 150})
        killed = 0
        self.aws.functions.invoke(FunctionName=self.aws.function("Discovery"), InvocationType="Event", Payload="{}")
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            for pid in self.aws.bootstraps():
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.7)
        self.assertGreater(killed, 0)
        self.aws.control("faults", {"latency_ms": 0})
        # Messages that were being worked on come back; a discovery that died is asked for by the next tick.
        for _ in range(3):
            self.aws.idle()
            self.aws.invoke("Discovery")
            time.sleep(1)
        self.aws.idle()
        self.assert_whole_but_for_history()

    def test_6_webhooks_come_over_the_api_and_are_applied(self):
        url = self.aws.address("WebhookUrl")
        self.assertEqual(self.aws.post(url, b"{}", {"x-github-event": "ping", "x-github-delivery": "1", "x-hub-signature-256": "sha256=00"})[0], 401)
        # So far the repositories have webhooks, since the token may not make the organization's.
        owners = [one["owner"] for one in json.loads(self.aws.command("webhook", "list", "--json"))]
        self.assertTrue(owners and all(owner.startswith("acme/") for owner in owners), owners)
        self.aws.control("faults", {"scopes": ["repo", "read:org", "read:project", "admin:org_hook"]})
        self.aws.command("integrations", "edit", "acme", "--webhook", "push", "--webhook-url", url)
        self.aws.command("webhook", "create")
        self.aws.command("webhook", "verify")
        listed = json.loads(self.aws.command("webhook", "list", "--json"))
        self.assertEqual((len(listed), listed[0]["owner"], listed[0]["url"]), (1, "acme", url))
        self.aws.control("happen", {"times": 30})
        told = lambda: json.loads(self.aws.command("events", "--json"))
        wait("events", lambda: len(told()) > 5, 60)
        wait("all of them applied", lambda: (time.sleep(1), all(one["outcome"] != "durable" for one in told()))[1], 90)
        self.aws.idle()
        self.assertEqual([one for one in told() if one["outcome"] in ("malformed", "dead_lettered") and one["delivery"] != "large-1"], [])
        self.assertIn("applied", {one["outcome"] for one in told()})
        self.assert_whole_but_for_history()
        # Everything is told: discovery has nothing to do.
        before = self.aws.ledger()["requests"]
        self.assertEqual(self.aws.invoke("Discovery"), {"repositories": 0, "jobs": 0})
        self.assertEqual(self.aws.ledger()["requests"], before)

    def test_6_a_large_event_goes_by_the_table(self):
        issue = next(iter(self.aws.rows()["issues"].values()))
        repository = next(one for one in self.aws.rows()["repositories"].values() if one["archived"] is False)
        body = json.dumps({
            "action": "labeled", "organization": {"login": "acme"}, "padding": "x" * 1_500_000,
            "repository": {"id": int(repository["id"]), "name": repository["name"], "full_name": repository["full_name"], "owner": {"login": "acme"}},
            "label": {"name": "none"}, "issue": {"number": int(issue["number"])},
        }).encode()
        status, text = self.aws.post(self.aws.address("WebhookUrl"), body, self.signed(body, "large-1", "issues"))
        self.assertIn(status, (200, 202), text)
        trace = lambda: next((one for one in json.loads(self.aws.command("events", "--json")) if one["delivery"] == "large-1"), {})
        wait("the large event", lambda: trace().get("outcome") not in (None, "durable"), 60)
        self.assertGreater(trace()["bytes"], 1_400_000)
        # Whole enough to be read, and lacking what it should have: told, not lost.
        self.assertIn("organization.id", trace()["why"])

    def signed(self, body, delivery, event):
        secret = self.aws.secret("WebhookSecretName")
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"x-github-event": event, "x-github-delivery": delivery, "x-hub-signature-256": f"sha256={signature}"}

    def test_9_the_trace_goes_with_what_is_sent(self):
        # The stand-in tells functions of no trace: the program is run here, with a runtime interface that does.
        queue = self.aws.sqs.create_queue(QueueName="traced")["QueueUrl"]
        header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        body = json.dumps({"action": "created", "organization": {"login": "acme"}})
        event = {"version": "2.0", "body": body, "isBase64Encoded": False, "requestContext": {"http": {"method": "POST"}},
                 "headers": {"content-type": "application/json", **self.signed(body.encode(), "traced-1", "label")}}
        with Runtime(event, header) as runtime:
            variables = self.aws.functions.get_function_configuration(FunctionName=self.aws.function("Webhook"))["Environment"]["Variables"]
            bootstrap = ROOT / ".aws-sam" / "build" / "Webhook" / "bootstrap"
            env = {**self.aws.env, **variables, "SEI_EVENTS_URL": queue, "AWS_LAMBDA_RUNTIME_API": runtime.address, "AWS_LAMBDA_FUNCTION_NAME": "webhook",
                   "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
            with subprocess.Popen([bootstrap], env=env, stdout=subprocess.PIPE, text=True) as program:
                answer = wait("an answer", lambda: runtime.answers and runtime.answers[0], 60)
                program.kill()
                log = program.stdout.read()
        self.assertEqual(answer["statusCode"], 200, answer)
        self.assertIn(header, log)
        message = self.aws.sqs.receive_message(QueueUrl=queue, MessageSystemAttributeNames=["AWSTraceHeader"])["Messages"][0]
        self.assertEqual(message["Attributes"]["AWSTraceHeader"], header)

    def test_7_the_secret_is_replaced_without_a_reject(self):
        body = b'{"zen": "Keep it logically awesome.", "hook_id": 1}'
        former = self.signed(body, "rotated-1", "ping")
        self.aws.command("webhook", "rotate-secret")
        for headers in (former, self.signed(body, "rotated-2", "ping")):
            self.assertEqual(self.aws.post(self.aws.address("WebhookUrl"), body, headers)[0], 200)
        self.aws.command("webhook", "verify")

    def test_8_what_did_not_arrive_is_found_by_reconcile(self):
        self.aws.control("faults", {"webhooks_failing": 400})
        self.aws.control("happen", {"times": 20})
        time.sleep(3)
        self.aws.control("faults", {"webhooks_failing": 0})
        self.aws.command("webhook", "verify", code=1)
        # The schedule may run it at the same time: of two runs one gives way.
        recovered = lambda: self.aws.invoke("Reconcile") and (time.sleep(2), self.aws.exit_code("webhook", "verify") == 0)[1]
        wait("every delivery to arrive", recovered, 90)
        self.aws.idle()
        wait("all of them applied", lambda: self.aws.messages("EventsQueueUrl") == 0, 90)
        self.aws.idle()
        self.assert_whole_but_for_history()

    def test_9_it_is_operated_by_the_command(self):
        for arguments in (["status"], ["status", "--json"], ["plan"], ["repos"], ["report", "issue-stages"], ["report", "pr-cycle"], ["integrations", "list"]):
            self.assertNotEqual(self.aws.command(*arguments), "", arguments)
        self.aws.command("check")
        self.aws.command("verify")
        # Whatever functions that were killed left dead, the copy is whole without; doctor would tell of it.
        self.aws.command("dlq", "purge", "--yes")
        well = json.loads(self.aws.command("doctor", "--no-drift", "--json"))
        self.assertEqual([one for one in well if one["verdict"] == "bad"], [])
        self.aws.command("pause")
        self.assertEqual(self.aws.invoke("Discovery"), {"repositories": 0, "jobs": 0})
        self.aws.command("resume")
        self.aws.command("sync", "--org", "acme", code=2)
        # A token that is replaced is picked up, at once where the former one is refused.
        self.aws.secrets.put_secret_value(SecretId=self.aws.outputs["TokenSecret"], SecretString="refused-token")
        self.aws.command("check", code=4)
        self.aws.secrets.put_secret_value(SecretId=self.aws.outputs["TokenSecret"], SecretString=TOKEN)
        self.aws.command("check")

    def test_9_a_browser_signs_in(self):
        app = self.aws.control("agree", {})
        self.aws.secrets.put_secret_value(SecretId=self.aws.outputs["OAuthClientSecretName"], SecretString=app["client_secret"])
        link = self.aws.command("authorize").strip()
        self.assertTrue(link.startswith(self.aws.outputs["ConnectUrl"] + "/oauth/authorize?ticket="), link)
        page = lambda path, **headers: self.browse(self.aws.address("ConnectUrl") + path, headers)
        status, _, begun = page(link.removeprefix(self.aws.outputs["ConnectUrl"]))
        self.assertEqual(status, 302)
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlparse(begun["location"]).query).items()}
        self.assertTrue(asked["redirect_uri"].endswith("/oauth/callback") and asked["scope"].startswith("repo read:org"), asked)
        code = self.aws.control("agree", asked)["code"]
        # The stand-in does not hand cookies on as API Gateway does, so the function is given API Gateway's own shape.
        back = {
            "rawPath": "/oauth/callback", "rawQueryString": urllib.parse.urlencode({"code": code, "state": asked["state"]}),
            "cookies": [begun["set-cookie"].split(";")[0]],
            "requestContext": {"domainName": urllib.parse.urlparse(asked["redirect_uri"]).netloc, "http": {"method": "GET"}},
        }
        self.assertEqual(self.aws.invoke("Connect", back)["statusCode"], 200)
        self.assertEqual(self.aws.invoke("Connect", back)["statusCode"], 400, "good once")
        kept = self.aws.secret("TokenSecret")
        self.assertIn("ghu_canary", kept)
        self.aws.secrets.put_secret_value(SecretId=self.aws.outputs["TokenSecret"], SecretString=TOKEN)

    def browse(self, url, headers, method="GET", body=None):
        """The status, text and headers of a page; redirections are not followed."""
        address = urllib.parse.urlparse(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        connection.request(method, f"{address.path}?{address.query}" if address.query else address.path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, answer.headers

    def test_9_the_console_answers_whom_the_issuer_signs_for(self):
        home = self.aws.outputs["ConsoleUrl"].removesuffix("/console/")
        jar = {}

        def ask(path, method="GET", body=None, **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            cookie = "; ".join(f"{name}={value}" for name, value in jar.items())
            answer = self.browse(self.aws.address("ConsoleUrl").removesuffix("/console") + path, {"cookie": cookie, **headers}, method, body)
            for one in answer[2].get_all("set-cookie") or []:
                name, value = one.split(";")[0].split("=", 1)
                jar[name] = value
            return answer

        def sign_in():
            status, _, headers = ask("/console/letters", sec_fetch_mode="navigate")
            self.assertEqual((status, headers["location"]), (303, "/sign-in?to=%2Fconsole%2Fletters"))
            asked = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(ask(headers["location"])[2]["location"]).query))
            # The function's own name for itself, as API Gateway tells it.
            here = asked["redirect_uri"].removesuffix("/sign-in/back")
            page = ask(self.issuer.back(asked).removeprefix(here))[1]
            return here, page.split('data-pass="')[1].split('"')[0], asked["nonce"]

        begin = lambda here, token: ask("/session", "POST", b"", origin=here, authorization=f"Bearer {token}")
        self.assertEqual(ask("/console/")[0], 401)
        self.issuer.person = {"sub": "1", "email": "ann@example.com", "email_verified": True, "groups": ["sei-github-admins"]}
        here, token, nonce = sign_in()
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for forged in (self.issuer.signed(stranger, nonce=nonce), self.issuer.signed(nonce=nonce, aud="another"), self.issuer.signed(nonce=nonce, exp=1), self.issuer.signed()[:-5]):
            self.assertEqual(begin(here, forged)[0], 401)
        self.assertEqual(begin(here, self.issuer.signed(nonce="of another sign-in"))[0], 400)
        self.assertNotIn("__Host-sei-console", jar)
        status, text, _ = begin(here, token)
        self.assertEqual((status, text), (200, "/console/letters"))
        self.assertEqual(ask("/console/")[0], 200)

        # Dead letters are the queues' own.
        self.aws.sqs.send_message(QueueUrl=self.aws.outputs["DeadLetterQueueUrl"], MessageBody="no job of ours")
        page = ask("/console/letters")[1]
        self.assertIn("no job: no job of ours", page)
        field = lambda name: page.split(f'name="{name}" value="')[1].split('"')[0]
        form = urllib.parse.urlencode({"csrf": field("csrf"), "id": field("id"), "action": "purge"}).encode()
        kind = "application/x-www-form-urlencoded"
        self.assertEqual(ask("/console/letters", "POST", form, origin="https://evil.example", content_type=kind)[0], 403)
        self.assertEqual(ask("/console/letters", "POST", form, origin=here, content_type=kind)[0], 303)
        self.assertEqual(self.aws.messages("DeadLetterQueueUrl"), 0)
        changes = ask("/console/changes")[1]
        self.assertTrue("ann@example.com" in changes and "letters.purge" in changes, changes)
        # GitHub is asked with the stack's own token.
        self.assertIn("acme", ask("/console/connectors")[1])
        fields = {"csrf": field("csrf"), "action": "check", "way": "kept", "name": "another", "organizations": "acme", "fetch": "issues", "reserve": "10"}
        page = ask("/console/connectors/new", "POST", urllib.parse.urlencode(fields).encode(), origin=here, content_type=kind)[1]
        self.assertIn("What was chosen can work", page)
        self.assertNotIn(TOKEN, page)
        # To authorize an app, a link leads to the function that has its secret.
        app = self.aws.control("agree", {})
        self.aws.secrets.put_secret_value(SecretId=self.aws.outputs["OAuthClientSecretName"], SecretString=app["client_secret"])
        fields = {"csrf": fields["csrf"], "way": "oauth", "name": "another"}
        page = ask("/console/connectors/new/authorize", "POST", urllib.parse.urlencode(fields).encode(), origin=here, content_type=kind)[1]
        link = page.split(f'href="{self.aws.outputs["ConnectUrl"]}')[1].split('"')[0]
        status, _, begun = self.browse(self.aws.address("ConnectUrl") + link, {})
        self.assertTrue(status == 302 and begun["location"].startswith(f"{self.aws.github}/login/oauth/authorize?"), (status, link))
        for path in ("/console/events", "/console/reports/issue-stages", "/console/assets/console.js"):
            self.assertEqual(ask(path)[0], 200, path)
        self.assertEqual(ask("/sign-out", "POST", b"", origin=here)[0], 200)
        self.assertEqual(ask("/console/")[0], 401)
        self.assertTrue(home.startswith("https://"))

    def test_9_when_uninstalled_it_leaves_no_webhook_and_keeps_the_copy(self):
        self.aws.command("uninstall", code=2)
        table = self.aws.outputs["TableName"]
        self.aws.command("uninstall", "--yes")
        self.assertEqual(self.aws.dynamodb.describe_table(TableName=table)["Table"]["TableStatus"], "ACTIVE")
        hooks = urllib.request.Request(f"{self.aws.github}/orgs/acme/hooks", headers={"authorization": f"bearer {TOKEN}", "user-agent": "test"})
        self.assertEqual(json.load(urllib.request.urlopen(hooks)), [])

    def assert_whole_but_for_history(self):
        rows, truth = self.aws.rows(), self.aws.truth()
        for entity in ("issues", "pull_requests", "reviews", "issue_comments", "issue_events", "releases", "deployments", "workflow_runs"):
            self.assertEqual(len(rows[entity]), truth[entity], entity)


class Pool(unittest.TestCase):
    def test_whoever_has_no_issuer_gets_a_user_pool_for_the_console(self):
        aws = StandIn()
        self.addCleanup(aws.close)
        aws.deploy(ConsoleIssuer="cognito")
        cognito, pool = aws.client("cognito-idp"), aws.outputs["ConsoleUsersId"]
        self.assertEqual({one["GroupName"] for one in cognito.list_groups(UserPoolId=pool)["Groups"]}, {"sei-github-admins", "sei-github-viewers"})
        [client] = cognito.list_user_pool_clients(UserPoolId=pool)["UserPoolClients"]
        settings = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client["ClientId"])["UserPoolClient"]
        self.assertEqual(settings["CallbackURLs"], [aws.outputs["ConsoleUrl"].replace("/console/", "/sign-in/back")])
        variables = aws.functions.get_function_configuration(FunctionName=aws.function("Console"))["Environment"]["Variables"]
        self.assertEqual((variables["SEI_CLIENT_ID"], variables["SEI_GROUPS_CLAIM"]), (client["ClientId"], "cognito:groups"))
        self.assertTrue(variables["SEI_ISSUER"].endswith(f".amazonaws.com/{pool}"), variables["SEI_ISSUER"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
