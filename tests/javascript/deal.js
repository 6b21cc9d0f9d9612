// Reads [[row, visitor], ...] and answers the variant that the snippet's row gives each visitor.
import { readFileSync } from "node:fs";

import { bucket } from "../../static/snippet/core/hash.js";

const cases = JSON.parse(readFileSync(0));
const dealt = cases.map(
  ([[key, variants, , , seed = key], visitor]) => variants.find(([, to]) => bucket(seed, visitor) < to)[0],
);
console.log(JSON.stringify(dealt));
