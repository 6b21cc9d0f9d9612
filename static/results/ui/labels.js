// What the server's short names mean to somebody who reads them for the first time.

/** state → [label, icon]. The colour is the class of the same name; the icon and the words say it without colour. */
export const STATES = {
  winner: ["Winner", "check"],
  loser: ["Loser", "cross"],
  equivalent: ["No difference", "equal"],
  inconclusive: ["Not decided", "dots"],
  collecting: ["Collecting", "hourglass"],
  invalid: ["Not valid", "stop"],
};

export const STATUSES = { running: "Running", paused: "Paused", stopped: "Stopped" };

/** The reason for the verdict, with the checks that a winner should survive first. */
export function reason({ verdict }) {
  if (verdict.state !== "winner" || !verdict.doubts.length) return verdict.reason;
  return `${verdict.reason} Check first: ${listed(verdict.doubts.map((name) => `“${titleOf(name)}”`))}.`;
}

const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

export const CHECKS = {
  "impossible-counts": [
    "Counts",
    "Counts that no sequence of events can explain, such as more people who clicked than people who came.",
  ],
  srm: [
    "Split",
    "Did visitors arrive in the configured proportions? If not, something loses visitors of one variant, and the numbers compare different people.",
  ],
  "multiple-variants": [
    "Seen in several variants",
    "Visitors who saw several variants count in the first one they saw.",
  ],
  duplicates: [
    "Repeats",
    "The same event sent again is counted once. When one variant repeats more than another, its page behaves differently.",
  ],
  "no-impression": ["Clicks without a view", "Visitors who clicked without having been shown anything are left out."],
  "before-impression": ["Clicks before a view", "Clicks and goals before the first impression do not count; the visitor does."],
  bot: ["Bots", "Crawlers and automated browsers are recognised, left out, and shown here."],
  simpson: [
    "Changed split",
    "When the split changes while the rate drifts, adding phases up can turn the result around. The comparison is made within phases.",
  ],
  novelty: [
    "Drift",
    "A lift that wears off or grows from day to day says that the average is not what the future will be.",
  ],
  twyman: [
    "Striking differences",
    "Any figure that looks interesting is usually wrong: a striking difference is checked before it is believed.",
  ],
  refused: ["Refused events", "Events the service did not accept, by reason. The counts are approximate."],
  conservation: ["Lost events", "Received events are accepted or repeats; accepted ones are counted, or waiting."],
};

/** What a data check is called. */
export const titleOf = (name) => CHECKS[name]?.[0] ?? name;

export const EXCLUSIONS = {
  bot: "Crawlers and automated browsers",
  "no-impression": "Clicked without having been shown a variant",
};

export const HEALTH = { ok: "fine", warning: "look at it", alarm: "alarm" };
