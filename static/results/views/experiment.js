// One experiment: what to do, how the variants compare, how it went, and everything behind it.

import { lineChoice } from "../charts/highlight.js";
import { chartPanel } from "../charts/panel.js";
import { figures } from "../charts/plots.js";
import { readKey, scopeOf } from "../data/request.js";
import { here } from "../data/route.js";
import { chosenDays } from "../sections/days.js";
import { latestRefusals, tagSeen } from "../sections/events.js";
import { tag } from "../sections/install.js";
import { depth } from "../sections/sections.js";
import { looks } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { helpTexts } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { STATUSES } from "../ui/labels.js";
import { act } from "./act.js";
import { healthLine } from "./health.js";
import { guardrailsTable, metricsTable } from "./metrics.js";
import { baselines, variantTable } from "./variants.js";
import { noneThen, verdictCard } from "./verdict.js";

/** @param {import("../data/answers.d.ts").Report} report */
export function experimentView(report, route) {
  const look = looks(report.variants.map((row) => row.variant));
  const visited = report.variants.some((row) => row.visitors > 0);
  const partly = Boolean(report.window.from || report.window.to);
  const drawn = figures(report, look, route);
  const metrics = metricsTable(report, route, look);
  return [
    !scopeOf(readKey.get()) && h("p", { class: "back" }, h("a", { href: "#/" }, icon("back", 18), "All experiments")),
    h(
      "h1",
      { tabindex: -1 },
      report.experiment,
      " ",
      h("span", { class: `chip ${report.status}` }, STATUSES[report.status] ?? report.status),
    ),
    report.description && h("p", { class: "about", dir: "auto" }, report.description),
    report.simulated &&
      h(
        "p",
        { class: "about" },
        h("span", { class: "chip demo" }, "demo data"),
        " Some of these visitors are simulated.",
      ),
    chosenDays(report, route),
    partly && !visited ? noneThen() : verdictCard(report, act(report, route)),
    healthLine(report, here(route, { open: "checks" }), visited),
    !visited && !partly && first(report.latest_refusals ?? []),
    !metrics && goals(report, route),
    report.verdict.state === "invalid" &&
      h("p", { class: "quiet note-above" }, "Until that is fixed, the comparison below means nothing."),
    variantTable(report, look),
    baselines(report, route),
    report.stratified &&
      h(
        "p",
        { class: "quiet note" },
        "The split changed while it ran. The rates are averages over the phases, so that variants can be compared.",
      ),
    metrics,
    guardrailsTable(report),
    visited && takeAway(),
    drawn.length > 0 && lineChoice(report, look, route),
    h(
      "div",
      { class: "figures" },
      drawn.map((figure) => chartPanel(figure, route)),
    ),
    depth(report, route),
    h("p", { class: "paper" }, printedLine(report)),
    helpTexts(),
  ]
    .flat()
    .filter(Boolean);
}

/** Before the first visitor: the tag, whether it was seen, and what was refused. */
const first = (refusals) =>
  h(
    "section",
    { class: "first" },
    h("h2", {}, "Is the script on the page?"),
    tag(),
    tagSeen(refusals),
    latestRefusals(refusals),
  );

const takeAway = () =>
  h(
    "p",
    { class: "row doing" },
    [
      ["link", "Copy link"],
      ...(readKey.get() && !scopeOf(readKey.get())
        ? [
            ["guest", "Copy 7-day link"],
            ["card", "Copy card"],
          ]
        : []),
      ["share", "Copy as text"],
      ["picture", "Copy as image"],
      ["csv", "CSV"],
      ["json", "JSON"],
      ["print", "Print"],
    ].map(([what, label]) => h("button", { type: "button", class: "second", "data-do": what }, label)),
  );

function goals(report, route) {
  if (report.goals.length < 2) return null;
  return h(
    "nav",
    { class: "tabs", "aria-label": "Goal" },
    report.goals.map((goal) =>
      h(
        "a",
        {
          href: here(route, { goal: goal === report.primary ? "" : goal }),
          "aria-current": goal === report.metric.name ? "true" : null,
        },
        goal,
      ),
    ),
  );
}

function printedLine({ as_of }) {
  const now = moment(Date.now());
  return `${location.href} · numbers of ${moment(as_of)} · printed ${now}`;
}
