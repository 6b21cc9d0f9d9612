// One experiment: what to do, how the variants compare, how it went, and everything behind it.

import { looks } from "./colours.js";
import { depth } from "./depth.js";
import { h } from "./dom.js";
import { figures } from "./figures.js";
import { chartPanel } from "./panel.js";
import { healthLine } from "./health.js";
import { icon } from "./icons.js";
import { here } from "./route.js";
import { variantTable } from "./variants.js";
import { verdictCard } from "./verdict.js";
import { STATUSES } from "./words.js";

export function experimentView(report, route) {
  const look = looks(report.variants.map((row) => row.variant));
  const drawn = figures(report, look, route);
  return [
    h("p", { class: "back" }, h("a", { href: "#/" }, icon("back", 18), "All experiments")),
    h("h1", { tabindex: -1 }, report.experiment, h("span", { class: `chip ${report.status}` }, STATUSES[report.status] ?? report.status)),
    report.description && h("p", { class: "about" }, report.description),
    verdictCard(report),
    healthLine(report.health, here(route, { open: "checks" })),
    goals(report, route),
    variantTable(report, look),
    h("div", { class: "figures" }, drawn.map((figure) => chartPanel(figure, route))),
    depth(report, route, drawn),
  ].filter(Boolean);
}

function goals(report, route) {
  if (report.goals.length < 2) return null;
  return h(
    "nav",
    { class: "tabs", "aria-label": "Goal" },
    report.goals.map((goal) => h("a", { href: here(route, { goal: goal === "click" ? "" : goal }), "aria-current": goal === report.goal ? "true" : null }, goal)),
  );
}
