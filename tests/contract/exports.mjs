// Checks that what `export` prints is what `export --schema` promises.
// Usage: node exports.mjs DIR, with ENTITY.ndjson and ENTITY.schema.json for every entity in DIR.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import formats from "ajv-formats";

const dir = process.argv[2];
const entities = readdirSync(dir).filter((name) => name.endsWith(".schema.json")).map((name) => name.replace(".schema.json", ""));
let rows = 0, wrong = 0;
const empty = [];
for (const entity of entities) {
  const validate = formats(new Ajv2020({ allErrors: true, allowUnionTypes: true })).compile(JSON.parse(readFileSync(join(dir, `${entity}.schema.json`))));
  const lines = readFileSync(join(dir, `${entity}.ndjson`), "utf8").split("\n").filter(Boolean);
  if (lines.length === 0) empty.push(entity);
  for (const line of lines) {
    rows += 1;
    if (validate(JSON.parse(line))) continue;
    wrong += 1;
    if (wrong <= 20) console.error(`${entity}: ${JSON.stringify(validate.errors[0])} in ${line.slice(0, 300)}`);
  }
}
if (empty.length > 0) console.error(`nothing to check of ${empty.join(", ")}`);
console.log(`${rows} rows of ${entities.length} entities checked, ${wrong} are not as their schema says`);
process.exit(wrong > 0 || empty.length > 0 || entities.length < 21 ? 1 : 0);
