// One segment of an experiment: each metric by its values, whether the effects differ, and where the split is off.

import { get } from "../data/api.js";
import { here } from "../data/route.js";
import { h, patch } from "../ui/dom.js";
import {
  count,
  decimal,
  interval,
  lift,
  listed,
  localised,
  NOTHING,
  percent,
  pValue,
  share,
  whole,
} from "../ui/format.js";
import { docs } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { EXCLUSIONS } from "../ui/labels.js";
import { table } from "../ui/table.js";

/** path → the newest answer, and the moment of the report that it was asked beside. */
const known = new Map();
let shown = "";

/** Fills the section, where it is open: shows what is known, and asks again whenever the report is newer. */
export async function drawSegments(report, route) {
  const place = document.querySelector("#by-segment");
  if (!place) return;
  const { experiment, segments, as_of } = report;
  const by = segments.includes(route.query.by) ? route.query.by : segments[0];
  const path = `/stats/${encodeURIComponent(experiment)}?by=${encodeURIComponent(by)}`;
  shown = path;
  const before = known.get(path);
  draw(place, choice(segments, by, route), before?.content());
  if (before?.as_of === as_of) return;
  known.set(path, { content: before?.content ?? (() => [h("p", { class: "quiet" }, "Loading …")]), as_of });
  try {
    const answer = await get(path);
    known.set(path, { content: () => content(answer), as_of });
  } catch (failure) {
    const { message } = /** @type {Error} */ (failure);
    known.set(path, { content: () => [h("p", {}, message)], as_of: "" });
  }
  if (shown === path) draw(place, choice(segments, by, route), known.get(path).content());
}

const draw = (place, head, body = []) => patch(place, [head, ...[body].flat(Infinity).filter(Boolean)]);

const choice = (segments, by, route) =>
  h(
    "nav",
    { class: "tabs small", "aria-label": "Segment" },
    segments.map((name) =>
      h("a", { href: here(route, { by: name }), "aria-current": name === by ? "true" : null }, name),
    ),
  );

/** @param {import("../data/answers.d.ts").SegmentReport} answer */
function content(answer) {
  const { by, split, without_segment } = answer;
  return [
    h("p", { class: "quiet" }, localised(answer.warning), " ", h("a", { href: docs("statistics#segments") }, "How")),
    without_segment > 0 &&
      h(
        "p",
        { class: "quiet" },
        `${count(without_segment, "visitor")} without ${by}: an earlier version counted them.`,
      ),
    h(
      "p",
      { class: `split ${split.state}` },
      icon(split.state === "ok" ? "check" : "stop", 18),
      " ",
      localised(split.text),
    ),
    answer.metrics.map((metric) => [
      h("h3", {}, metric.metric, " ", metric.primary && h("span", { class: "chip" }, "primary")),
      metricTable(metric, by),
      metric.interactions.map((result) => h("p", {}, interaction(result, by))),
    ]),
    answer.adjusted.map((estimate) => adjusted(estimate, by)),
    h("h3", {}, "Who came"),
    traffic(answer),
  ];
}

function metricTable(metric, by) {
  const write = (value) => (metric.kind === "rate" ? share(value) : amount(metric, value));
  return table(
    `${metric.metric} by ${by}`,
    [
      by,
      "Variant",
      "Visitors",
      "Reached it",
      metric.kind === "rate" ? "Rate" : "Mean",
      "Lift",
      `${percent(0.95)} interval`,
      "p",
    ],
    metric.values.flatMap(({ value, variants, comparisons }) =>
      variants.map((arm) => {
        const c = comparisons.find((one) => one.variant === arm.variant);
        return [
          value,
          arm.variant,
          whole(arm.visitors),
          whole(arm.converted),
          write(arm.estimate),
          c ? lift(c.lift) : "control",
          c ? interval(c.lift_interval) : NOTHING,
          c?.direction === "collecting" ? "collecting" : pValue(c?.p),
        ];
      }),
    ),
  );
}

const amount = ({ unit, decimals }, value) => `${decimal(value, decimals + 2)}${unit ? ` ${unit}` : ""}`;

function interaction({ variant, values, p, differs }, by) {
  if (p === null) return `${variant}: too few visitors to say whether its effect differs by ${by}.`;
  const where = `between ${listed(values)} (p ${pValue(p)} at one look)`;
  return differs
    ? h("b", {}, `${variant}: its effect differs ${where}.`)
    : `${variant}: no proof that its effect differs ${where}.`;
}

function adjusted({ variant, lift: effect, lift_interval, gain }, by) {
  if (effect === null) return null;
  const less = gain >= 0 ? "less" : "more";
  const facts = `${lift(effect)} (${interval(lift_interval)}), with ${percent(Math.abs(gain), 1)} ${less} variance.`;
  return h("p", {}, `Adjusted for ${by}, the primary metric of ${variant}: ${facts}`);
}

const traffic = ({ by, traffic: rows }) =>
  table(
    `Who came, by ${by}`,
    [by, "Visitors", ...Object.values(EXCLUSIONS), "Events refused (about)"],
    rows.map(({ value, visitors, excluded, refused }) => [
      value,
      whole(visitors),
      ...Object.keys(EXCLUSIONS).map((reason) => whole(excluded[reason] ?? 0)),
      whole(Object.values(refused).reduce((sum, n) => sum + n, 0)),
    ]),
  );
