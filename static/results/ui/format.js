// Numbers and times as the reader's own language writes them; everything about days is UTC, and says so where it stands.

// Chromium under LANG=C calls its language "en-US@posix", which Intl refuses.
const language = () => globalThis.navigator?.language?.split("@")[0] || "en";
export const NOTHING = "–";

const made = new Map();
function format(options) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(language(), options));
  return made.get(key);
}

const known = (value) => typeof value === "number" && Number.isFinite(value);
const minus = (text) => text.replace("-", "−");

export const whole = (n) => (known(n) ? minus(format({ maximumFractionDigits: 0 }).format(n)) : NOTHING);

/** A rate or a probability: 12.3 %, 4.56 %, never 100 % for what is less. */
export function share(value) {
  if (!known(value)) return NOTHING;
  const digits = Math.abs(value) < 0.1 && value !== 0 ? 2 : 1;
  return percent(value, digits);
}

/** A probability, which is never certain. */
export function chance(value) {
  if (!known(value)) return NOTHING;
  if (value > 0.9995) return `> ${percent(0.999, 1)}`;
  if (value < 0.0005) return `< ${percent(0.001, 1)}`;
  return percent(value, 1);
}

/** A lift, always with its sign. Above tenfold, digits say nothing. */
export function lift(value) {
  if (!known(value)) return NOTHING;
  const digits = Math.abs(value) < 0.0995 ? 1 : 0;
  const options = {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "exceptZero",
  };
  return minus(format(options).format(value));
}

export const percent = (value, digits = 0) =>
  minus(format({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));

export const short = (n) => (known(n) ? format({ notation: "compact", maximumFractionDigits: 1 }).format(n) : NOTHING);

export const decimal = (n, digits = 2) =>
  known(n) ? minus(format({ maximumFractionDigits: digits }).format(n)) : NOTHING;

/** A p-value: four decimals, or how small it is at most. */
export function pValue(p) {
  if (!known(p)) return NOTHING;
  return p < 0.0001
    ? `< ${format({ maximumFractionDigits: 4 }).format(0.0001)}`
    : format({ maximumSignificantDigits: 2 }).format(p);
}

/** Dollars and cents; what is less than half a cent is said to be less than one. */
export function money(dollars) {
  if (!known(dollars)) return NOTHING;
  const written = format({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
  return dollars < 0.005 ? `< ${written.format(0.01)}` : written.format(dollars);
}

/** An interval whose end may be open: "+3 % to +18 %". */
export function interval(ends, how = lift) {
  if (!ends) return NOTHING;
  const [low, high] = ends;
  return `${known(low) ? how(low) : "−∞"} to ${known(high) ? how(high) : "∞"}`;
}

/** The numbers in a sentence of the server's, which writes English ones. What is part of a name stays. */
export const localised = (text) =>
  text.replace(
    /`[^`]*`|(?<![\w.,/:-])(-?)(\d[\d,]*)(\.\d+)?( %)?(?![\w/:-]|[.,]\d)/g,
    (all, sign, integer, fraction = "", mark) => {
      if (integer === undefined) return all;
      const digits = Math.max(0, fraction.length - 1);
      const value = Number(sign + integer.replaceAll(",", "") + fraction);
      if (mark) return percent(value / 100, digits);
      return integer.length > 3 && !integer.includes(",") ? all : decimal(value, digits);
    },
  );

const dates = new Map();
function date(options) {
  const key = JSON.stringify(options);
  if (!dates.has(key)) dates.set(key, new Intl.DateTimeFormat(language(), options));
  return dates.get(key);
}

/** "2026-11-21" or epoch milliseconds → 21 Nov. */
export const day = (at) => date({ timeZone: "UTC", day: "numeric", month: "short" }).format(new Date(at));
export const longDay = (at) =>
  date({ timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(new Date(at));

/** A moment of today, by the reader's own clock. */
export const clock = (at) => date({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));

export const count = (n, noun) => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;

/** Has the formatters made that the first screen needs, while the answer is on its way: on a slow phone that takes as long as drawing it. */
export function prepare() {
  for (const value of [0.5, 0.05]) for (const how of [whole, share, percent, lift]) how(value);
  for (const how of [day, longDay, clock]) how(0);
}
