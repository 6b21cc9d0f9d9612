// All metrics of an experiment: the primary one first, each with its lift on an axis of its own. A row leads to the
// charts of its metric.

import { axis, bar } from "../charts/bars.js";
import { highlighted } from "../charts/highlight.js";
import { here } from "../data/route.js";
import { swatch } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { interval, lift, share } from "../ui/format.js";
import { icon } from "../ui/icons.js";

const DECISIONS = { winner: ["check", "better"], loser: ["cross", "worse"], equivalent: ["equal", "the same"] };

/** Null where there is only one metric: the table of the variants shows it already.
 *  @param {any} report
 *  @param {any} route
 *  @param {Record<string, {hue: string, dash: number[]}>} look */
export function metricsTable(report, route, look) {
  const { metrics = [] } = report;
  if (metrics.length < 2) return null;
  const shown = new Set(highlighted(report, route));
  return h(
    "section",
    { class: "metrics", "data-key": "metrics" },
    h("h2", {}, "All metrics"),
    h(
      "p",
      { class: "quiet" },
      "The primary metric decides. The others are adjusted for their number, and count once it has decided. ",
      "Choose one for its table and charts.",
    ),
    h(
      "ul",
      {},
      metrics.map((metric) => metricRow(metric, { report, route, look, shown })),
    ),
  );
}

function metricRow(metric, { report, route, look, shown }) {
  const comparisons = metric.comparisons.filter((c) => shown.has(c.variant));
  const shared = axis(comparisons);
  const control = metric.variants.find((row) => row.control);
  return h(
    "li",
    { "data-key": metric.metric },
    h(
      "div",
      { class: "metric" },
      h(
        "a",
        {
          href: here(route, { goal: metric.goal === report.goals[0] ? "" : metric.goal }),
          "aria-current": metric.goal === report.goal ? "true" : null,
        },
        metric.metric,
      ),
      " ",
      h("span", { class: "chip" }, metric.primary ? "primary" : metric.guardrail ? "guardrail" : "secondary"),
      h("p", { class: "quiet" }, control ? `${control.variant}: ${share(control.rate)}` : null),
    ),
    h(
      "ul",
      {},
      comparisons.map((c) => comparison(c, metric, shared, look)),
    ),
  );
}

function comparison(c, metric, shared, look) {
  const [sign, word] = DECISIONS[c.decision] ?? [];
  const rate = metric.variants.find((row) => row.variant === c.variant)?.rate;
  return h(
    "li",
    { "data-key": c.variant },
    h("p", {}, swatch(look[c.variant]), " ", c.variant, h("span", { class: "quiet" }, ` ${share(rate)}`)),
    c.lift_interval && bar(shared, c, look[c.variant].hue),
    h(
      "p",
      { class: "figures-of" },
      h("b", {}, lift(c.lift)),
      " ",
      h("span", { class: "quiet" }, interval(c.lift_interval)),
      " ",
      word && h("span", { class: `chip ${c.decision}` }, icon(sign, 14), word),
    ),
  );
}
