// What the page says of its visitor, for experiments that have such segments. esbuild leaves it out elsewhere.
import { safe } from "../core/guard.js";
import { script } from "../core/script.js";
import { cookies, me, open, stored } from "../core/visitor.js";

// Before this page stores anything. The edge function sets the cookie before the page comes, but knows no choice yet.
const known = SEGMENTS && (EDGE ? me.record.split("~")[1] : stored(cookies) || open().abacus);
const session = SEGMENTS && (safe(() => sessionStorage)() || {});

/** A visitor stays new for the whole session in which this browser came first. */
export const visit = () => (session.abacus_v ||= known ? "returning" : "new");

export const forgetVisit = () => delete session.abacus_v;

/** The segments of an impression, as JSON. */
export const segments = (key) =>
  JSON.stringify(
    Object.fromEntries(
      SEGMENTED[key].map((name) => [name, name == "visitor" ? visit() : (script.dataset[name] || "").slice(0, 99)]),
    ),
  );
