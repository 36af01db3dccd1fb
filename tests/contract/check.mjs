// Checks the simulation's schema and the connector's queries against GitHub's public schema.
// Usage: node check.mjs QUERIES.json, from this folder, after npm ci.
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";

// What github.com knows and the published package does not yet.
const NEWER = /ProjectV2Event|PROJECT_V2_|ProjectV2ItemStatusChanged|IssueType(Added|Changed|Removed)Event|ISSUE_TYPE_|IssueType\b|issueType|archivedStates|ProjectV2ItemArchivedState/;

const read = (path) => buildSchema(readFileSync(path, "utf8"), { assumeValidSDL: true });
const github = read(new URL("node_modules/@octokit/graphql-schema/schema.graphql", import.meta.url));
const ours = read(new URL("../sim/schema.graphql", import.meta.url));
const wrong = [];
const say = (text) => NEWER.test(text) || wrong.push(text);

const theirs = github.getTypeMap();
for (const [name, type] of Object.entries(ours.getTypeMap())) {
  const their = theirs[name];
  if (name.startsWith("__")) continue;
  if (!their) { say(`GitHub has no type ${name}`); continue; }
  for (const [field, ofOurs] of Object.entries(type.getFields?.() ?? {})) {
    const ofTheirs = their.getFields()[field];
    if (!ofTheirs) { say(`GitHub has no ${name}.${field}`); continue; }
    if (`${ofTheirs.type}` !== `${ofOurs.type}`) say(`${name}.${field} is ${ofTheirs.type}, not ${ofOurs.type}`);
    for (const argument of ofOurs.args ?? []) {
      const their = ofTheirs.args.find((one) => one.name === argument.name);
      if (`${their?.type}` !== `${argument.type}`) say(`${name}.${field}(${argument.name}) is ${their?.type}, not ${argument.type}`);
    }
  }
  for (const value of type.getValues?.() ?? []) if (!their.getValue(value.name)) say(`GitHub has no value ${name}.${value.name}`);
  for (const member of type.getTypes?.() ?? []) if (!their.getTypes().some((one) => one.name === member.name)) say(`${member.name} is not in ${name}`);
}

const queries = Object.entries(JSON.parse(readFileSync(process.argv[2], "utf8")));
if (queries.length < 10) wrong.push(`only ${queries.length} queries to check`);
for (const [name, query] of queries) for (const error of validate(github, parse(query))) say(`query ${name}: ${error.message}`);

for (const text of new Set(wrong)) console.error(text);
console.log(`${queries.length} queries and ${Object.keys(ours.getTypeMap()).length} types checked, ${wrong.length} differ from GitHub's`);
process.exit(wrong.length > 0 ? 1 : 0);
