import { listen, moment, safe } from "./core/guard.js";
import { last, live, newView } from "./core/state.js";
import { answered, noted } from "./tester/overrides.js";
import { agreed, put, random, remember, script, store, visitor, waiting, wipe } from "./core/storage.js";

// Each event is an entry of its own, `abacus:<time><random>,<visitor>`, until an answer confirms it: tabs do not
// overwrite each other's, and a retry is the same event.
// abacus_w: the time before which nobody sends: while a tab is at it, after a failure, and as long as the service asked.
// abacus_t: minutes that this clock is behind the service's. abacus_n: events dropped because there were too many.
let busy;
let timer;
let tries = 0;

const hold = (ms) => put("abacus_w", Date.now() + ms);

export const later = (ms) => {
  timer ||= setTimeout(
    safe(() => {
      timer = 0;
      // The lock is held for a moment: a page that leaves with one does not come back from the back/forward cache.
      navigator.onLine && (navigator.locks?.request("abacus", send).catch(send) || send());
    }),
    ms,
  );
};

/** Taken back: what is on its way is called back, and its answer, which may renew the cookie, forgotten. */
export const stop = () => {
  busy?.abort?.();
  wipe();
};

/** Sends the oldest events of one visitor: by fetch, or, where `leaving` is 1, by beacon. */
const send = safe((leaving) => {
  const keys = waiting();
  if (DEBUG && !keys[0]) return;
  const visitor = keys[0].split(",")[1]; // where none waits this throws, and that is the end of it
  const batch = keys.filter((key) => key.split(",")[1] == visitor);
  const settle = safe((answer) => {
    busy = 0;
    if (CONSENT && !agreed()) return wipe();
    if (DEBUG) answered(answer, batch);
    // Taken; or refused for good, as is an id that the service takes for none: it must not hold up what comes after.
    const ms = /202|400/.test(answer.status)
      ? (batch.map((key) => delete store[key]),
        put("abacus_t", ((Date.parse(answer.headers.get("date")) - Date.now()) / 6e4) | 0),
        (tries = 0))
      : 1e3 * (+answer.headers?.get("retry-after") || Math.random() * 2 ** (tries++ % 9));
    hold(ms);
    later(ms);
  });
  const body = JSON.stringify({
    visitor,
    bot: navigator.webdriver,
    events: batch.map(safe((key) => JSON.parse(store[key]))),
  });
  if (leaving > 0 && busy) hold(0);
  const ms = store.abacus_w - Date.now();
  // More than a day is no wait, but a clock that was put back.
  if (ms > 0 && ms < 9e7) busy || later(ms);
  else if (leaving > 0)
    // A beacon's answer could renew the cookie of who has taken consent back by then.
    CONSENT
      ? fetch(new URL(EVENTS, script.src), { method: "POST", body, keepalive: 1, credentials: "omit" }).catch(() => {})
      : navigator.sendBeacon(new URL(EVENTS, script.src), body);
  else {
    hold(6e4);
    busy = CONSENT ? new AbortController() : 1;
    fetch(new URL(EVENTS, script.src), {
      method: "POST",
      body,
      // What keepalive has begun cannot be called back, and its answer would renew the cookie of who took consent back.
      ...(CONSENT ? { signal: busy.signal } : { keepalive: 1 }),
      ...(COOKIE_DOMAIN ? { credentials: "include" } : {}),
    }).then(settle, settle);
  }
});

export const track = (type, key, goal) => {
  const at = Date.now() + 6e4 * ~~store.abacus_t;
  const what = type + key + goal + location.pathname;
  const id = at.toString(36) + random();
  if (DEBUG) noted(type, key, goal);
  // A label clicks its field too, and a double click is one decision: within half a second, whatever the clock does.
  if ((CONSENT && !agreed()) || !live[key] || (last[what] - at) ** 2 < 3e5) return;
  last[what] = at;
  put("abacus:" + id + "," + visitor, JSON.stringify({ id, type, goal, ...live[key], at }));
  waiting()
    .slice(0, -100) // as many as the service takes in a request
    .map((old) => {
      delete store[old];
      put("abacus_n", -~store.abacus_n);
    });
  later(1e3);
};

listen("pagehide", () => {
  moment(newView); // a page that comes back from the back/forward cache is seen anew
  send(1);
  remember("");
});
