// A chart's frame: title, choices, the place where charts.js draws, what is read there, and the same as a table.

import { h, unseen } from "../ui/dom.js";
import { dayOf, reading, said } from "./plots.js";
import { here, isOpen } from "../data/route.js";
import { swatch } from "../ui/colours.js";

export function chartPanel(figure, route) {
  const last = figure.days.length - 1;
  return h(
    "figure",
    { class: `chart ${figure.id}`, "data-key": `chart-${figure.id}` },
    h(
      "figcaption",
      {},
      h("h2", {}, figure.title),
      figure.modes &&
        h(
          "nav",
          { class: "tabs small", "aria-label": `${figure.title}: which` },
          figure.modes.map(([mode, label]) =>
            h(
              "a",
              { href: here(route, { [figure.id]: mode }), "aria-current": mode === figure.mode ? "true" : null },
              label,
            ),
          ),
        ),
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
    table(figure, isOpen({ query: route.query }, `values-${figure.id}`)),
  );
}

/** The values of one day, beside the lines' names: the chart's legend. */
export const readout = (figure, index) => [
  h("p", { class: "day" }, dayOf(figure, index), h("small", {}, " UTC")),
  h(
    "ul",
    {},
    figure.lines.map((line) =>
      h("li", {}, swatch(line), h("span", {}, line.label), h("b", {}, said(figure, line, index))),
    ),
  ),
];

const table = (figure, open) =>
  h(
    "details",
    { class: "values", "data-key": `values-${figure.id}`, "data-section": `values-${figure.id}`, open },
    h("summary", {}, "Values as a table", unseen(`: ${figure.title}`)),
    open &&
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": `${figure.title}, values` },
        h(
          "table",
          { class: "plain" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, "Day (UTC)"),
              figure.lines.map((line) => h("th", { scope: "col" }, line.label)),
            ),
          ),
          h(
            "tbody",
            {},
            figure.days.map((_, n) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, dayOf(figure, n)),
                figure.lines.map((line) => h("td", {}, said(figure, line, n))),
              ),
            ),
          ),
        ),
      ),
  );
