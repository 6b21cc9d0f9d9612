// How many visitors it takes to find a lift. The same formula as chalicelib/analysis/duration/needed.py (needed);
// tests/fixtures/planning.json holds both to the same numbers.

const ALPHA = 0.05;
const Z_POWER = 0.8416212335729143; // the normal quantile of 80 %
const TAUS = [0.02, 0.06, 0.2, 0.6]; // chalicelib/statistics/__init__.py

/** Visitors in each variant of an even split, looking as often as you like, to find `lift` over `rate` with a
 *  probability of 80 %, in either direction; null where there is no such lift. Rates and lifts are fractions.
 *  @param {number} rate
 *  @param {number} lift
 *  @param {number} variants
 *  @returns {number | null} */
export function visitorsPerVariant(rate, lift, variants) {
  const exists = (x) => rate > 0 && rate < 1 && rate * (1 + x) > 0 && rate * (1 + x) < 1 && x !== 0;
  if (!exists(lift) || !(variants > 1)) return null;
  const lifts = [lift, -Math.abs(lift)].filter(exists);
  return Math.ceil(Math.max(...lifts.map((x) => visitors(rate, rate * (1 + x), ALPHA / (variants - 1)))));
}

/** Control visitors for the sequential test to tell `rate` from `other`: bisection on their logarithm. */
function visitors(rate, other, alpha) {
  const mean = (rate + other) / 2;
  const spread = Math.sqrt(2 * mean * (1 - mean));
  const real = Math.sqrt(rate * (1 - rate) + other * (1 - other));
  const missing = (n) =>
    criticalScore((mean * (1 - mean) * n) / 2, alpha) * spread + Z_POWER * real - Math.abs(other - rate) * Math.sqrt(n);
  return bisect((ln) => missing(Math.exp(ln)), -5, 45);
}

/** The score at which the mean of the e-values over TAUS reaches 1/alpha: bisection on its logarithm. */
function criticalScore(info, alpha) {
  const evidence = (z) => {
    const terms = TAUS.map((tau) => {
      const r = tau * tau * info;
      return (z * z * r) / (2 * (1 + r)) - Math.log1p(r) / 2;
    });
    const largest = Math.max(...terms);
    return largest + Math.log(terms.reduce((sum, x) => sum + Math.exp(x - largest), 0) / TAUS.length);
  };
  return bisect((ln) => Math.log(1 / alpha) - evidence(Math.exp(ln)), -2, 30);
}

/** e to the power of where a falling function crosses zero. */
function bisect(f, low, high) {
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
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
