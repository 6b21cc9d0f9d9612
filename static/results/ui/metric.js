// What the variants are compared by: a rate, or a mean of values or events per visitor.

import { decimal, known, NOTHING, share } from "./format.js";

/** @typedef {{name: string, kind: string, goal: string, unit: string | null, decimals: number}} Metric */

export const isRate = (metric) => metric.kind === "rate";

/** "EUR per visitor", "purchase events per visitor"; of a rate "rate".
 *  @param {Metric} metric */
export const subject = ({ kind, unit, goal }) => (kind === "rate" ? "rate" : `${unit ?? `${goal} events`} per visitor`);

/** "Rate of signup", "purchase: EUR per visitor".
 *  @param {Metric} metric */
export const title = (metric) => (isRate(metric) ? `Rate of ${metric.goal}` : `${metric.goal}: ${subject(metric)}`);

/** A number of this metric: "4.2 %", "1.24 EUR", "0.07".
 *  @param {Metric} metric */
export function written(metric, value) {
  if (isRate(metric)) return share(value);
  if (!known(value)) return NOTHING;
  const digits = Math.max(2, metric.decimals);
  const number = decimal(value, digits, digits);
  return metric.unit ? `${number} ${metric.unit}` : number;
}

/** The estimate of a row of `variants`, `metrics` or a day. */
export const estimate = (metric, row) => (isRate(metric) ? row?.rate : row?.mean);

/** Rates and means of a report as one list, the primary one first, each with what `written` needs. */
export const allMetrics = ({ metrics = [], means = [] }) =>
  [...metrics.map((rate) => ({ unit: null, decimals: 0, ...rate })), ...means].sort(
    (a, b) => Number(b.primary) - Number(a.primary),
  );
