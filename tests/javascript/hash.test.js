// The table of cases that Python reads too: tests/fixtures/assignment/cases.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bucket } from "../../static/snippet/core/hash.js";

const cases = JSON.parse(readFileSync(new URL("../fixtures/assignment/cases.json", import.meta.url)));

test("every visitor has the place that GrowthBook gives, whatever the alphabet", () => {
  const found = cases.bucket.map(([seed, visitor]) => [seed, visitor, bucket(seed, visitor) / 1e4]);
  assert.deepEqual(found, cases.bucket);
  assert.ok(cases.bucket.some(([, visitor]) => /[^\x00-\x7f]/.test(visitor)));
});
