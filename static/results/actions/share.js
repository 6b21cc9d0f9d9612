// The result in a chat: as text, or as a picture.

import { interval, lift, share, whole, localised } from "../ui/format.js";
import { reason, STATES } from "../ui/labels.js";

/** What to do, why, and the numbers; a link that opens here. */
export function text(report, href) {
  const rows = report.variants.map((row) => {
    const c = report.comparisons.find(({ variant }) => variant === row.variant);
    const beside = c?.lift_interval ? `, lift ${lift(c.lift)} (${interval(c.lift_interval)})` : "";
    return `• ${row.variant}${row.control ? " (control)" : ""}: ${share(row.rate)} of ${whole(row.visitors)} visitors${beside}`;
  });
  return [`${title(report)}: ${report.verdict.headline}`, localised(reason(report)), "", ...rows, "", href].join("\n");
}

const title = ({ experiment, goal }) => (goal === "click" ? experiment : `${experiment} (${goal})`);

const WIDTH = 1200;
const MARGIN = 64;

/** The same as a PNG, drawn in the page's own colours. */
export function picture(report, look, shared) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const [hue, wash] = {
    winner: ["good", "good-tint"],
    loser: ["bad", "bad-tint"],
    invalid: ["bad", "bad-tint"],
    inconclusive: ["warn", "warn-tint"],
  }[report.verdict.state] ?? ["calm", "calm-tint"];
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const font = (size, weight = 400) =>
    (pen.font = `${weight} ${size}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`);
  font(26);
  const why = wrapped(pen, localised(reason(report)), WIDTH - 2 * MARGIN);
  const top = 236 + 36 * why.length;
  canvas.width = WIDTH;
  canvas.height = top + 92 * report.variants.length + 84;
  const write = (words, x, y, size, { weight, paint = "ink", align = "left" } = {}) => {
    font(size, weight);
    pen.fillStyle = colour(paint);
    pen.textAlign = align;
    pen.fillText(words, x, y);
  };
  pen.fillStyle = colour("paper");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = colour(wash);
  pen.fillRect(0, 0, WIDTH, top - 28);
  pen.fillStyle = colour(hue);
  pen.fillRect(0, 0, 12, top - 28);
  write(`${title(report)} · ${STATES[report.verdict.state]?.[0] ?? report.verdict.state}`, MARGIN, 80, 28, {
    weight: 600,
    paint: hue,
  });
  write(report.verdict.headline, MARGIN, 156, 62, { weight: 700 });
  why.forEach((line, n) => write(line, MARGIN, 212 + 36 * n, 26));
  report.variants.forEach((row, n) => variant(n, row));
  write(
    `${whole(report.variants.reduce((sum, row) => sum + row.visitors, 0))} visitors · as of ${report.as_of.slice(0, 16).replace("T", " ")} UTC`,
    MARGIN,
    canvas.height - 34,
    22,
    { paint: "soft" },
  );
  write("ABacus", WIDTH - MARGIN, canvas.height - 34, 22, { paint: "soft", weight: 700, align: "right" });
  return canvas;

  function variant(n, row) {
    const y = top + 34 + 92 * n;
    const c = report.comparisons.find(({ variant }) => variant === row.variant);
    write(
      clipped(pen, row.variant + (row.control ? " (control)" : ""), 300, () => font(28, 650)),
      MARGIN,
      y,
      28,
      { weight: 650 },
    );
    write(`${whole(row.converted)} of ${whole(row.visitors)}`, MARGIN, y + 30, 21, { paint: "soft" });
    write(share(row.rate), 500, y + 8, 32, { weight: 650, align: "right" });
    if (!c?.lift_interval) return;
    const [from, to] = [560, 900];
    const x = (value) =>
      from +
      ((to - from) * (Math.min(shared.to, Math.max(shared.from, value)) - shared.from)) / (shared.to - shared.from);
    const [low, high] = [x(c.lift_interval[0] ?? -Infinity), x(c.lift_interval[1] ?? Infinity)];
    const paint = colour(`v-${look[row.variant].hue}`);
    pen.fillStyle = colour("soft");
    pen.fillRect(x(0) - 1, y - 26, 2, 56);
    pen.fillStyle = paint + "55";
    pen.fillRect(low, y - 10, high - low, 22);
    pen.fillStyle = paint;
    pen.beginPath();
    pen.arc(x(c.lift ?? 0), y + 1, 9, 0, 7);
    pen.fill();
    write(lift(c.lift), 930, y + 2, 30, { weight: 650 });
    write(interval(c.lift_interval), 930, y + 30, 20, { paint: "soft" });
  }
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

function clipped(pen, words, width, prepare) {
  prepare();
  let shown = words;
  while (shown.length > 1 && pen.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  return shown;
}
