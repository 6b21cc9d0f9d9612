// One row per variant: how many came, what they did, and the lift on an axis that all rows share.

import { axis, bar, scale } from "../charts/bars.js";
import { swatch } from "../ui/colours.js";
import { h, unseen } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { chance, interval, lift, percent, share, whole } from "../ui/format.js";

const COLUMNS = [
  ["Variant", "name"],
  ["Visitors", "number"],
  ["CTR", "number", "Clicks out of impressions"],
  ["Rate", "number", "Visitors who did it at least once, out of all who saw the variant"],
  ["Lift over the control, with the interval that holds at every look", "lift"],
  ["Chance to be best", "number"],
];

// The roles are those that table elements have anyway; on a small screen their display changes, and with it the roles.
export function variantTable(report, look) {
  const shared = axis(report.comparisons);
  const beside = Object.fromEntries(report.comparisons.map((c) => [c.variant, c]));
  return h(
    "table",
    {
      class: report.verdict.state === "invalid" ? "variants doubtful" : "variants",
      role: "table",
      "aria-label": `Variants, by ${report.goal}`,
    },
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        COLUMNS.map(([title, kind, more]) =>
          h("th", { role: "columnheader", scope: "col", class: kind, title: more }, title),
        ),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      report.variants.map((row) => variantRow(report, row, beside[row.variant], shared, look)),
    ),
    report.comparisons.some((c) => c.lift_interval) &&
      h(
        "tfoot",
        { "aria-hidden": "true" },
        h("tr", {}, h("td", { colspan: 4 }), h("td", { class: "lift" }, scale(shared)), h("td", {})),
      ),
  );
}

function variantRow(report, row, comparison, shared, look) {
  const goal = report.goal === "click" ? "clicked" : `reached ${report.goal}`;
  return h(
    "tr",
    {
      role: "row",
      "data-key": row.variant,
      class:
        [row.control && "control", report.verdict.variant === row.variant && report.verdict.state]
          .filter(Boolean)
          .join(" ") || null,
    },
    h(
      "th",
      { role: "rowheader", scope: "row", class: "name" },
      swatch(look[row.variant]),
      h("b", {}, row.variant),
      row.control && h("span", { class: "chip" }, "control"),
      decided(report, comparison),
    ),
    cell("Visitors", whole(row.visitors), `${percent(row.weight)} of traffic`),
    cell("CTR", share(row.ctr), `${whole(row.clicks)} of ${whole(row.impressions)}`),
    cell("Rate", share(row.rate), `${whole(row.converted)} ${goal}`),
    h(
      "td",
      { role: "cell", class: "lift" },
      row.control
        ? h("p", { class: "quiet" }, "what the others are measured by")
        : comparison?.lift_interval
          ? [
              bar(shared, comparison, look[row.variant].hue),
              scale(shared),
              h("p", {}, h("b", {}, lift(comparison.lift)), " ", h("span", {}, interval(comparison.lift_interval))),
            ]
          : h("p", { class: "quiet" }, "nobody to compare yet"),
    ),
    cell("Chance to be best", chance(row.p_best)),
  );
}

function decided(report, comparison) {
  if (!comparison || report.verdict.state === "invalid") return null;
  const words = { winner: ["check", "better"], loser: ["cross", "worse"], equivalent: ["equal", "the same"] };
  const [sign, word] = words[comparison.decision] ?? [];
  return word ? h("span", { class: `chip ${comparison.decision}` }, icon(sign, 14), word) : null;
}

const cell = (label, value, more) =>
  h(
    "td",
    { role: "cell", class: "number" },
    h("span", { class: "label", "aria-hidden": "true" }, label),
    h("b", {}, value),
    more && h("span", { class: "more" }, unseen(", "), more),
  );
