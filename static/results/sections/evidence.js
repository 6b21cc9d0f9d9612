// The same comparison by every method we have. One decides; the others stand beside it so that they can disagree.

import { h } from "../ui/dom.js";
import { chance, decimal, interval, lift, NOTHING, percent, pValue, share, whole } from "../ui/format.js";
import { table } from "../ui/table.js";

export function evidence(report) {
  return [
    report.comparisons.map((c) => method(c, report)),
    report.omnibus && several(report.omnibus),
    rates(report),
    planned(report.plan),
  ];
}

function method(c, { alpha, tau }) {
  const { fixed, bayes, lift_shrunk: shrunk } = c;
  if (!c.lift_interval) return h("p", { class: "quiet" }, `${c.variant}: nothing to compare yet.`);
  const sure = percent(1 - alpha);
  return [
    h("h3", {}, `${c.variant} against ${c.control}`),
    h(
      "dl",
      { class: "methods" },
      one(
        "At any time",
        lift(c.lift),
        `${interval(c.lift_interval)}, p ${pValue(c.p)}`,
        `This one decides. Valid however often you look; adjusted for the number of variants; made to find lifts of about ${percent(tau)}. Intervals hold with ${sure}.`,
      ),
      one(
        "One look",
        lift(c.lift),
        `${interval(fixed?.lift_interval)}, p ${pValue(fixed?.p_holm ?? fixed?.p)}`,
        "Valid once, at a moment that was chosen before the start.",
      ),
      one(
        "Exact",
        null,
        `p ${pValue(c.exact_p)}`,
        known(c.exact_p)
          ? "A second opinion, valid at any time, exact in small samples: from the variants of those who converted."
          : "Not computed: it needs the configured split to be true.",
      ),
      known(bayes?.p_better) &&
        one(
          "Bayesian",
          lift(bayes.lift),
          `${interval(bayes.lift_interval)}, better with ${chance(bayes.p_better)}`,
          "From a prior that favours nothing.",
        ),
      shrunk &&
        one(
          "After shipping",
          lift(shrunk.lift),
          interval(shrunk.interval),
          "What to expect: winners are lucky on average, so their lift is shrunk.",
        ),
      c.ctr &&
        one(
          "CTR, one look",
          lift(c.ctr.lift),
          `${interval(c.ctr.difference_interval, points)} points, p ${pValue(c.ctr.p)}`,
          "Clicks out of impressions. Its error comes from visitors, so it is wider than it looks.",
        ),
    ),
  ];
}

const known = (value) => value !== null && value !== undefined;

const one = (name, value, numbers, more) =>
  h(
    "div",
    {},
    h("dt", {}, name),
    h("dd", {}, value && h("b", {}, value), value && " ", h("span", {}, numbers), h("p", { class: "quiet" }, more)),
  );

const several = (test) => h("p", {}, `All variants at once (G test): p ${pValue(test.p)}.`);

function rates({ variants, alpha }) {
  const best = variants.some((row) => row.expected_loss !== undefined && row.expected_loss !== null);
  return [
    h("h3", {}, "Rates, for one look"),
    table(
      "Rates",
      [
        "Variant",
        "Rate",
        `${percent(1 - alpha)} interval`,
        "CTR",
        `${percent(1 - alpha)} interval`,
        ...(best ? ["Expected loss"] : []),
      ],
      variants.map((row) => [
        row.variant,
        share(row.rate),
        interval(row.rate_interval, share),
        share(row.ctr),
        interval(row.ctr_interval, share),
        ...(best ? [`${points(row.expected_loss)} points`] : []),
      ]),
    ),
    best &&
      h(
        "p",
        { class: "quiet" },
        "Expected loss: how much rate one would give away, on average, by choosing this variant if another one is better.",
      ),
  ];
}

const points = (value) => (known(value) ? decimal(value * 100, 2) : NOTHING);

function planned(plan) {
  if (!plan?.lift) return null;
  return [
    h("h3", {}, "Plan"),
    h(
      "p",
      {},
      `To find a difference of ${percent(plan.lift)} at a rate of ${share(plan.rate)} with probability ${percent(plan.power)}: `,
      h("b", {}, `${whole(plan.visitors_per_variant)} visitors per variant`),
      ` looking at any time, ${whole(plan.visitors_per_variant_fixed)} with one look at the end. `,
      plan.missing ? `${whole(plan.missing)} are missing.` : "They are there.",
      plan.mde_reached ? ` What there is would find ${percent(plan.mde_reached)}.` : "",
    ),
  ];
}
