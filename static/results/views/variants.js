// One row per variant: how many came, what they did, and the lift on an axis that all rows share.

import { axis, bar, scale } from "../charts/bars.js";
import { here } from "../data/route.js";
import { swatch } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { interval, lift, percent, share, whole } from "../ui/format.js";
import { term } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { DECISIONS, stateOf, verb } from "../ui/labels.js";
import { estimate, title, written } from "../ui/metric.js";

// The roles are those that table elements have anyway; on a small screen their display changes, and with it the roles.
export function variantTable(report, look) {
  const shared = axis(report.comparisons);
  const against = Object.fromEntries(report.comparisons.map((c) => [c.variant, c]));
  const visitors = report.variants.reduce((sum, row) => sum + row.visitors, 0);
  const heading = (kind, label) => h("th", { role: "columnheader", scope: "col", class: kind }, label);
  return h(
    "table",
    {
      class: report.verdict.state === "invalid" ? "variants doubtful" : "variants",
      role: "table",
      "aria-label": `Variants, by ${report.metric.name}`,
    },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        heading("name", "Variant"),
        heading("number", term("visitors", "Visitors")),
        heading("number rate", term("rate", title(report.metric))),
        heading("lift", term("lift", `Lift over ${report.baseline}`)),
        heading("number second", term("ctr", "CTR")),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      report.variants.map((row) =>
        variantRow({ report, row, visitors, comparison: against[row.variant], shared, look }),
      ),
    ),
    report.comparisons.some((c) => c.lift_interval) &&
      h(
        "tfoot",
        { "aria-hidden": "true" },
        h("tr", {}, h("td", { colspan: 3 }), h("td", { class: "lift" }, scale(shared)), h("td", {})),
      ),
  );
}

/** Other variants to compare with; where there are two, the other one says nothing new. */
export function baselines(report, route) {
  const { variants, baseline } = report;
  if (variants.length < 3) return null;
  const control = variants.find((row) => row.control)?.variant;
  return h(
    "div",
    { class: "baselines", "data-key": "baselines" },
    h(
      "nav",
      { class: "tabs small", "aria-label": "Compared with" },
      h("p", { class: "quiet" }, "Compared with:"),
      variants.map(({ variant }) =>
        h(
          "a",
          {
            href: here(route, { baseline: variant === control ? "" : variant }),
            "aria-current": variant === baseline ? "true" : null,
          },
          variant,
        ),
      ),
    ),
    baseline !== control &&
      h(
        "p",
        { class: "quiet" },
        `The verdict above compares with ${control}, the control. Comparisons with ${baseline} are exploratory: `,
        "a baseline that is chosen by its numbers flatters the others.",
      ),
  );
}

function variantRow({ report, row, visitors, comparison, shared, look }) {
  const isBaseline = row.variant === report.baseline;
  const decided = report.verdict.variant === row.variant && stateOf(report.verdict)[2];
  return h(
    "tr",
    {
      role: "row",
      "data-key": row.variant,
      class: [row.control && "control", decided].filter(Boolean).join(" ") || null,
    },
    h(
      "th",
      { role: "rowheader", scope: "row", class: "name" },
      swatch(look[row.variant]),
      h("b", {}, row.variant),
      " ",
      row.control && h("span", { class: "chip" }, "control"),
      report.shipped === row.variant && h("span", { class: "chip live" }, "live"),
      decisionChip(report, comparison),
    ),
    cell("number", term("visitors", "Visitors"), whole(row.visitors), split(row, visitors)),
    cell(
      "number rate",
      term("rate", title(report.metric)),
      written(report.metric, estimate(report.metric, row)),
      `${whole(row.converted)} ${verb(report.goal)}`,
    ),
    h(
      "td",
      { role: "cell", class: "lift" },
      isBaseline ? h("p", { class: "quiet" }, "The baseline") : liftCell(comparison, shared, look[row.variant]),
    ),
    cell("number second", term("ctr", "CTR"), share(row.ctr), `${whole(row.clicks)} of ${whole(row.impressions)}`),
  );
}

/** What arrived and what was configured. */
function split(row, visitors) {
  const configured = `${percent(row.weight)} configured`;
  return visitors > 0 ? `${share(row.visitors / visitors)}, ${configured}` : configured;
}

function liftCell(comparison, shared, { hue }) {
  if (!comparison?.lift_interval) return h("p", { class: "quiet" }, "Nothing to compare yet");
  return [
    bar(shared, comparison, hue),
    scale(shared),
    h("p", {}, h("b", {}, lift(comparison.lift)), " ", h("span", {}, interval(comparison.lift_interval))),
  ];
}

function decisionChip(report, comparison) {
  if (!comparison || report.verdict.state === "invalid") return null;
  const [sign, word] = DECISIONS[comparison.decision] ?? [];
  return word ? h("span", { class: `chip ${comparison.decision}` }, icon(sign, 14), word) : null;
}

const cell = (kind, label, value, more) =>
  h(
    "td",
    { role: "cell", class: kind },
    h("p", { class: "label" }, label),
    h("p", { class: "value" }, value),
    more && h("p", { class: "more" }, more),
  );
