// Sends every real payload of every event that is used to `sei-github serve`, signed, and looks at what became of it.
// Usage: node webhooks.mjs SEI-GITHUB, from this folder, after npm ci. What payloads lack is asked of nobody: nothing listens there.
import { createHmac, randomUUID } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SECRET = "It's a Secret to Everybody";
const USED = ("pull_request pull_request_review pull_request_review_comment pull_request_review_thread issues issue_comment label milestone push create delete " +
  "repository release deployment deployment_status workflow_run projects_v2_item member membership organization team team_add ping").split(" ");
const sei = resolve(process.argv[2]);
const dir = mkdtempSync(join(tmpdir(), "sei-github-"));
const examples = JSON.parse(readFileSync(new URL("node_modules/@octokit/webhooks-examples/api.github.com/index.json", import.meta.url)))
  .filter((event) => USED.includes(event.name)).flatMap((event) => event.examples.map((payload) => ({ name: event.name, payload })));
// The examples' owners, so that they are applied and not left aside.
const owners = [...new Set(examples.map(({ payload }) => payload.repository?.owner?.login ?? payload.organization?.login).filter(Boolean))];
const env = { GITHUB_TOKEN: "sim-token", GITHUB_WEBHOOK_SECRET: SECRET, SEI_DATA_DIR: dir, GITHUB_API_URL: "http://127.0.0.1:9" };
const serve = spawn(sei, ["serve", "--port", "0", "--org", ...owners], { env, stdio: ["ignore", "pipe", "ignore"] });
const url = await new Promise((found, failed) => {
  serve.stdout.once("data", (line) => found(String(line).trim()));
  serve.once("exit", (code) => failed(new Error(`serve ended with ${code}`)));
});
let wrong = 0;
try {
  for (const { name, payload } of examples) {
    const body = JSON.stringify(payload);
    const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
    const headers = { "content-type": "application/json", "x-github-event": name, "x-github-delivery": randomUUID(), "x-hub-signature-256": signature };
    const answer = await fetch(url, { method: "POST", headers, body });
    if (answer.status !== 200) { wrong += 1; console.error(`${name}.${payload.action}: ${answer.status} ${await answer.text()}`); }
  }
  const events = () => JSON.parse(execFileSync(sei, ["events", "--json"], { env, encoding: "utf8", maxBuffer: 1e9 }));
  let traces = events();
  for (let tried = 0; tried < 300 && traces.some((trace) => trace.outcome === "durable"); tried += 1) {
    await new Promise((done) => setTimeout(done, 100));
    traces = events();
  }
  const counts = {};
  for (const { event, action, outcome, why } of traces) {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
    if (["durable", "malformed", "dead-lettered"].includes(outcome)) { wrong += 1; console.error(`${event}.${action}: ${outcome}: ${why}`); }
  }
  console.log(`${examples.length} real payloads of ${USED.length} events: ${JSON.stringify(counts)}, ${wrong} wrong`);
} finally {
  serve.kill();
  rmSync(dir, { recursive: true, force: true });
}
process.exit(wrong > 0 || examples.length < 100 ? 1 : 0);
