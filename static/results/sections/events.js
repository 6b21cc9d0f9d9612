// Live events, for those who install the tag: the last minutes by outcome, and why the latest events were refused.

import { recent } from "../data/recent.js";
import { h } from "../ui/dom.js";
import { ago, clock, NOTHING, whole } from "../ui/format.js";
import { docs } from "../ui/help.js";
import { table } from "../ui/table.js";

const BASIC = ["accepted", "repeated"];

/** @param {import("../data/answers.d.ts").Report} report */
export function events({ experiment, latest_refusals: refusals = [] }) {
  const { since, minutes } = recent(experiment) ?? { since: Date.now(), minutes: [] };
  const others = [...new Set(minutes.flatMap(([, counts]) => Object.keys(counts)))].filter((o) => !BASIC.includes(o));
  return [
    minutes.length
      ? table(
          "Events by minute",
          ["Minute", "Accepted", "Repeated", ...others.sort().map((outcome) => `Refused: ${outcome}`)],
          minutes.map(([at, counts]) => [
            clock(at),
            ...[...BASIC, ...others].map((outcome) => (counts[outcome] ? whole(counts[outcome]) : NOTHING)),
          ]),
        )
      : h("p", {}, h("b", {}, "No event yet"), " since this page was opened. Open your own page in another tab."),
    h("p", { class: "quiet" }, `Watched since ${clock(since)}, by the time of arrival. Refusals: within ten seconds.`),
    h("h3", {}, "Latest refusals"),
    latestRefusals(refusals) ?? h("p", {}, "None since yesterday."),
  ];
}

/** The latest refused event of each outcome; null where there is none.
 *  @param {readonly import("../data/answers.d.ts").RefusalAnswer[]} refusals */
export const latestRefusals = (refusals) =>
  refusals.length
    ? h(
        "ul",
        { class: "refusals" },
        refusals.map(({ outcome, at, reason, host }) =>
          h(
            "li",
            {},
            h("a", { href: docs("outcomes") }, outcome),
            h("span", { class: "quiet" }, ` ${[host, ago(at)].filter(Boolean).join(", ")}`),
            h("p", { dir: "auto" }, reason),
          ),
        ),
      )
    : null;

/** Whether a page with the tag has sent anything that names no experiment, as `?ab_check` does.
 *  @param {readonly import("../data/answers.d.ts").RefusalAnswer[]} refusals */
export function tagSeen(refusals) {
  const from = refusals.find(({ host }) => host);
  const check = h("code", {}, "?ab_check");
  return h(
    "p",
    { class: from ? "seen found" : "seen", role: "status" },
    from
      ? [h("b", {}, "The tag was seen"), ` on ${from.host}, ${ago(from.at)}.`]
      : ["To test it, open your page once with ", check, " at the end of its address. Not seen yet."],
  );
}
