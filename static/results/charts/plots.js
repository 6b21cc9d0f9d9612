// What the charts show, as plain numbers: the drawing and the table under it both come from here. Times are UTC days.

import { day, interval, lift, longDay, NOTHING, share, whole } from "../ui/format.js";

const DAY = 86_400; // seconds

/** Every figure of a report: {id, title, note, days, lines, how, ...}. A day nobody came on is null: a gap. */
export function figures(report, look, route) {
  const days = calendar(report.series);
  if (!days.length) return [];
  const points = new Map(report.series.map((point) => [seconds(point.at), point]));
  const at = days.map((when) => points.get(when));
  const marks = (report.phases ?? [])
    .filter((phase) => phase.phase > 0 && phase.first)
    .map((phase) => ({ at: seconds(phase.first), text: `phase ${phase.phase}` }));
  return [rate(report, look, at, route.query.rate ?? ""), liftFigure(report, look, at), split(report, look, at)]
    .filter(Boolean)
    .map((figure) => ({ ...figure, days, marks }));
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
  day: [
    "Per day",
    "The visitors first seen on each day, by what they have done until now, with a band for each day by itself.",
  ],
  ctr: ["CTR per day", "Clicks out of impressions, of the visitors first seen on each day."],
};

function rate(report, look, at, mode) {
  const [, note] = RATES[mode] ?? RATES[""];
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => point?.variants.find((row) => row.variant === variant));
    const base = { label: variant, ...look[variant] };
    if (mode === "day")
      return {
        ...base,
        values: rows.map((row) => row?.rate ?? null),
        band: rows.map((row) => row?.rate_sequence ?? null),
      };
    if (mode === "ctr")
      return { ...base, values: rows.map((row) => (row?.impressions > 0 ? row.clicks / row.impressions : null)) };
    const band = rows.map((row) => row?.cumulative.rate_sequence ?? null);
    return { ...base, values: rows.map((row) => row?.cumulative?.rate ?? null), band };
  });
  const goal = report.goal === "click" ? "click" : report.goal;
  return {
    id: "rate",
    title: mode === "ctr" ? "CTR over time" : `Rate of ${goal} over time`,
    note,
    lines,
    how: share,
    ticks: "percent",
    view: view(lines, 0, 1),
    modes: Object.entries(RATES).map(([key, [label]]) => [key, label]),
    mode,
  };
}

function liftFigure(report, look, at) {
  if (!report.comparisons.length) return null;
  const lines = report.comparisons.map(({ variant }) => {
    const rows = at.map((point) => point?.comparisons.find((c) => c.variant === variant));
    return {
      label: variant,
      ...look[variant],
      values: rows.map((row) => row?.lift ?? null),
      band: rows.map((row) => row?.lift_interval ?? null),
    };
  });
  const note = "Narrows as visitors come. While the band includes 0, it may be chance.";
  return {
    id: "lift",
    title: `Lift over ${report.comparisons[0].control}`,
    note,
    lines,
    how: lift,
    ticks: "signed",
    view: view(lines, -1, Math.max(1, 4 * Math.max(...report.comparisons.map((c) => Math.abs(c.lift ?? 0))))),
  };
}

/** How far the axis goes, within what is possible: the bands of the first days would hide all that follows. */
function view(lines, least, most, within = least === -1 ? 0 : null) {
  const bands = lines.flatMap(({ band = [] }) =>
    band
      .filter(Boolean)
      .slice(-Math.ceil((band.length * 2) / 3))
      .flat(),
  );
  const found = [...bands, ...lines.flatMap(({ values, expected = [] }) => [...values, ...expected])].filter(
    Number.isFinite,
  );
  if (within !== null) found.push(within);
  const [low, high] = [Math.min(...found), Math.max(...found)];
  if (!found.length || low === high) return [Math.max(least, (low || 0) - 0.1), Math.min(most, (high || 0) + 0.1)];
  const pad = (high - low) * 0.08;
  return [Math.max(least, low - pad), Math.min(most, high + pad)];
}

function split(report, look, at) {
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => point?.variants.find((row) => row.variant === variant));
    return {
      label: variant,
      ...look[variant],
      values: rows.map((row) => row?.visitors ?? null),
      expected: rows.map((row) => row?.expected ?? null),
    };
  });
  const known = lines.some((line) => line.expected.some((value) => value !== null));
  const note = known
    ? "New visitors of each day; thin lines: as the split would have it."
    : "New visitors of each day.";
  return {
    id: "split",
    title: "Visitors per day",
    note,
    lines,
    how: whole,
    ticks: "count",
    view: view(lines, 0, Infinity, 0),
  };
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
