// The result as a PNG, drawn in the page's own colours.

import { colour } from "../ui/colours.js";
import { count, interval, lift, localised, moment, whole } from "../ui/format.js";
import { headline, reason, stateOf } from "../ui/labels.js";
import { estimate, written } from "../ui/metric.js";
import { title } from "./share.js";

const WIDTH = 1200;
const MARGIN = 64;
const ROW = 92;
const MOST_ROWS = 12; // a picture of more variants would not be read
const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const HUES = {
  winner: ["good", "good-tint"],
  loser: ["bad", "bad-tint"],
  invalid: ["bad", "bad-tint"],
  inconclusive: ["warn", "warn-tint"],
  held: ["warn", "warn-tint"],
};

/** @param {import("../data/answers.d.ts").Report} report
 *  @param {Record<string, {hue: string}>} look
 *  @param {{from: number, to: number}} shared the axis of the lifts */
export function picture(report, look, shared) {
  const canvas = document.createElement("canvas");
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [label, , kind] = stateOf(report.verdict);
  const [hue, wash] = HUES[kind] ?? ["calm", "calm-tint"];
  pen.font = font(26);
  const why = wrapped(pen, localised(reason(report)), WIDTH - 2 * MARGIN);
  const top = 236 + 36 * why.length;
  const rows = report.variants.slice(0, MOST_ROWS);
  canvas.width = WIDTH;
  canvas.height = top + ROW * rows.length + 84;
  fill(pen, "paper", [0, 0, canvas.width, canvas.height]);
  fill(pen, wash, [0, 0, WIDTH, top - 28]);
  fill(pen, hue, [0, 0, 12, top - 28]);
  write(pen, `${title(report)} · ${label}`, MARGIN, 80, { size: 28, weight: 600, paint: hue });
  write(pen, headline(report), MARGIN, 156, { size: 62, weight: 700 });
  why.forEach((line, n) => write(pen, line, MARGIN, 212 + 36 * n, { size: 26 }));
  rows.forEach((row, n) => variantRow(pen, { report, row, hue: look[row.variant].hue, shared, y: top + 34 + ROW * n }));
  const visitors = report.variants.reduce((sum, row) => sum + row.visitors, 0);
  const more = report.variants.length - rows.length;
  const rest = more > 0 ? ` · ${whole(more)} more variants` : "";
  const foot = canvas.height - 34;
  const seen = `${count(visitors, "visitor")} · as of ${moment(report.as_of)}${rest}`;
  write(pen, seen, MARGIN, foot, { size: 22, paint: "soft" });
  write(pen, "ABacus", WIDTH - MARGIN, foot, { size: 22, paint: "soft", weight: 700, align: "right" });
  return canvas;
}

function variantRow(pen, { report, row, hue, shared, y }) {
  const c = report.comparisons.find(({ variant }) => variant === row.variant);
  pen.font = font(28, 650);
  const name = clipped(pen, row.variant + (row.control ? " (control)" : ""), 300);
  write(pen, name, MARGIN, y, { size: 28, weight: 650 });
  write(pen, `${whole(row.converted)} of ${whole(row.visitors)}`, MARGIN, y + 30, { size: 21, paint: "soft" });
  write(pen, written(report.metric, estimate(report.metric, row)), 500, y + 8, {
    size: 32,
    weight: 650,
    align: "right",
  });
  if (!c?.lift_interval) return;
  const [from, to] = [560, 900];
  const within = (value) => Math.min(shared.to, Math.max(shared.from, value));
  const x = (value) => from + ((to - from) * (within(value) - shared.from)) / (shared.to - shared.from);
  const [low, high] = [x(c.lift_interval[0] ?? -Infinity), x(c.lift_interval[1] ?? Infinity)];
  fill(pen, "soft", [x(0) - 1, y - 26, 2, 56]);
  fill(pen, `v-${hue}`, [low, y - 10, high - low, 22], 0.33);
  pen.fillStyle = colour(`v-${hue}`);
  pen.beginPath();
  pen.arc(x(c.lift ?? 0), y + 1, 9, 0, 7);
  pen.fill();
  write(pen, lift(c.lift), 930, y + 2, { size: 30, weight: 650 });
  write(pen, interval(c.lift_interval), 930, y + 30, { size: 20, paint: "soft" });
}

const font = (size, weight = 400) => `${weight} ${size}px ${FAMILY}`;

/** @param {CanvasRenderingContext2D} pen
 *  @param {{size: number, weight?: number, paint?: string, align?: CanvasTextAlign}} style */
function write(pen, words, x, y, style) {
  const { size, weight = 400, paint = "ink", align = "left" } = style;
  pen.font = font(size, weight);
  pen.fillStyle = colour(paint);
  pen.textAlign = align;
  pen.fillText(words, x, y);
}

function fill(pen, name, [x, y, width, height], alpha = 1) {
  pen.fillStyle = colour(name, alpha);
  pen.fillRect(x, y, width, height);
}

function wrapped(pen, words, width) {
  const lines = [""];
  for (const word of words.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (pen.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function clipped(pen, words, width) {
  let shown = words;
  while (shown.length > 1 && pen.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  return shown;
}
