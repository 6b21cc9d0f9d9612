// How many visitors it takes to find a lift. The same formula as chalicelib/statistics/power.py (anytime_sample_size);
// tests/fixtures/statistics/planning.json holds both to the same numbers.

const ALPHA = 0.05;
const Z_POWER = 0.8416212335729143; // the normal quantile of 80 %

/** Visitors in each variant of an even split, looking as often as you like, to find `lift` over `rate` with a
 *  probability of 80 %; null where there is no such lift. Rates and lifts are fractions.
 *  @param {number} rate
 *  @param {number} lift
 *  @param {number} variants
 *  @returns {number | null} */
export function visitorsPerVariant(rate, lift, variants) {
  const other = rate * (1 + lift);
  if (!(rate > 0 && rate < 1 && other > 0 && other < 1 && lift !== 0 && variants > 1)) return null;
  const logOdds = Math.log1p(lift) - Math.log((1 - other) / (1 - rate));
  const mean = (rate + other) / 2;
  return Math.ceil(information(logOdds, ALPHA / (variants - 1), Math.abs(lift)) / ((mean * (1 - mean)) / 2));
}

/** The information at which the sequential test finds `logOdds`: bisection on its logarithm. */
function information(logOdds, alpha, tau) {
  const missing = (info) => {
    const r = tau * tau * info;
    const bar = Math.sqrt(((1 + r) / r) * (Math.log1p(r) - 2 * Math.log(alpha)));
    return bar + Z_POWER - Math.abs(logOdds) * Math.sqrt(info);
  };
  let [low, high] = [-20, 60];
  for (let n = 0; n < 80; n++) {
    const middle = (low + high) / 2;
    if (missing(Math.exp(middle)) > 0) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

/** Days in whole weeks, at least one: weekdays differ. */
export const wholeWeeks = (days) => Math.max(1, Math.ceil(days / 7)) * 7;

/** New visitors per day over the last complete days of a series, at most seven; null without any.
 *  @param {{at: string, visitors: number}[] | null | undefined} series */
export function perDay(series) {
  const days = (series ?? []).slice(0, -1).slice(-7);
  return days.length ? days.reduce((sum, point) => sum + point.visitors, 0) / days.length : null;
}
