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
let routes = 0;
async function check(route, path = route) {
  routes += 1;
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

// Whatever is there: an empty list would satisfy every description.
async function filled(route, path) {
  const body = await check(route, path);
  if (body.length < 1) throw new Error(`${path} has nothing to check`);
  return body;
}

await check("/rate_limit");
await check("/user");
await check("/user/memberships/orgs");
await check("/user/memberships/orgs/{org}", "/user/memberships/orgs/acme");
await check("/meta");
await check("/users/{username}", "/users/dev-1");
await filled("/users/{username}/orgs", "/users/dev-1/orgs");
await check("/orgs/{org}", "/orgs/acme");
await filled("/orgs/{org}/repos", "/orgs/acme/repos");
await filled("/orgs/{org}/members", "/orgs/acme/members");
await filled("/orgs/{org}/teams", "/orgs/acme/teams");
await check("/orgs/{org}/teams/{team_slug}", "/orgs/acme/teams/core-team");
await filled("/orgs/{org}/teams/{team_slug}/members", "/orgs/acme/teams/core-team/members");
await filled("/orgs/{org}/teams/{team_slug}/repos", "/orgs/acme/teams/core-team/repos");
await check("/orgs/{org}/teams/{team_slug}/memberships/{username}", "/orgs/acme/teams/core-team/memberships/dev-1");

// Of one repository, whose routes and addresses begin alike.
const repository = "/repos/{owner}/{repo}";
const at = "/repos/acme/repo-00";
const list = (route, path = route) => filled(repository + route, `${at}${path}${path.includes("?") ? "&" : "?"}per_page=100`);
const one = (route, path) => check(repository + route, at + path);
await one("", "");
const comments = await list("/pulls/comments");
await one("/pulls/comments/{comment_id}", `/pulls/comments/${comments[0].id}`);
const runs = await one("/actions/runs", "/actions/runs?per_page=100");
await one("/actions/runs/{run_id}", `/actions/runs/${runs.workflow_runs[0].id}`);
await one("/actions/workflows", "/actions/workflows");
const commits = await list("/commits");
const commit = await one("/commits/{ref}", `/commits/${commits[0].sha}`);
if (commit.files.length < 1) throw new Error("the commit has no files");
const issues = await list("/issues", "/issues?state=all");
if (!issues.some((issue) => issue.pull_request) || issues.every((issue) => issue.pull_request)) throw new Error("both kinds of issues must be listed");
const pulls = await list("/pulls", "/pulls?state=all&sort=updated&direction=desc");
for (const { number } of issues) await one("/issues/{issue_number}", `/issues/${number}`);
for (const { number } of pulls) {
  await one("/pulls/{pull_number}", `/pulls/${number}`);
  for (const part of ["commits", "files", "reviews", "comments", "requested_reviewers"]) await one(`/pulls/{pull_number}/${part}`, `/pulls/${number}/${part}?per_page=100`);
}
await list("/issues/comments");
const events = await list("/issues/events");
await one("/issues/events/{event_id}", `/issues/events/${events[0].id}`);
const number = events[0].issue.number;
await list("/issues/{issue_number}/events", `/issues/${number}/events`);
const talked = issues.find((issue) => issue.comments > 0);
const replies = await list("/issues/{issue_number}/comments", `/issues/${talked.number}/comments`);
await one("/issues/comments/{comment_id}", `/issues/comments/${replies[0].id}`);
await one("/issues/{issue_number}/reactions", `/issues/${number}/reactions`);
await one("/issues/comments/{comment_id}/reactions", `/issues/comments/${replies[0].id}/reactions`);
await one("/pulls/comments/{comment_id}/reactions", `/pulls/comments/${comments[0].id}/reactions`);
await list("/branches");
await one("/branches/{branch}", "/branches/main");
await list("/tags");
const labels = await list("/labels");
await one("/labels/{name}", `/labels/${labels[0].name}`);
const milestones = await list("/milestones");
await one("/milestones/{milestone_number}", `/milestones/${milestones[0].number}`);
const releases = await list("/releases");
await one("/releases/{release_id}", `/releases/${releases[0].id}`);
await one("/releases/latest", "/releases/latest");
const deployments = await list("/deployments");
await one("/deployments/{deployment_id}", `/deployments/${deployments[0].id}`);
await list("/deployments/{deployment_id}/statuses", `/deployments/${deployments[0].id}/statuses`);
for (const route of ["/assignees", "/collaborators", "/contributors", "/teams"]) await list(route);
for (const route of ["/languages", "/stargazers", "/subscribers", "/forks", "/comments", "/events"]) await one(route, route);
console.log(`${routes} answers checked, ${wrong} differ from GitHub's description`);
process.exit(wrong > 0 ? 1 : 0);
