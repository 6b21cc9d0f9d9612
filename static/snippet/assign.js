import { fnv } from "./hash.js";
import { record, visitor } from "./memory.js";

/** experiment → the variant on show, and `experiment:variant` → 1. */
export const shown = {};
/** experiment → what an event says of it. Only of those that count. */
export const live = {};

/** A row of abacus/compact.py: [key, [[variant, to], ...], phase, first phase dealt alike, seed]; seed "": not counted. */
export const assign = ([key, variants, phase = 0, first = 0, seed = key]) => {
  let then;
  const [name] =
    // An earlier choice stays, unless a new seed was meant to deal anew.
    variants.find(
      ([name]) => (then = parseInt(record().split("~" + key + "." + name + ".")[1])) >= first && [(phase = then)],
    ) || variants.find(([, to]) => fnv(fnv(seed + visitor) + "") % 1e4 < to);
  const variant = (shown[key] = name || variants[0][0]);
  shown[key + ":" + variant] = 1;
  if (name && seed) live[key] = { experiment: key, variant, phase };
  document.documentElement.setAttribute("data-ab-" + key, variant);
};
