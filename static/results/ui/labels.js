// Plain words for the short names in the answers of GET /stats.

import { listed, localised, longDay } from "./format.js";

/** state → [label, icon]. The class of the same name gives the colour; icon and word say it without colour. */
export const STATES = {
  winner: ["Winner", "check"],
  loser: ["Loser", "cross"],
  equivalent: ["No difference", "equal"],
  inconclusive: ["Not decided", "dots"],
  collecting: ["Collecting", "hourglass"],
  invalid: ["Not valid", "stop"],
};

/** A winner that is not shipped because of a guardrail: broken, or not certain yet. */
const HELD = ["Held back by a guardrail", "warn", "held"];

/** The label of a verdict, its icon, and the class that gives its colour.
 *  @param {{state: string, guardrails: readonly string[]}} verdict */
export function stateOf({ state, guardrails }) {
  if (guardrails.length) return HELD;
  const [label, sign] = STATES[state] ?? [state, "dots"];
  return [label, sign, state];
}

/** decision of a comparison → [icon, word] */
export const DECISIONS = {
  winner: ["check", "better"],
  loser: ["cross", "worse"],
  equivalent: ["equal", "the same"],
  collecting: ["hourglass", "too few values"],
};

export const STATUSES = { running: "Running", paused: "Paused", stopped: "Stopped" };

/** The reason for the verdict, with the checks to look at before acting on it. */
export function reason({ verdict }) {
  if (verdict.state === "invalid" || !verdict.doubts.length) return verdict.reason;
  return `${verdict.reason} Check first: ${listed(verdict.doubts.map((name) => `“${titleOf(name)}”`))}.`;
}

/** What to do, with numbers in the reader's format; for a stopped experiment what visitors get now. */
export const headline = ({ verdict }) => localised(verdict.headline);

/** Since when it is live, who decided it and why, from the fields of a stopped experiment; null where none is known.
 *  @param {{live?: import("../data/answers.d.ts").LiveAnswer | null}} entry */
export function liveSince({ live }) {
  if (!live) return null;
  const facts = [live.since && `since ${longDay(live.since)}`, live.by && `decided by ${live.by}`];
  const text = [facts.filter(Boolean).join(", "), live.why].filter(Boolean).join(": ");
  return text ? text[0].toUpperCase() + text.slice(1).replace(/\.$/, "") : null;
}

// The titles are those of chalicelib/analysis/checks/check.py, which the verdict names checks by; a test compares them.
export const CHECKS = {
  "impossible-counts": [
    "Counts",
    "Are the counts possible? More visitors who clicked than visitors who came, for example, are not.",
  ],
  srm: [
    "Split",
    "Sample ratio mismatch: did visitors arrive in the configured proportions? " +
      "If not, one variant loses visitors, and the comparison is between different people.",
  ],
  "multiple-variants": [
    "Seen in several variants",
    "Visitors who saw several variants count in the first one they saw.",
  ],
  duplicates: [
    "Repeated events",
    "An event sent twice counts once. If one variant repeats more than another, its page behaves differently.",
  ],
  "no-impression": ["Clicks without an impression", "Visitors who clicked without an impression are excluded."],
  "before-impression": [
    "Clicks before the impression",
    "Clicks and goals before the first impression do not count; the visitor does.",
  ],
  "late-arrivals": [
    "Late arrivals",
    "Impressions that arrived more than an hour after the time that their sender gives: " +
      "offline phones, wrong clocks, or backdated events.",
  ],
  "arrival-bursts": [
    "Bursts of visitors",
    "Visitors who came while their network was sending unusually many new visitors.",
  ],
  "missing-cookies": [
    "Missing cookies",
    "Visitors whose first request carried no visitor cookie, on a site where most carry one.",
  ],
  "impossible-speed": ["Impossible speed", "Visitors with more events in a second than a person can make."],
  "shared-ids": [
    "Shared visitor ids",
    "Events under an id that several people share, such as “undefined”. They count as one visitor.",
  ],
  bot: ["Bots", "Crawlers and automated browsers are recognised and excluded."],
  simpson: [
    "Changed split",
    "If the split changes while the rate drifts, adding phases up can reverse the result (Simpson's paradox). " +
      "Variants are compared within each phase.",
  ],
  novelty: ["Drift", "A lift that shrinks or grows over the days: its average does not predict the future."],
  twyman: ["Striking difference", "A very large difference is more often an error than an effect (Twyman's law)."],
  refused: ["Refused events", "Events that the service did not accept, by reason. Approximate."],
  conservation: ["Lost events", "Every received event must be accepted or a repeat, and every accepted one counted."],
};

/** What a data check is called. */
export const titleOf = (name) => CHECKS[name]?.[0] ?? name;

export const EXCLUSIONS = {
  bot: "Crawlers and automated browsers",
  "no-impression": "Clicked without an impression",
};

export const HEALTH = { ok: "fine", warning: "look at it", alarm: "alarm" };

/** What the primary number of a goal counts: "clicked", "reached signup". */
export const verb = (goal) => (goal === "click" ? "clicked" : `reached ${goal}`);
