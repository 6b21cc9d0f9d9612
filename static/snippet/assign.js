import { bucket } from "./hash.js";
import { choices, forced, visitor } from "./memory.js";

/** experiment → { variant_, phase_, live_, goals_, seen_ }: what this page shows, and whether it counts. */
export const shown = {};

// An experiment as build.py bakes it; what is left out is 0:
// [key, [[variant, from, to, payload], …], phase, first phase with the same seed, seed, goals, fixed variant + 1, …]
export const assign = ([key, variants, phase, keep, seed, goals, fixed]) => {
  let at = phase | 0;
  let live = 0;
  let found = forced(key, variants) || variants[fixed - 1];
  if (!found) {
    // An earlier choice stays, unless a new seed was meant to deal anew.
    for (const [experiment, then, variant] of choices())
      if (experiment == key && then >= (keep | 0)) (found = variants.find((v) => v[0] == variant)) && (at = +then);
    if (!found) {
      const place = bucket(seed || key, visitor);
      found = variants.find(([, from, to]) => place >= from && place < to);
    }
    live = found;
  }
  shown[key] = { variant_: (found || variants[0])[0], phase_: at, live_: live, goals_: goals || [] };
};
