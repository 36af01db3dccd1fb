"""What the stack's tests stand on: an AWS stand-in that runs the real function binaries, the simulated GitHub, and the
stack deployed into the one to read the other. Nothing here knows what is tested."""

import functools
import http.server
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from boto3.dynamodb.types import TypeDeserializer

ROOT = Path(__file__).resolve().parents[2]
STACK = "sei-github"
REGION = "eu-west-1"
TOKEN = "sim-token"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def binaries():
    """Where cargo put the programs; the test command builds for a named target."""
    target = os.environ.get("CARGO_BUILD_TARGET", "")
    return ROOT / "target" / target / "debug"


@functools.cache
def schema(entity):
    """An entity's fields in the order of SCHEMA.md: their names, and how their text is read."""
    section = (ROOT / "SCHEMA.md").read_text().split(f"\n## {entity}\n")[1].split("\n## ")[0]
    # The first is the table's head.
    rows = re.findall(r"^\| (\w+) \| (\w+) \|", section, re.MULTILINE)[1:]
    reads = {"integer": int, "boolean": lambda text: text == "t"}
    return [(name, reads.get(kind, str)) for name, kind in rows]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait(what, ready, seconds=60):
    """Polls until `ready` returns something true, and returns it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if found := ready():
                return found
        except (OSError, KeyError):
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come about in {seconds} s")


class Runtime:
    """Lambda's runtime interface for one invocation; `answers` holds what the function said."""

    def __init__(self, event, trace):
        runtime, self.answers, self.given = self, [], False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                while runtime.given:
                    time.sleep(0.2)
                runtime.given = True
                body = json.dumps(event).encode()
                self.send_response(200)
                deadline = str(int((time.time() + 60) * 1000))
                headers = {"Lambda-Runtime-Aws-Request-Id": "1", "Lambda-Runtime-Deadline-Ms": deadline, "Lambda-Runtime-Trace-Id": trace,
                           "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:000000000000:function:f", "Content-Length": str(len(body))}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                runtime.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0))))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


class StandIn:
    """Started once for all tests; `close` stops everything."""

    def __init__(self, size="small"):
        self.dir = tempfile.TemporaryDirectory(prefix="sei-github-")
        self.log = open(Path(self.dir.name) / "ministack.log", "w+")
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SEI_", "GITHUB_"))},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "SAM_CLI_TELEMETRY": "0",
        }
        settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "MINISTACK_REGION": REGION, "LAMBDA_EXECUTOR": "local"}
        self.ministack = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env={**self.env, **settings}, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.dir.name
        )
        self.simulation = subprocess.Popen([binaries() / "sim-github", "--size", size], stdout=subprocess.PIPE, text=True)
        self.github = self.simulation.stdout.readline().split()[0]
        wait("the AWS stand-in", lambda: urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2).status == 200)
        self.sqs, self.dynamodb, self.functions = self.client("sqs"), self.client("dynamodb"), self.client("lambda")
        self.secrets, self.formation, self.logs = self.client("secretsmanager"), self.client("cloudformation"), self.client("logs")

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    def deploy(self, **parameters):
        """Deploys what `sam build` made, as infra/README.md says."""
        parameters = {"ApiUrl": self.github, "Architecture": ARCHITECTURE, "ScheduleExpression": "rate(1 minute)", **parameters}
        overrides = [f'{name}="{value}"' for name, value in parameters.items()]
        sam = Path(sys.executable).with_name("sam")
        # With --resolve-s3, sam asks for a bucket of its own; the stack itself is the template.
        done = subprocess.run(
            [sam, "deploy", "--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *overrides],
            env=self.env, cwd=ROOT, capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        outputs = self.formation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        # The stand-in takes the template's number, a parameter, for text, and stumbles over it.
        for mapping in self.functions.list_event_source_mappings()["EventSourceMappings"]:
            self.functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 5})

    def command(self, *arguments, code=0, **env):
        """`sei-github … --stack`, as a platform engineer types it; returns what it printed."""
        done = subprocess.run(
            [binaries() / "sei-github", *arguments, "--stack", STACK], env={**self.env, **env}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert TOKEN not in done.stdout + done.stderr, f"{arguments} shows the token"
        return done.stdout

    def exit_code(self, *arguments):
        return subprocess.run([binaries() / "sei-github", *arguments, "--stack", STACK], env=self.env, capture_output=True, timeout=300).returncode

    def address(self, output):
        """Where the stand-in lets an HTTP API in that has its own host name in AWS."""
        host, _, path = self.outputs[output].removeprefix("https://").partition("/")
        return f"{self.endpoint}/_aws/execute-api/{host.split('.')[0]}/$default/{path}".rstrip("/")

    def secret(self, output):
        return self.secrets.get_secret_value(SecretId=self.outputs[output])["SecretString"]

    def post(self, url, body, headers=None):
        """The status and body of an answer, whatever they are."""
        request = urllib.request.Request(url, data=body, headers={"content-type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def function(self, part):
        names = [one["FunctionName"] for one in self.functions.list_functions()["Functions"]]
        return next(name for name in names if part in name)

    def invoke(self, part, event=None):
        answer = self.functions.invoke(FunctionName=self.function(part), Payload=json.dumps(event or {}))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def quick_redelivery(self, seconds):
        """A message that failed is visible again soon, and not after the hour and a half of the template."""
        for queue in ("QueueUrl", "UrgentQueueUrl"):
            self.sqs.set_queue_attributes(QueueUrl=self.outputs[queue], Attributes={"VisibilityTimeout": str(seconds)})

    def messages(self, output):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)["Attributes"]
        return sum(int(count) for count in found.values())

    def idle(self, seconds=120):
        """Waits until no job waits or runs, urgent or not, twice in a row."""
        quiet = lambda: self.messages("QueueUrl") + self.messages("UrgentQueueUrl") == 0
        wait("an empty queue", lambda: quiet() and (time.sleep(0.5) or quiet()), seconds)

    def rows(self):
        """Every living record of the table: {entity: {(scope, key): fields}}."""
        read, found = TypeDeserializer().deserialize, {}
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.outputs["TableName"]):
            for item in page["Items"]:
                entity, _, scope = item["pk"]["S"].partition("#")
                if not ("_v" in item or "_l" in item) or "_gone" in item:
                    continue
                fields = {name: read(value) for name, value in item.items() if name not in ("pk", "sk") and not name.startswith("_")}
                if "_l" in item:
                    # Of these the table has a line, in the order of the schema.
                    told = zip(schema(entity), item["_l"]["S"].split("|"))
                    fields = {name: read_as(text) for (name, read_as), text in told if text}
                found.setdefault(entity, {})[scope, item["sk"]["S"]] = fields
        return found

    def control(self, path, value):
        """Changes the simulated GitHub, and returns what it says to that."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.github}/_sim/{path}", data=json.dumps(value).encode())) as answer:
            return json.load(answer)

    def ledger(self):
        return json.load(urllib.request.urlopen(f"{self.github}/_sim/ledger"))

    def truth(self):
        return json.load(urllib.request.urlopen(f"{self.github}/_sim/truth"))

    def bootstraps(self):
        """Processes of the functions: {pid: peak resident memory in MiB}."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            except OSError:
                continue
            if lines.get("Name", "").strip() == "bootstrap" and "VmHWM" in lines:
                found[int(status.parent.name)] = int(lines["VmHWM"].split()[0]) / 1024
        return found

    def close(self):
        for process in (self.ministack, self.simulation):
            process.terminate()
        for process in (self.ministack, self.simulation):
            process.wait(20)
        self.simulation.stdout.close()
        self.log.close()
        self.dir.cleanup()
