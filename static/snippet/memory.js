import { query, safe } from "./guard.js";

/** localStorage, or an object of this page's where that is blocked or full. Every key of ours begins with `ab`. */
export let store = {};
export const open = safe(() => (store = localStorage || store));
export const put = (key, value) => {
  try {
    store[key] = value;
  } catch {
    (store = { ...store })[key] = value; // full, or Safari's private mode: the rest of this page goes without
  }
};

/** Random, 19 or so characters. Not randomUUID: that is undefined on an insecure origin. */
export const random = () =>
  [...crypto.getRandomValues(new Uint32Array(3))].map((n) => n.toString(36)).join("");

const cookie = (name) => safe(() => RegExp("(?:^|; )" + name + "=([\\w.:~-]*)").exec(document.cookie)?.[1])();
const bake = (text) => safe(() => (document.cookie = text + ";path=/;samesite=lax;secure" + COOKIE_DOMAIN))();

/** Who this is, and what was chosen before: `<visitor>~<experiment>.<phase>.<variant>~…` in cookie and store. */
export let visitor;
let chosenHere = [];
const stored = () => (cookie("ab") || store.ab || "").split("~");

export const identify = (own) => {
  visitor = own || stored()[0] || random();
};

/** Earlier choices, as [experiment, phase, variant]. */
export const choices = () => (stored()[0] == visitor ? stored().map((choice) => choice.split(".")) : []);

export const remember = (...choice) => {
  chosenHere.push(choice.join("."));
  save();
};

// Reads anew what is there, for other tabs and the API write it as well; writes only what differs, because a cookie that
// a script wrote lives 7 days in Safari, and the one the API renewed a year.
export const save = () => {
  const before = stored();
  const kept = before[0] == visitor ? before : [visitor];
  const text = [...new Set([...kept, ...chosenHere])].join("~");
  if (text != cookie("ab")) bake("ab=" + text + ";max-age=31536000");
  put("ab", text);
};

/** The variant that a tester asked for: `?ab_<key>=<variant>`, GrowthBook's `?<key>=<index>`, or either earlier in
    this browser session. An empty `?ab_<key>=` ends it. */
export const forced = (key, variants) => {
  const name = "ab_" + key;
  const asked = query.get(name);
  const found = variants.find((variant, i) => variant[0] == (asked ?? cookie(name)) || i + "" == query.get(key));
  if (found || asked != null) bake(name + "=" + (found ? found[0] : ""));
  return found;
};
