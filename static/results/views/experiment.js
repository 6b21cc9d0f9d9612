// One experiment: what to do, and how the variants compare. How it went, and everything behind it, is in a script that
// comes later: details/details.js.

import { readKey, scopeOf } from "../data/request.js";
import { here } from "../data/route.js";
import { looks } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { range } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { STATUSES } from "../ui/labels.js";
import { act } from "./act.js";
import { healthLine } from "./health.js";
import { guardrailsTable, metricsTable } from "./metrics.js";
import { baselines, variantTable } from "./variants.js";
import { noneThen, verdictCard } from "./verdict.js";

/** `details`: that script's module; null until it is there. `lost`: it could not be loaded.
 *  @param {import("../data/answers.d.ts").Report} report
 *  @param {any} route
 *  @param {{module: any, lost: boolean}} later */
export function experimentView(report, route, { module: details, lost }) {
  const look = looks(report.variants.map((row) => row.variant));
  const visited = report.variants.some((row) => row.visitors > 0);
  const partly = Boolean(report.window.from || report.window.to);
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
    partly && !visited ? noneThen() : verdictCard(report, act(report, route, details)),
    healthLine(report, here(route, { open: "checks" }), visited),
    !visited && !partly && details?.tagFirst(report.latest_refusals ?? []),
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
    details?.details(report, route, look),
    lost && h("p", { class: "notice" }, "The charts and details could not be loaded. Reload the page."),
  ]
    .flat(Infinity)
    .filter(Boolean);
}

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

/** Shown on top, so that a part is not taken for the whole. */
export function chosenDays({ window }, route) {
  if (!window.from && !window.to) return null;
  return h(
    "p",
    { class: "notice" },
    h(
      "span",
      {},
      `Only visitors first seen ${range(window)} (UTC). `,
      h("a", { href: here(route, { from: "", to: "" }) }, "Show all days"),
    ),
  );
}
