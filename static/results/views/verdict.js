// The answer first: what to do, then the sentence behind it, then how long it still takes.

import { term } from "../ui/help.js";
import { h } from "../ui/dom.js";
import { count, percent, whole } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { headline, liveSince, reason, stateOf, STATUSES } from "../ui/labels.js";
import { prose } from "../ui/prose.js";

const LONGEST = 90; // days; no test is planned longer than this

/** The label of a verdict: an icon and a word, in a colour that neither of them needs. */
export function badge(verdict) {
  const [label, sign, colour] = stateOf(verdict);
  return h("span", { class: `badge ${colour}` }, icon(sign, 16), label);
}

export function verdictCard(report, ...more) {
  const { verdict, window } = report;
  const [label, sign, colour] = stateOf(verdict);
  const stopped = report.status === "stopped";
  const since = liveSince(report);
  return h(
    "section",
    { class: `verdict ${colour}`, "aria-label": "Verdict" },
    h("p", { class: "sign" }, icon(sign, 40)),
    h(
      "div",
      {},
      h(
        "p",
        { class: "state" },
        term(colour === "held" ? "guardrails" : "verdict", stopped ? STATUSES.stopped : label),
        partly(window),
      ),
      h("h2", { class: "advice" }, headline(report)),
      since && h("p", { class: "since", dir: "auto" }, since),
      h("p", { class: "why" }, stopped && h("b", {}, "What the data say: "), prose(reason(report))),
    ),
    outlook(report),
    more,
  );
}

const partly = (window) => (window.from || window.to ? " · for these days only" : null);

/** The card of a choice of days without visitors: no verdict, and no question about the snippet. */
export const noneThen = () =>
  h(
    "section",
    { class: "verdict collecting", "aria-label": "Verdict" },
    h("p", { class: "sign" }, icon("dots", 40)),
    h(
      "div",
      {},
      h("h2", { class: "advice" }, "No visitors on these days"),
      h("p", { class: "why" }, "No visitor was first seen on these days. Choose others, or show all days."),
    ),
  );

/** How long it has run, and how long it still takes. */
export function outlook({ plan, age, verdict, status }) {
  if (!age.days && !plan.visitors_per_day) return null;
  const waiting = verdict.next === "wait" && status === "running";
  const left = waiting ? daysLeft(plan, age, verdict) : 0;
  const reachable = left > 0 && left <= LONGEST;
  const done = age.days / Math.max(1, age.days + left);
  const ran = status === "stopped" ? `Ran for ${count(age.days, "day")}` : `${count(age.days, "day")} so far`;
  return h(
    "div",
    { class: "outlook" },
    reachable &&
      h("progress", { value: done.toFixed(3), max: 1, "aria-label": `${percent(done)} of the time it needs` }),
    h(
      "p",
      {},
      [
        age.days ? ran : "The first day",
        reachable && `about ${whole(left)} to go`,
        left > LONGEST && "out of reach at this traffic",
        plan.visitors_per_day &&
          status === "running" &&
          `${count(Math.round(plan.visitors_per_day), "new visitor")} a day`,
      ]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}

function daysLeft(plan, age, verdict) {
  if (verdict.state === "collecting") return Math.max(1, 7 - age.days);
  return plan.days_left ?? 0;
}
