// Numbers and times in the reader's language. Days are UTC; the text around a day says so.

// Chromium under LANG=C calls its language "en-US@posix", which Intl refuses.
const language = () => globalThis.navigator?.language?.split("@")[0] || "en";
export const NOTHING = "–";

const numberFormats = new Map();

/** @param {Intl.NumberFormatOptions} options */
function format(options) {
  const key = JSON.stringify(options);
  if (!numberFormats.has(key)) numberFormats.set(key, new Intl.NumberFormat(language(), options));
  const numbers = numberFormats.get(key);
  return { format: (value) => isolated(minus(numbers.format(value))) };
}

export const known = (value) => typeof value === "number" && Number.isFinite(value);
const minus = (text) => text.replace("-", "−");

/** A number written from right to left, or with marks for it, would swap places with its neighbours in an English
 *  sentence: Unicode isolates keep it where it stands. */
export const isolated = (text) => (/[\u0590-\u08ff\u061c\u200e\u200f]/.test(text) ? `\u2068${text}\u2069` : text);

export const whole = (n) => (known(n) ? format({ maximumFractionDigits: 0 }).format(n) : NOTHING);

/** A rate or a probability: 12.3 %, 4.56 %. */
export function share(value) {
  if (!known(value)) return NOTHING;
  const digits = Math.abs(value) < 0.1 && value !== 0 ? 2 : 1;
  return percent(value, digits);
}

/** A probability, never shown as certain. */
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
  return format({
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "exceptZero",
  }).format(value);
}

export const percent = (value, digits = 0) =>
  format({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

export const short = (n) => (known(n) ? format({ notation: "compact", maximumFractionDigits: 1 }).format(n) : NOTHING);

/** With at most `digits` decimals, and at least `least`. */
export const decimal = (n, digits = 2, least = 0) =>
  known(n) ? format({ minimumFractionDigits: least, maximumFractionDigits: digits }).format(n) : NOTHING;

/** A p-value with two significant digits; a tiny one as an upper bound. */
export function pValue(p) {
  if (!known(p)) return NOTHING;
  return p < 0.0001
    ? `< ${format({ maximumFractionDigits: 4 }).format(0.0001)}`
    : format({ maximumSignificantDigits: 2 }).format(p);
}

/** Dollars and cents; less than half a cent is "less than one cent". */
export function money(dollars) {
  if (!known(dollars)) return NOTHING;
  const currency = format({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
  return dollars < 0.005 ? `< ${currency.format(0.01)}` : currency.format(dollars);
}

/** An interval whose end may be open: "+3 % to +18 %".
 *  @param {readonly (number | null)[] | null | undefined} ends
 *  @param {(value: any) => string} write how to write one end */
export function interval(ends, write = lift) {
  if (!ends) return NOTHING;
  const [low, high] = ends;
  return `${known(low) ? write(low) : "−∞"} to ${known(high) ? write(high) : "∞"}`;
}

const NUMBERS = /`[^`]*`|(?<![\w.,/:-])(-?)(\d[\d,]*)(\.\d+)?( %)?(?![\w/:-]|[.,]\d)/g;

/** An English sentence of the server with its numbers in the reader's format. Numbers inside names and code stay. */
export const localised = (text) =>
  text.replace(NUMBERS, (all, sign, integer, fraction = "", mark) => {
    if (integer === undefined) return all;
    const digits = Math.max(0, fraction.length - 1);
    const value = Number(sign + integer.replaceAll(",", "") + fraction);
    if (mark) return percent(value / 100, digits);
    return integer.length > 3 && !integer.includes(",") ? all : decimal(value, digits);
  });

const dateFormats = new Map();

/** @param {Intl.DateTimeFormatOptions} options */
function date(options) {
  const key = JSON.stringify(options);
  if (!dateFormats.has(key)) dateFormats.set(key, new Intl.DateTimeFormat(language(), options));
  const dates = dateFormats.get(key);
  return { format: (at) => isolated(dates.format(new Date(at))) };
}

/** "2026-11-21" or epoch milliseconds → 21 Nov. */
export const day = (at) => date({ timeZone: "UTC", day: "numeric", month: "short" }).format(at);
export const longDay = (at) =>
  date({ timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(at);

/** A moment as date and time in UTC. */
export const moment = (at) => date({ timeZone: "UTC", dateStyle: "medium", timeStyle: "short" }).format(at) + " UTC";

/** A time of today on the reader's clock, with its time zone. */
export const clock = (at) =>
  date({ hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).format(at);

/** How long ago a moment was: "12 seconds ago". */
export function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(at).getTime()) / 1000));
  const [n, unit] =
    seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return `${count(Math.round(n), unit)} ago`;
}

/** "3 days". The noun takes an s in the plural. */
export const count = (n, noun) => `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;

/** "from 5 Nov to 18 Nov" */
export const range = ({ from, to }) => [from && `from ${day(from)}`, to && `to ${day(to)}`].filter(Boolean).join(" ");

/** "a, b and c" */
export const listed = (words) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** Makes the formats of the first screen while the answer loads: a slow phone needs as long for it as for drawing. */
export function prepare() {
  for (const value of [0.5, 0.05]) for (const write of [whole, share, percent, lift]) write(value);
  for (const write of [day, longDay, clock]) write(0);
}
