// Lines, bands and a cursor, drawn by uPlot. Everything it shows is also in the readout and in the table below it.

import uPlot from "uplot";
import { colour } from "../ui/colours.js";
import { day, decimal, percent, short } from "../ui/format.js";

export { picture } from "../actions/picture.js";

const DAY = 86_400; // seconds

const drawn = new WeakMap(); // place → {u, figure, read, index}

/** Draws `figure` into `place`, or what changed of it. `read(index)`: a day is being looked at. */
export function plot(place, figure, read) {
  const known = drawn.get(place);
  const state = known ?? { index: null };
  Object.assign(state, { figure, read });
  drawn.set(place, state);
  const lines = figure.lines.map((line) => [line.label, line.faded, Boolean(line.band), Boolean(line.expected)]);
  const shape = JSON.stringify([lines, figure.mode, colour("paper")]);
  if (!known || known.shape !== shape) {
    state.u?.destroy();
    place.replaceChildren();
    state.shape = shape;
    state.u = new uPlot(options(place, figure), table(figure), place);
    if (!known) follow(place, state);
  } else {
    state.u.setData(table(figure));
  }
  show(state, state.index);
}

const rem = (n) => n * parseFloat(getComputedStyle(document.documentElement).fontSize);

/** uPlot's columns: days, then each line with what belongs to it. */
function table({ days, lines, view: [low, high] }) {
  // An open end, or one far away, is drawn just outside of what is seen.
  const far = high - low;
  const end = (value, none) => Math.max(low - far, Math.min(high + far, value ?? none));
  const columns = lines.flatMap((line) => [
    line.values,
    ...(line.band
      ? [
          line.band.map((ends) => ends && end(ends[0], -Infinity)),
          line.band.map((ends) => ends && end(ends[1], Infinity)),
        ]
      : []),
    ...(line.expected ? [line.expected] : []),
  ]);
  return [days, ...columns];
}

/** @returns {any} */
function options(place, figure) {
  const axis = {
    stroke: colour("soft"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: `${rem(0.75)}px system-ui, sans-serif`,
  };
  return {
    ...size(place),
    ...series(figure),
    legend: { show: false },
    // The line stands on the day whose values are shown, not where the pointer is between two days.
    cursor: {
      drag: { x: false, y: false },
      y: false,
      points: { size: 8 },
      move: (u, left) => [left < 0 ? left : u.valToPos(drawn.get(place).figure.days[u.posToIdx(left)], "x"), 0],
    },
    scales: {
      x: { time: true, range: (_, low, high) => (low === high ? [low - DAY / 2, high + DAY / 2] : [low, high]) },
      y: { range: () => drawn.get(place).figure.view },
    },
    hooks: { drawAxes: [(u) => marks(u, drawn.get(place).figure.marks, axis)] },
    padding: [rem(0.75), rem(1.6), 0, 0],
    axes: [
      {
        ...axis,
        size: rem(1.8),
        space: rem(4.4),
        splits: (u) => spacedDays(drawn.get(place).figure.days, u.bbox.width / devicePixelRatio / rem(4.4)),
        values: (_, ticks) => ticks.map((at) => day(at * 1000)),
      },
      { ...axis, size: rem(3.6), space: rem(2), values: (_, ticks) => labels(figure.ticks, ticks) },
    ],
  };
}

/** Lines and bands in the order of the columns of table(). Faded lines lie under the others and have no band. */
function series({ lines, days }) {
  const all = [{}];
  const bands = [];
  const hidden = { stroke: "transparent", width: 0, points: { show: false } };
  for (const line of lines) {
    const stroke = line.faded ? colour("soft", 0.35) : colour(`v-${line.hue}`);
    const few = days.length < 3 && !line.faded;
    all.push({
      stroke,
      width: line.faded ? 1 : 2,
      dash: line.faded ? [] : line.dash,
      spanGaps: false,
      points: { show: few || undefined, size: 6, fill: stroke },
    });
    if (line.band) {
      all.push(hidden, hidden);
      const fill = colour(`v-${line.hue}`, lines.length > 2 ? 0.09 : 0.13);
      if (!line.faded) bands.push({ series: [all.length - 1, all.length - 2], fill });
    }
    if (line.expected)
      all.push(line.faded ? hidden : { stroke: colour(`v-${line.hue}`, 0.6), width: 1, points: { show: false } });
  }
  return { series: all, bands };
}

/** At most `most` of the days, evenly spaced, counted back from the last: the newest day always has its label. */
function spacedDays(days, most) {
  const step = [1, 2, 7, 14, 28, 56, 112].find((n) => days.length / n <= Math.max(1, most)) ?? days.length;
  return days.filter((_, n) => (days.length - 1 - n) % step === 0);
}

/** Ticks with as many decimals as their distance needs. */
export function labels(kind, ticks) {
  if (kind === "count") return ticks.map((value) => (Number.isInteger(value) ? short(value) : ""));
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  if (kind === "amount") return ticks.map((value) => decimal(value, decimals(step), decimals(step)));
  const digits = decimals(step * 100);
  return ticks.map(
    (value) => (kind === "signed" && value > 0 ? "+" : "") + percent(Math.abs(value) < 1e-9 ? 0 : value, digits),
  );
}

/** 5 → 0, 0.5 → 1, 0.25 → 2. */
const decimals = (step) => [0, 1, 2].find((n) => Math.abs(step * 10 ** n - Math.round(step * 10 ** n)) < 1e-6) ?? 3;

/** Where a phase began. */
function marks(u, all, { stroke, font }) {
  const { ctx, bbox } = u;
  ctx.save();
  Object.assign(ctx, {
    strokeStyle: stroke,
    fillStyle: stroke,
    font: font.replace(/^[\d.]+/, (size) => size * devicePixelRatio),
    textAlign: "left",
    textBaseline: "top",
  });
  for (const { at, text } of all) {
    const x = Math.round(u.valToPos(at, "x", true)) + 0.5;
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(text, x + 5, bbox.top + 2);
  }
  ctx.restore();
}

const size = (place) => ({
  width: Math.max(200, place.clientWidth),
  height: rem(place.clientWidth < rem(30) ? 12.5 : 16),
});

/** Pointer, finger and keys all move the same cursor. */
function follow(place, state) {
  new ResizeObserver(() => state.u.setSize(size(place))).observe(place);
  const to = (index) => show(state, Math.max(0, Math.min(state.figure.days.length - 1, index)));
  place.addEventListener("pointermove", (event) => {
    const left = event.clientX - state.u.over.getBoundingClientRect().left;
    to(state.u.posToIdx(left));
  });
  place.addEventListener("pointerleave", () => show(state, null));
  place.addEventListener("blur", () => show(state, null));
  place.addEventListener("keydown", (event) => {
    const last = state.figure.days.length - 1;
    const now = state.index ?? last;
    const moves = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + 7,
      PageDown: now - 7,
      Home: 0,
      End: last,
    };
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    to(moves[event.key]);
  });
  const redraw = () => plot(place, state.figure, state.read);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", redraw);
  document.addEventListener("abacus:theme", redraw);
}

function show(state, index) {
  const { u, figure, read } = state;
  const last = figure.days.length - 1;
  state.index = index === null ? null : Math.min(index, last);
  const left = state.index === null ? -10 : u.valToPos(figure.days[state.index], "x");
  u.setCursor({ left, top: state.index === null ? -10 : 0 }, false);
  read(state.index ?? last);
}
