import { safe } from "./guard.js";

const cookie = safe(() => document.cookie.split("abacus=")[1].split(";")[0]);

/** Where consent is asked for, who has an id has given it: nothing else is kept. */
export let granted = CONSENT && !(GPC && navigator.globalPrivacyControl) && (!ASK || !!cookie());

/** localStorage, or an object of this page's own where that is blocked. Our keys begin with `abacus`. */
export let store = (CONSENT && !granted ? 0 : safe(() => localStorage)()) || {};
export const put = (key, value) => {
  try {
    store[key] = value;
  } catch {
    // Full, or Safari's private mode: the rest of this page goes without.
    (store = { ...store })[key] = value;
  }
};

/** The keys of the events that no answer has confirmed, the oldest first. */
export const waiting = () =>
  Object.keys(store)
    .filter((key) => key.split("abacus:")[1])
    .sort();

// localStorage first, which no late answer overwrites with what was older; but other subdomains know the cookie alone.
const raw = () => (COOKIE_DOMAIN ? cookie() || store.abacus : store.abacus || cookie()) || "";

let kept;
/** Consent stands. It may have been taken back in another tab, or on another page before this one came back from the
    back/forward cache: then what this page has kept is gone. */
export const agreed = () => granted && (!kept || !!store.abacus);

/** `<visitor>~` and, of each experiment seen, `<experiment>.<variant>.<phase>~`. */
export const record = () => (raw().split("~")[0] == visitor ? raw() : visitor + "~");

// No secret: an id only has to differ from others, which 52 bits of each engine's own entropy do (twice for a visitor).
// randomUUID is undefined on an insecure origin, and getRandomValues costs 24 bytes more.
export const random = () => Math.random().toString(36);

export const script = SCRIPT;
/** Who this is: the site's own id, the one kept, or a new one. */
export let visitor = script.dataset.visitor || raw().split("~")[0] || random() + random();

// Reads anew, because other tabs and the API write it too. Writes only what differs, because a cookie lives 7 days in
// Safari when a script wrote it, and a year when the API renewed it. (That one is SameSite=Lax; here it costs 9 bytes.)
export const remember = safe((choice) => {
  if (CONSENT && !agreed()) return;
  if (CONSENT) kept = 1;
  // The newest first: it is the one that counts.
  const text = record().replace("~" + choice, "~").replace("~", "~" + choice);
  put("abacus", text);
  if (text != cookie()) document.cookie = "abacus=" + text + ";path=/;max-age=33333333;secure" + COOKIE_DOMAIN;
});

/** The visitor agreed. */
export const grant = () => {
  granted = true;
  kept = 0;
  store = safe(() => localStorage)() || store;
  visitor = script.dataset.visitor || raw().split("~")[0] || random() + random();
};

/** The visitor took it back: nothing stays, and a new agreement is a new visitor. */
export const wipe = () => {
  granted = false;
  for (const key of Object.keys(store)) if (key.startsWith("abacus")) delete store[key];
  store = {};
  document.cookie = "abacus=;path=/;max-age=0;secure" + COOKIE_DOMAIN;
};
