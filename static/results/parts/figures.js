// What the charts show, as plain numbers: the drawing and the table under it both come from here. Times are UTC days.

import { day, interval, lift, longDay, NOTHING, share, whole } from "./numbers.js";

const DAY = 86_400; // seconds

/** Every figure of a report: {id, title, note, days, lines, how, ...}. A day nobody came on is null: a gap. */
export function figures(report, look, route) {
  const days = calendar(report.series);
  if (!days.length) return [];
  const points = new Map(report.series.map((point) => [seconds(point.at), point]));
  const at = days.map((when) => points.get(when));
  return [rate(report, look, days, at, route.query.rate ?? ""), liftFigure(report, look, days, at), split(report, look, days, at)].filter(Boolean);
}

const seconds = (at) => Date.parse(at) / 1000;

/** Every day from the first to the last, so that what is missing shows as a gap. */
function calendar(series) {
  if (!series.length) return [];
  const [first, last] = [seconds(series[0].at), seconds(series.at(-1).at)];
  return Array.from({ length: Math.round((last - first) / DAY) + 1 }, (_, n) => first + n * DAY);
}

const RATES = {
  "": ["So far", "All visitors up to each day, with the band that holds at every look."],
  day: ["Per day", "The visitors first seen on each day, by what they have done until now."],
  ctr: ["CTR per day", "Clicks out of impressions, of the visitors first seen on each day."],
};

function rate(report, look, days, at, mode) {
  const [, note] = RATES[mode] ?? RATES[""];
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => point?.variants.find((row) => row.variant === variant));
    const base = { label: variant, ...look[variant] };
    if (mode === "day") return { ...base, values: rows.map((row) => row?.rate ?? null) };
    if (mode === "ctr") return { ...base, values: rows.map((row) => (row?.impressions > 0 ? row.clicks / row.impressions : null)) };
    const band = rows.map((row) => row?.cumulative?.rate_sequence ?? row?.cumulative?.rate_interval ?? null);
    return { ...base, values: rows.map((row) => row?.cumulative?.rate ?? null), band };
  });
  const goal = report.goal === "click" ? "click" : report.goal;
  return { id: "rate", title: mode === "ctr" ? "CTR over time" : `Rate of ${goal} over time`, note, days, lines, how: share, floor: 0, modes: Object.entries(RATES).map(([key, [label]]) => [key, label]), mode };
}

function liftFigure(report, look, days, at) {
  if (!report.comparisons.length) return null;
  const lines = report.comparisons.map(({ variant }) => {
    const rows = at.map((point) => point?.comparisons.find((c) => c.variant === variant));
    return { label: variant, ...look[variant], values: rows.map((row) => row?.lift ?? null), band: rows.map((row) => row?.lift_interval ?? null) };
  });
  const note = "Narrows as visitors come. While the band includes 0, it may be chance.";
  return { id: "lift", title: `Lift over ${report.comparisons[0].control}`, note, days, lines, how: lift, zero: true, cap: cap(lines) };
}

/** How far the axis goes: the first days' bands would hide all that follows. */
function cap(lines) {
  const settled = lines.flatMap(({ band }) => band.filter(Boolean).slice(-Math.ceil(band.length / 2)).flat());
  const found = [...settled.filter(Number.isFinite), ...lines.flatMap(({ values }) => values.filter(Number.isFinite).slice(-1))];
  return Math.min(3, Math.max(0.1, ...found.map((value) => 1.3 * Math.abs(value))));
}

function split(report, look, days, at) {
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => point?.variants.find((row) => row.variant === variant));
    return { label: variant, ...look[variant], values: rows.map((row) => row?.visitors ?? null), expected: rows.map((row) => row?.expected ?? null) };
  });
  const known = lines.some((line) => line.expected.some((value) => value !== null));
  const note = known ? "New visitors of each day. Thin lines: what the configured split expects of as many." : "New visitors of each day.";
  return { id: "split", title: "Visitors per day", note, days, lines, how: whole, floor: 0 };
}

/** What a line says on one day: "12.3 % (10 % to 15 %)". */
export function said(figure, line, index) {
  const value = figure.how(line.values[index]);
  const band = line.band?.[index];
  if (band) return `${value} (${interval(band, figure.how)})`;
  const expected = line.expected?.[index];
  return expected === null || expected === undefined ? value : `${value} (${whole(expected)} expected)`;
}

export function reading(figure, index) {
  const lines = figure.lines.map((line) => `${line.label} ${said(figure, line, index)}`);
  return `${longDay(figure.days[index] * 1000)} UTC: ${lines.join("; ")}`;
}

export const dayOf = (figure, index) => (index === null ? NOTHING : day(figure.days[index] * 1000));
