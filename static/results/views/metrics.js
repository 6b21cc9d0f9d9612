// All metrics of an experiment: the primary one first, each with its lift on an axis of its own. A row leads to the
// charts of its metric.

import { axis, bar } from "../charts/bars.js";
import { highlighted } from "../charts/highlight.js";
import { here } from "../data/route.js";
import { swatch } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { interval, lift, percent } from "../ui/format.js";
import { term } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { DECISIONS } from "../ui/labels.js";
import { allMetrics, estimate, written } from "../ui/metric.js";

const GUARDRAILS = {
  ok: ["check", "holds", "winner"],
  open: ["hourglass", "not certain yet", ""],
  broken: ["cross", "broken", "loser"],
};

/** Null where there is only one metric: the table of the variants shows it already.
 *  @param {any} report
 *  @param {any} route
 *  @param {Record<string, {hue: string, dash: number[]}>} look */
export function metricsTable(report, route, look) {
  const metrics = allMetrics(report);
  if (metrics.length < 2) return null;
  const shown = new Set(highlighted(report, route));
  return h(
    "section",
    { class: "metrics", "data-key": "metrics" },
    h("h2", {}, term("metrics", "All metrics")),
    h("p", { class: "quiet" }, "The primary metric decides. Choose a metric for its table and charts."),
    h(
      "ul",
      {},
      metrics.map((metric) => metricRow(metric, { report, route, look, shown })),
    ),
  );
}

/** Whether each variant keeps the metrics that must not get worse. Null where the experiment names none.
 *  @param {{guardrails?: import("../data/answers.d.ts").GuardrailAnswer[]}} report */
export function guardrailsTable({ guardrails = [] }) {
  if (!guardrails.length) return null;
  return h(
    "section",
    { class: "metrics", "data-key": "guardrails" },
    h("h2", {}, term("guardrails", "Guardrails")),
    h("p", { class: "quiet" }, "Metrics that must not get worse by more than a margin."),
    h("ul", {}, guardrails.map(guardrailRow)),
  );
}

function guardrailRow(guardrail) {
  const [sign, word, colour] = GUARDRAILS[guardrail.state];
  const margin = percent(guardrail.margin, Math.round(guardrail.margin * 1000) % 10 ? 1 : 0);
  return h(
    "li",
    { "data-key": `${guardrail.metric} ${guardrail.variant}` },
    h(
      "p",
      { class: "metric" },
      h("b", {}, guardrail.metric),
      h("span", { class: "quiet" }, ` of ${guardrail.variant}`),
    ),
    h(
      "p",
      { class: "figures-of" },
      h("span", { class: `chip ${colour}` }, icon(sign, 14), word),
      " ",
      h("b", {}, lift(guardrail.lift)),
      h("span", { class: "quiet" }, ` ${interval(guardrail.bounds)}; up to ${margin} worse is accepted`),
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
          href: here(route, { goal: metric.primary ? "" : metric.metric }),
          "aria-current": metric.metric === report.metric.name ? "true" : null,
        },
        metric.metric,
      ),
      " ",
      h("span", { class: "chip" }, metric.primary ? "primary" : "secondary"),
      h("p", { class: "quiet" }, control ? `${control.variant}: ${written(metric, estimate(metric, control))}` : null),
    ),
    h(
      "ul",
      {},
      comparisons.map((c) => comparison(c, { metric, shared, look })),
    ),
  );
}

function comparison(c, { metric, shared, look }) {
  const [sign, word] = DECISIONS[c.decision] ?? [];
  const own = metric.variants.find((row) => row.variant === c.variant);
  return h(
    "li",
    { "data-key": c.variant },
    h(
      "p",
      {},
      swatch(look[c.variant]),
      " ",
      c.variant,
      h("span", { class: "quiet" }, ` ${written(metric, estimate(metric, own))}`),
    ),
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
