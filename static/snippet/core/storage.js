import { safe } from "./guard.js";
import { identify, me, open, readCookies, stored } from "./visitor.js";

// An insecure page may not set a secure cookie.
const SECURE = location.protocol > "http:" ? ";secure" : "";

// Our keys begin with `abacus`.
export const put = (key, value) => {
  try {
    open()[key] = value;
  } catch {
    // Full, or Safari's private mode: the rest of this page works in memory.
    (me.store = { ...me.store })[key] = value;
  }
};

/** The keys of the events that no answer has confirmed, the oldest first. */
export const waiting = () =>
  Object.keys(open())
    .filter((key) => key.split("abacus:")[1])
    .sort();

let persisted;
/** Consent stands. It may have been withdrawn in another tab, or on another page before this one came back from the
    back/forward cache: then what this page has stored is gone. */
export const agreed = () => me.granted && (!persisted || !!open().abacus);

/** experiment → `<variant>.<phase>`, of the impressions of this page. */
export const choices = { __proto__: null };

// Reads again, because other tabs and the API write it too. Writes only what differs, because a cookie lives 7 days in
// Safari when a script wrote it, and a year when the API renewed it. (That one is SameSite=Lax; here it costs 9 bytes.)
// localStorage first: a late answer may have overwritten the cookie with an older one.
export const remember = safe(() => {
  if (me.apart || (CONSENT && !agreed())) return;
  if (CONSENT) persisted = 1;
  const cookie = stored(readCookies());
  let text = [open().abacus, cookie].find((text) => text?.startsWith(me.id + "~")) || me.id + "~";
  for (const key in choices)
    if (text.split("~" + key + ".")[1]?.split("~")[0] != choices[key])
      text = text.replace("~", "~" + key + "." + choices[key] + "~");
  if (DEBUG) me.record = text;
  if (text != me.store.abacus) put("abacus", text);
  if (text != cookie) document.cookie = "abacus=" + text + ";path=/;max-age=33333333" + SECURE + COOKIE_DOMAIN;
});

/** The visitor gave consent. */
export const grant = () => {
  me.granted = true;
  persisted = me.store = 0;
  identify(stored(readCookies()) || open().abacus);
};

/** The visitor withdrew consent: everything of ours is deleted, and a new consent makes a new visitor. */
export const wipe = () => {
  const all = safe(() => localStorage)() || {};
  for (const key of Object.keys(all)) if (key.startsWith("abacus")) delete all[key];
  me.granted = false;
  me.store = {};
  for (const key in choices) delete choices[key];
  document.cookie = "abacus=;path=/;max-age=0" + SECURE + COOKIE_DOMAIN;
  if (COOKIE_DOMAIN) document.cookie = "abacus=;path=/;max-age=0";
  if (DEBUG) document.cookie = "abacus_qa=;path=/;max-age=0";
};
