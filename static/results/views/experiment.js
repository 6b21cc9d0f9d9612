// One experiment: what to do, how the variants compare, how it went, and everything behind it.

import { looks } from "../ui/colours.js";
import { onlyDays } from "../sections/days.js";
import { depth } from "../sections/sections.js";
import { h } from "../ui/dom.js";
import { figures } from "../charts/plots.js";
import { chartPanel } from "../charts/panel.js";
import { healthLine } from "./health.js";
import { icon } from "../ui/icons.js";
import { tag } from "../sections/install.js";
import { here } from "../data/route.js";
import { variantTable } from "./variants.js";
import { verdictCard } from "./verdict.js";
import { STATUSES } from "../ui/labels.js";

export function experimentView(report, route) {
  const look = looks(report.variants.map((row) => row.variant));
  const visited = report.variants.some((row) => row.visitors > 0);
  const drawn = figures(report, look, route);
  return [
    h("p", { class: "back" }, h("a", { href: "#/" }, icon("back", 18), "All experiments")),
    h(
      "h1",
      { tabindex: -1 },
      report.experiment,
      h("span", { class: `chip ${report.status}` }, STATUSES[report.status] ?? report.status),
    ),
    report.simulated &&
      h("p", { class: "about" }, h("span", { class: "chip demo" }, "demo data"), " Some of these visitors are simulated. "),
    report.description && h("p", { class: "about" }, report.description),
    onlyDays(report, route),
    verdictCard(report),
    healthLine(report, here(route, { open: "checks" }), visited),
    !visited && h("section", { class: "first" }, h("h2", {}, "Is the script on the page?"), tag()),
    goals(report, route),
    report.verdict.state === "invalid" &&
      h("p", { class: "quiet note-above" }, "Until that is mended, the comparison below means nothing."),
    variantTable(report, look),
    report.stratified &&
      h(
        "p",
        { class: "quiet note" },
        "The split changed while it ran: rates are averages over the phases, so that variants can be compared. ",
      ),
    visited && doing(),
    h(
      "div",
      { class: "figures" },
      drawn.map((figure) => chartPanel(figure, route)),
    ),
    depth(report, route, drawn),
  ].filter(Boolean);
}

const doing = () =>
  h(
    "p",
    { class: "row doing" },
    [
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
          href: here(route, { goal: goal === "click" ? "" : goal }),
          "aria-current": goal === report.goal ? "true" : null,
        },
        goal,
      ),
    ),
  );
}
