import { safe } from "./guard.js";
import { script } from "./script.js";

export const readCookies = safe(() => document.cookie);
// Before the first paint cookies are read this once: each reading costs a round trip between processes.
export const cookies = readCookies();
// Not by a regular expression: the first one in a process costs 0.1 ms.
export const stored = EAGER((text) => text?.split("abacus=")[1]?.split(";")[0]);

// No secret: an id only has to differ from others, which 52 bits of each engine's own entropy do (twice for a visitor).
// randomUUID is undefined on an insecure origin, and getRandomValues costs 24 bytes more.
export const random = () => Math.random().toString(36);

/** id: the visitor, by the site's own id, the stored one or a new one. record: `<visitor>~` and, of each experiment
    seen, `<experiment>.<variant>.<phase>~`, the newest first. granted: where consent is required, a visitor who has
    an id has given it; nothing else is stored. apart: takes no part, and sees the control. store: localStorage, or an
    object of this page where that is blocked. */
export const me = {};
if (CONSENT) me.granted = !(GPC && navigator.globalPrivacyControl) && (!ASK || !!stored(cookies));

/** localStorage, opened when it is first needed, for that costs a round trip too. */
export const open = () => (me.store ||= (CONSENT && !me.granted ? 0 : safe(() => localStorage)()) || {});

export const identify = EAGER((record = "") => {
  me.id = script.dataset.visitor || record.split("~")[0] || random() + random();
  me.record = record.startsWith(me.id + "~") ? record : me.id + "~";
});
// localStorage would cost as much as all the rest, so that only count.js looks there for a visitor without a cookie.
// Where reading cookies throws we look at once, and in a frame: there browsers drop another site's cookies silently.
// navigator.cookieEnabled does not tell that, and costs a round trip.
identify(stored(cookies) || (cookies == null || top != self ? open().abacus : ""));
