// Lifts as bars on one axis that all variants of an experiment share.

import { h } from "../ui/dom.js";
import { lift } from "../ui/format.js";

/** The common axis: 0, every interval up to a cap, and a few round ticks.
 *  @param {readonly {lift: number | null, lift_interval: readonly (number | null)[] | null}[]} comparisons */
export function axis(comparisons) {
  const ends = comparisons.flatMap((c) => c.lift_interval ?? []).filter((end) => end !== null);
  const lifts = comparisons.map((c) => c.lift).filter((value) => value !== null);
  // A young experiment's interval is very wide; what is cut off gets an arrow.
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
  const step = [1, 2, 2.5, 5, 10].map((n) => n * unit).find((size) => size >= rough) ?? rough;
  const values = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) values.push(n === 0 ? 0 : n * step);
  return values;
}

const place = (axis, value) => (100 * (value - axis.from)) / (axis.to - axis.from);
const at = (axis, value) => `${Math.min(100, Math.max(0, place(axis, value))).toFixed(2)}%`;

/** One comparison's interval; null ends are open. An end outside the axis is an arrow. Decoration: the numbers stand
 *  beside it. */
export function bar(axis, comparison, hue) {
  const [low, high] = comparison.lift_interval ?? [null, null];
  const [left, right] = [at(axis, low ?? -Infinity), at(axis, high ?? Infinity)];
  const [cutLeft, cutRight] = [(low ?? -Infinity) < axis.from, (high ?? Infinity) > axis.to];
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
      rx: cutLeft || cutRight ? 0 : 3,
    }),
    cutLeft ? arrow(left, -1) : h("line", { class: "end", x1: left, x2: left, y1: 6, y2: 24 }),
    cutRight ? arrow(right, 1) : h("line", { class: "end", x1: right, x2: right, y1: 6, y2: 24 }),
    Number.isFinite(comparison.lift) && h("circle", { class: "point", cx: at(axis, comparison.lift), cy: 15, r: 5 }),
  );
}

/** An arrow head at `x` per cent: the interval goes on. */
const arrow = (x, direction) =>
  h(
    "svg",
    { class: "beyond", x, y: 15, width: 1, height: 1, overflow: "visible" },
    h("path", { d: `M${-7 * direction} -8L0 0L${-7 * direction} 8` }),
  );

/** The numbers of the axis, under the bars; those near its ends stay inside. */
export const scale = (axis) =>
  h(
    "svg",
    { class: "scale", height: 20, "aria-hidden": "true" },
    axis.ticks.map((tick) => {
      const x = place(axis, tick);
      const anchor = x < 8 ? "start" : x > 92 ? "end" : "middle";
      return h("text", { x: at(axis, tick), y: 14, "text-anchor": anchor }, tick === 0 ? "0" : lift(tick));
    }),
  );
