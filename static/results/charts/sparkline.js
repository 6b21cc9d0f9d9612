// The last days in one small line, as tall as the tallest of them. Days without visitors are gaps.

import { h } from "../ui/dom.js";

const WIDTH = 120;
const HEIGHT = 32;

// series → its drawing; typing into the search draws the list again with every letter
const drawn = new WeakMap();

export function spark(series) {
  if (!series?.length) return null;
  if (!drawn.has(series)) drawn.set(series, draw(series));
  return drawn.get(series).cloneNode(true);
}

function draw(series) {
  const day = 86_400_000;
  const points = series.map((point) => [Date.parse(point.at) / day, point.visitors]);
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const most = Math.max(1, ...points.map(([, n]) => n));
  const x = (at) => (last === first ? WIDTH : (WIDTH * (at - first)) / (last - first));
  const y = (n) => HEIGHT - 2 - ((HEIGHT - 4) * n) / most;
  const runs = [];
  let before = -Infinity;
  for (const [at, n] of points) {
    if (at - before > 1.5) runs.push([]);
    runs.at(-1).push(`${x(at).toFixed(1)},${y(n).toFixed(1)}`);
    before = at;
  }
  return h(
    "svg",
    { class: "spark", viewBox: `-2 0 ${WIDTH + 4} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "aria-hidden": "true" },
    runs.map((run) => h("polyline", { points: run.join(" ") })),
    h("circle", { cx: x(last), cy: y(points.at(-1)[1]), r: 2.5 }),
  );
}
