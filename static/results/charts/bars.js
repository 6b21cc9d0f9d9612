// Lifts as bars on one axis that all variants of an experiment share.

import { h } from "../ui/dom.js";
import { lift } from "../ui/format.js";

/** The common axis: 0, every interval as far as it is worth seeing, and a few round ticks. */
export function axis(comparisons) {
  const ends = comparisons.flatMap((c) => c.lift_interval ?? []).filter(Number.isFinite);
  const lifts = comparisons.map((c) => c.lift).filter(Number.isFinite);
  // A young experiment's interval reaches to the sky; what is cut off gets an arrow.
  const cap = Math.max(0.5, 4 * Math.max(0, ...lifts.map(Math.abs)));
  const low = Math.max(-1, -cap, Math.min(-0.02, ...ends, ...lifts));
  const high = Math.min(cap, Math.max(0.02, ...ends, ...lifts));
  const pad = (high - low) * 0.06;
  const [from, to] = [low - pad, high + pad];
  return { from, to, ticks: ticks(from, to) };
}

export function ticks(from, to, about = 4) {
  const rough = (to - from) / about;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * unit).find((size) => size >= rough);
  const found = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) found.push(n === 0 ? 0 : n * step);
  return found;
}

const place = (axis, value) => (100 * (value - axis.from)) / (axis.to - axis.from);
const at = (axis, value) => `${Math.min(100, Math.max(0, place(axis, value))).toFixed(2)}%`;

/** One comparison's interval; null ends are open. Drawn for the eye: the numbers stand beside it. */
export function bar(axis, comparison, hue) {
  const [low, high] = comparison.lift_interval ?? [null, null];
  const from = Math.max(low ?? -Infinity, axis.from);
  const to = Math.min(high ?? Infinity, axis.to);
  const open = [(low ?? -Infinity) < axis.from, (high ?? Infinity) > axis.to];
  const [left, right] = [at(axis, from), at(axis, to)];
  return h(
    "svg",
    { class: `bar ${hue}`, height: 30, "aria-hidden": "true" },
    axis.ticks.map((tick) =>
      h("line", { class: tick === 0 ? "zero" : "tick", x1: at(axis, tick), x2: at(axis, tick), y1: 0, y2: 30 }),
    ),
    h("rect", {
      class: "reach",
      x: left,
      y: 9,
      width: `${(parseFloat(right) - parseFloat(left)).toFixed(2)}%`,
      height: 12,
      rx: open[0] || open[1] ? 0 : 3,
    }),
    !open[0] && h("line", { class: "end", x1: left, x2: left, y1: 6, y2: 24 }),
    !open[1] && h("line", { class: "end", x1: right, x2: right, y1: 6, y2: 24 }),
    Number.isFinite(comparison.lift) && h("circle", { class: "point", cx: at(axis, comparison.lift), cy: 15, r: 5 }),
  );
}

/** The numbers of the axis, under the bars; those at its very ends would stick out. */
export const scale = (axis) =>
  h(
    "svg",
    { class: "scale", height: 20, "aria-hidden": "true" },
    axis.ticks
      .filter((tick) => Math.abs(place(axis, tick) - 50) < 44)
      .map((tick) => h("text", { x: at(axis, tick), y: 14, "text-anchor": "middle" }, tick === 0 ? "0" : lift(tick))),
  );
