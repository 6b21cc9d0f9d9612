// The answer first: what to do, then the sentence behind it, then how long it still takes.

import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { count, localised, percent, whole } from "../ui/format.js";
import { reason, STATES } from "../ui/labels.js";

/** The label of a verdict: an icon and a word, in a colour that neither of them needs. */
export function badge(verdict) {
  const [label, sign] = STATES[verdict.state] ?? [verdict.state, "dots"];
  return h("span", { class: `badge ${verdict.state}` }, icon(sign, 16), label);
}

export function verdictCard(report) {
  const { verdict } = report;
  const [label, sign] = STATES[verdict.state] ?? [verdict.state, "dots"];
  return h(
    "section",
    { class: `verdict ${verdict.state}`, "aria-label": "Verdict" },
    h("p", { class: "sign" }, icon(sign, 40)),
    h(
      "div",
      {},
      h("p", { class: "state" }, label),
      h("h2", { class: "advice" }, report.verdict.headline),
      h("p", { class: "why" }, localised(reason(report))),
    ),
    outlook(report),
  );
}

/** How long it has run, and how long still to run. */
export function outlook({ plan = {}, age = {}, verdict, status }) {
  if (!age.days && !plan.visitors_per_day) return null;
  const waiting = verdict.next === "wait" && status === "running";
  const left = waiting ? daysLeft(plan, age, verdict) : 0;
  const done = age.days / Math.max(1, age.days + left);
  return h(
    "div",
    { class: "outlook" },
    waiting &&
      left > 0 &&
      h("progress", { value: done.toFixed(3), max: 1, "aria-label": `${percent(done)} of the time it needs` }),
    h(
      "p",
      {},
      [
        !age.days
          ? "the first day"
          : status === "stopped"
            ? `ran for ${count(age.days, "day")}`
            : `${count(age.days, "day")} so far`,
        waiting && left > 0 && `about ${whole(left)} to go`,
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
  if (verdict.state === "collecting") return Math.max(1, 7 - (age.days ?? 0));
  return plan.days_left ?? 0;
}
