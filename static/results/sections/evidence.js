// The same comparison by every method. One decides; the others stand beside it as second opinions.

import { h } from "../ui/dom.js";
import { chance, decimal, interval, lift, NOTHING, percent, pValue, share, whole } from "../ui/format.js";
import { docs } from "../ui/help.js";
import { estimate, isRate, title, written } from "../ui/metric.js";
import { table } from "../ui/table.js";

/** @param {import("../data/answers.d.ts").Report} report */
export function evidence(report) {
  return [
    report.comparisons.map((c) => methods(c, report)),
    report.omnibus && h("p", {}, `All variants at once (G-test): p ${pValue(report.omnibus.p)}.`),
    estimates(report),
    planned(report.plan, report.metric),
    h("p", {}, h("a", { href: docs("statistics") }, "How these numbers are computed")),
  ];
}

const isKnown = (value) => value !== null && value !== undefined;

function methods(c, { alpha }) {
  const { fixed, bayes, lift_shrunk: shrunk } = c;
  if (!c.lift_interval) return h("p", { class: "quiet" }, `${c.variant}: nothing to compare yet.`);
  return [
    h("h3", {}, `${c.variant} against ${c.control}`),
    h(
      "dl",
      { class: "methods" },
      method(
        "Sequential (decides)",
        lift(c.lift),
        `${interval(c.lift_interval)}, p ${pValue(c.p)}`,
        `${percent(1 - alpha)} confidence sequence: valid however often you look. Adjusted for the number of variants.`,
      ),
      method(
        "Fixed horizon",
        lift(c.lift),
        `${interval(fixed?.lift_interval)}, p ${pValue(fixed?.p_holm ?? fixed?.p)}`,
        "Valid for one look, at a moment chosen before the start.",
      ),
      method(
        "Exact",
        null,
        `p ${pValue(c.exact_p)}`,
        isKnown(c.exact_p)
          ? "A second opinion, valid at any time and exact in small samples: from the variants of those who converted."
          : "Not computed: it needs a correct split.",
      ),
      isKnown(bayes?.p_better) &&
        method(
          "Bayesian",
          lift(bayes.lift),
          `${interval(bayes.lift_interval)}, better with ${chance(bayes.p_better)}`,
          "A belief, not the decision: it has no protection against looking often.",
        ),
      shrunk &&
        method(
          "After shipping",
          lift(shrunk.lift),
          interval(shrunk.interval),
          "What to expect: winners are lucky on average, so their lift is shrunk.",
        ),
      c.ctr &&
        method(
          "CTR, one look",
          lift(c.ctr.lift),
          `${interval(c.ctr.difference_interval, points)} points, p ${pValue(c.ctr.p)}`,
          "Clicks out of impressions. The error is computed by visitor, so it is wider than it looks.",
        ),
    ),
  ];
}

const method = (name, value, numbers, more) =>
  h(
    "div",
    {},
    h("dt", {}, name),
    h("dd", {}, value && h("b", {}, value), value && " ", h("span", {}, numbers), h("p", { class: "quiet" }, more)),
  );

function estimates({ variants, alpha, metric }) {
  const beliefs = variants.some((row) => isKnown(row.p_best));
  const level = `${percent(1 - alpha)} interval`;
  return [
    h("h3", {}, `${title(metric)}, for one look`),
    table(
      title(metric),
      [
        "Variant",
        isRate(metric) ? "Rate" : "Mean",
        level,
        "CTR",
        level,
        ...(beliefs ? ["Chance to be best", "Expected loss"] : []),
      ],
      variants.map((row) => [
        row.variant,
        written(metric, estimate(metric, row)),
        interval(isRate(metric) ? row.rate_interval : row.mean_interval, (value) => written(metric, value)),
        share(row.ctr),
        interval(row.ctr_interval, share),
        ...(beliefs ? [chance(row.p_best), loss(metric, row)] : []),
      ]),
    ),
    beliefs &&
      h(
        "p",
        { class: "quiet" },
        "Chance to be best and expected loss are Bayesian beliefs. ",
        `Expected loss: the ${isRate(metric) ? "rate" : "mean"} you give up, on average, if you ship this variant `,
        "and another one is better.",
      ),
  ];
}

const loss = (metric, { expected_loss: lost }) => (isRate(metric) ? `${points(lost)} points` : written(metric, lost));

const points = (value) => (isKnown(value) ? decimal(value * 100, 2, 2) : NOTHING);

function planned(plan, metric) {
  if (!plan.lift) return null;
  const level = isRate(metric) ? `rate of ${share(plan.rate)}` : `mean of ${written(metric, plan.mean)}`;
  return [
    h("h3", {}, "Plan"),
    h(
      "p",
      {},
      `To find a lift of ${percent(plan.lift)} at a ${level} `,
      `with probability ${percent(plan.power)}: `,
      h("b", {}, `${whole(plan.visitors_per_variant)} visitors per variant`),
      ` however often you look, ${whole(plan.visitors_per_variant_fixed)} with one look at the end. `,
      plan.missing ? `${whole(plan.missing)} are missing.` : "You have them.",
      plan.mde_reached ? ` The visitors so far would find ${percent(plan.mde_reached)}.` : "",
    ),
  ];
}
