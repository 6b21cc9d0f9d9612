// What the charts show, as plain numbers: the drawing and the table under it both come from here. Days are UTC.

import { day, interval, lift, longDay, NOTHING, share, whole } from "../ui/format.js";
import { estimate, isRate, title, written } from "../ui/metric.js";
import { highlighted } from "./highlight.js";

const DAY = 86_400; // seconds

/**
 * @typedef {object} Line one variant: its values by day, and the band or the expected values that go with them
 * @property {string} label
 * @property {string} hue
 * @property {number[]} dash
 * @property {boolean} faded drawn thin and grey, because others are highlighted
 * @property {(number | null)[]} values
 * @property {(any[] | null)[]} [band]
 * @property {(number | null)[]} [expected]
 *
 * @typedef {object} Figure
 * @property {string} id
 * @property {string} title
 * @property {string} note
 * @property {Line[]} lines
 * @property {(value: any) => string} write
 * @property {string} ticks
 * @property {number[]} view
 * @property {number[]} days epoch seconds
 * @property {{at: number, text: string}[]} marks
 * @property {string[][]} [modes]
 * @property {string} [mode]
 */

/** Every figure of a report. A day without visitors is null: a gap.
 *  @returns {Figure[]} */
export function figures(report, look, route) {
  const days = calendar(report.series);
  if (!days.length) return [];
  const points = new Map(report.series.map((point) => [seconds(point.at), point]));
  const at = days.map((when) => points.get(when));
  const marks = (report.phases ?? [])
    .filter((phase) => phase.phase > 0 && phase.first)
    .map((phase) => ({ at: seconds(phase.first), text: `phase ${phase.phase}` }));
  const shown = new Set(highlighted(report, route));
  const base = (variant) => ({ label: variant, ...look[variant], faded: !shown.has(variant) });
  return [
    estimateFigure(report, base, at, route.query.rate ?? ""),
    liftFigure(report, base, at),
    splitFigure(report, base, at),
  ]
    .filter((figure) => figure !== null)
    .map((figure) => ({ ...figure, days, marks }));
}

const seconds = (at) => Date.parse(at) / 1000;

/** Every day from the first to the last, so that missing days show as gaps. */
function calendar(series) {
  if (!series.length) return [];
  const [first, last] = [seconds(series[0].at), seconds(series.at(-1).at)];
  return Array.from({ length: Math.round((last - first) / DAY) + 1 }, (_, n) => first + n * DAY);
}

const rowOf = (point, variant) => point?.variants.find((row) => row.variant === variant);

const RATES = {
  "": ["So far", "All visitors up to each day. The band is valid however often you look."],
  day: [
    "Per day",
    "Visitors first seen on each day, by what they have done until now. Each band is for its day alone.",
  ],
  ctr: ["CTR per day", "Clicks out of impressions, of the visitors first seen on each day."],
};

function estimateFigure(report, base, at, mode) {
  const { metric } = report;
  const band = isRate(metric) ? "rate_sequence" : "mean_sequence";
  const [, note] = RATES[mode] ?? RATES[""];
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => rowOf(point, variant));
    if (mode === "ctr")
      return {
        ...base(variant),
        values: rows.map((row) => (row?.impressions > 0 ? row.clicks / row.impressions : null)),
      };
    const source = mode === "day" ? rows : rows.map((row) => row?.cumulative);
    return {
      ...base(variant),
      values: source.map((row) => estimate(metric, row) ?? null),
      band: source.map((row) => row?.[band] ?? null),
    };
  });
  const percents = mode === "ctr" || isRate(metric);
  return {
    id: "rate",
    title: mode === "ctr" ? "CTR over time" : `${title(metric)} over time`,
    note,
    lines,
    write: percents ? share : (value) => written(metric, value),
    ticks: percents ? "percent" : "amount",
    view: percents ? view(lines, 0, 1) : view(lines, -Infinity, Infinity),
    modes: Object.entries(RATES).map(([key, [label]]) => [key, label]),
    mode,
  };
}

function liftFigure(report, base, at) {
  if (!report.comparisons.length) return null;
  const lines = report.comparisons.map(({ variant }) => {
    const rows = at.map((point) => point?.comparisons.find((c) => c.variant === variant));
    return {
      ...base(variant),
      values: rows.map((row) => row?.lift ?? null),
      band: rows.map((row) => row?.lift_interval ?? null),
    };
  });
  return {
    id: "lift",
    title: `Lift over ${report.comparisons[0].control}`,
    note: "The band narrows as visitors come. While it includes 0, the difference may be chance.",
    lines,
    write: lift,
    ticks: "signed",
    view: view(lines, -1, Math.max(1, 4 * Math.max(...report.comparisons.map((c) => Math.abs(c.lift ?? 0))))),
  };
}

function splitFigure(report, base, at) {
  const lines = report.variants.map(({ variant }) => {
    const rows = at.map((point) => rowOf(point, variant));
    return {
      ...base(variant),
      values: rows.map((row) => row?.visitors ?? null),
      expected: rows.map((row) => row?.expected ?? null),
    };
  });
  const known = lines.some((line) => line.expected.some((value) => value !== null));
  return {
    id: "split",
    title: "Visitors per day",
    note: known
      ? "New visitors of each day. Thin lines: what the configured split would give."
      : "New visitors of each day.",
    lines,
    write: whole,
    ticks: "count",
    view: view(lines, 0, Infinity, 0),
  };
}

/** How far the axis goes, within what is possible: the bands of the first days would hide all that follows. */
function view(lines, least, most, within = least === -1 ? 0 : null) {
  const visible = lines.filter((line) => !line.faded);
  const bands = visible.flatMap(({ band = [] }) =>
    band
      .filter(Boolean)
      .slice(-Math.ceil((band.length * 2) / 3))
      .flat(),
  );
  const values = lines.flatMap((line) => line.values).concat(visible.flatMap((line) => line.expected ?? []));
  const all = [...bands, ...values].filter(Number.isFinite);
  if (within !== null) all.push(within);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  if (!all.length || low === high) return [Math.max(least, (low || 0) - 0.1), Math.min(most, (high || 0) + 0.1)];
  const pad = (high - low) * 0.08;
  return [Math.max(least, low - pad), Math.min(most, high + pad)];
}

/** The value of a line on one day: "12.3 % (10 % to 15 %)". */
export function valueText(figure, line, index) {
  const value = figure.write(line.values[index]);
  const band = line.band?.[index];
  if (band) return `${value} (${interval(band, figure.write)})`;
  const expected = line.expected?.[index];
  return expected === null || expected === undefined ? value : `${value} (${whole(expected)} expected)`;
}

/** All highlighted values of one day, for screen readers. */
export function reading(figure, index) {
  const lines = figure.lines
    .filter((line) => !line.faded)
    .map((line) => `${line.label} ${valueText(figure, line, index)}`);
  return `${longDay(figure.days[index] * 1000)} UTC: ${lines.join("; ")}`;
}

export const dayOf = (figure, index) => (index === null ? NOTHING : day(figure.days[index] * 1000));
