// Checks what the simulation answers over REST against GitHub's OpenAPI description.
// Usage: node rest.mjs URL, from this folder, after npm ci; URL is that of a running sim-github.
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import formats from "ajv-formats";

const url = process.argv[2];
const description = JSON.parse(readFileSync(new URL("node_modules/@octokit/openapi/generated/api.github.com.json", import.meta.url)));

// OpenAPI 3.0 says `nullable` where JSON Schema says type null.
function nullable(of) {
  if (Array.isArray(of)) return of.map(nullable);
  if (of === null || typeof of !== "object") return of;
  const { nullable: may, ...rest } = Object.fromEntries(Object.entries(of).map(([name, value]) => [name, nullable(value)]));
  return may === true ? { anyOf: [rest, { type: "null" }] } : rest;
}

const ajv = formats(new Ajv({ strict: false, allErrors: true, logger: false }));
ajv.addSchema({ $id: "github", components: nullable(description.components) });
const resolve = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"github#/'));

const get = async (path) => {
  const answer = await fetch(url + path, { headers: { authorization: "Bearer sim-token", "user-agent": "contract" } });
  if (answer.status !== 200) throw new Error(`${path} answers ${answer.status}`);
  return answer;
};

let wrong = 0;
async function check(route, path) {
  const answer = await get(path);
  const schema = description.paths[route].get.responses["200"].content["application/json"].schema;
  const body = await answer.json();
  const validate = ajv.compile(resolve(nullable(schema)));
  if (!validate(body)) {
    wrong += 1;
    for (const error of validate.errors.slice(0, 10)) console.error(`${path}: ${error.instancePath} ${error.message}`);
  }
  return body;
}

await check("/rate_limit", "/rate_limit");
await check("/user", "/user");
await check("/user/memberships/orgs", "/user/memberships/orgs");
await check("/user/memberships/orgs/{org}", "/user/memberships/orgs/acme");
await check("/orgs/{org}/teams", "/orgs/acme/teams");
await check("/meta", "/meta");
const comments = await check("/repos/{owner}/{repo}/pulls/comments", "/repos/acme/repo-00/pulls/comments?per_page=100");
const runs = await check("/repos/{owner}/{repo}/actions/runs", "/repos/acme/repo-00/actions/runs?per_page=100");
const sha = runs.workflow_runs[0].head_sha;
const commit = await check("/repos/{owner}/{repo}/commits/{ref}", `/repos/acme/repo-00/commits/${sha}`);
if (comments.length < 1 || commit.files.length < 1) throw new Error("there is nothing to check");
console.log(`9 routes checked, ${wrong} differ from GitHub's description`);
process.exit(wrong > 0 ? 1 : 0);
