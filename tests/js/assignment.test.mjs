// The snippet's hash, and the rows that a build bakes into it, against the shared vectors. ROWS: one for each `assign`
// case, as abacus/compact.py makes them; tests/test_assignment_js.py runs this.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bucket } from "../../static/snippet/hash.js";

const cases = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const rows = JSON.parse(readFileSync(process.env.ROWS, "utf8"));

test("every id lands in its bucket, whatever its alphabet", () => {
  const found = cases.bucket.map(([seed, visitor]) => [seed, visitor, bucket(seed, visitor) / 10000]);
  assert.deepEqual(found, cases.bucket);
});

test("every visitor gets the variant that the vectors say, or none", () => {
  const found = cases.assign.map(({ seed, visitor }, i) => {
    const [name] = rows[i].find(([, to]) => bucket(seed, visitor) < to);
    return name === "" ? -1 : +name.slice(1);
  });
  assert.deepEqual(found, cases.assign.map(({ expected }) => expected));
});
