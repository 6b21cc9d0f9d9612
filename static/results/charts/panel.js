// A chart's frame: title, choices, the place where uplot.js draws, the values of one day, and all values as a table.

import { here, isOpen } from "../data/route.js";
import { swatch } from "../ui/colours.js";
import { h, unseen } from "../ui/dom.js";
import { table } from "../ui/table.js";
import { dayOf, reading, valueText } from "./plots.js";

export function chartPanel(figure, route) {
  const last = figure.days.length - 1;
  const section = `values-${figure.id}`;
  const open = isOpen(route, section) && !route.paper;
  return h(
    "figure",
    { class: `chart ${figure.id}`, "data-key": `chart-${figure.id}` },
    h(
      "figcaption",
      {},
      h("h2", {}, figure.title),
      figure.modes && modes(figure, route),
      h("p", { class: "quiet" }, figure.note),
    ),
    h("div", {
      class: "plot",
      id: `plot-${figure.id}`,
      "data-drawn": "",
      role: "slider",
      tabindex: 0,
      "aria-label": `${figure.title}: read a day with the arrow keys`,
      "aria-valuemin": 0,
      "aria-valuemax": last,
      "aria-valuenow": last,
      "aria-valuetext": reading(figure, last),
    }),
    h("div", { class: "reading", id: `reading-${figure.id}`, "data-drawn": "" }, readout(figure, last)),
    h(
      "details",
      { class: "values", "data-key": section, "data-section": section, open },
      h("summary", {}, "Values as a table", unseen(`: ${figure.title}`)),
      open && values(figure),
    ),
  );
}

const modes = (figure, route) =>
  h(
    "nav",
    { class: "tabs small", "aria-label": `${figure.title}: which` },
    figure.modes.map(([mode, label]) =>
      h("a", { href: here(route, { [figure.id]: mode }), "aria-current": mode === figure.mode ? "true" : null }, label),
    ),
  );

const values = (figure) =>
  table(
    `${figure.title}, values`,
    ["Day (UTC)", ...figure.lines.map((line) => line.label)],
    figure.days.map((_, n) => [dayOf(figure, n), ...figure.lines.map((line) => valueText(figure, line, n))]),
  );

/** The values of one day beside the names of the lines: the chart's legend. Faded lines are in the table only. */
export const readout = (figure, index) => [
  h("p", { class: "day" }, dayOf(figure, index), h("small", {}, " UTC")),
  h(
    "ul",
    {},
    figure.lines
      .filter((line) => !line.faded)
      .map((line) =>
        h("li", {}, swatch(line), h("span", {}, line.label), " ", h("b", {}, valueText(figure, line, index))),
      ),
  ),
];
