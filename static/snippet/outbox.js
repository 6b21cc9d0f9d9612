import { safe } from "./core/guard.js";
import { resolve } from "./core/script.js";
import { live, page } from "./core/state.js";
import { answered, noted } from "./tester/overrides.js";
import { forgetVisit, segments } from "./targeting/segments.js";
import { agreed, put, remember, waiting, wipe } from "./core/storage.js";
import { me, open, random } from "./core/visitor.js";

// Each event is an entry of its own, `abacus:<time><random>,<visitor>`, until an answer confirms it: tabs do not
// overwrite each other's, and a retry is the same event.
// abacus_w: the time before which no tab sends: during a request, after a failure, and as long as the service asked.
// abacus_t: minutes that this clock is behind the service's. abacus_n: events dropped because there were too many.
let busy;
let timer;
let tries = 0;
/** The events that were sent last, so that leaving a page does not send them a second time. */
let sent;

// 0 where nothing holds it up: a clock that is put back later must not make a time of it.
const hold = (ms) => put("abacus_w", ms && Date.now() + ms);

/** Stores the visitor and sends what waits, `ms` from now. */
export const later = (ms) => {
  timer ||= setTimeout(
    safe(() => {
      timer = 0;
      remember();
      // The lock is held for a moment: a page that leaves with one does not come back from the back/forward cache.
      navigator.onLine && (navigator.locks?.request("abacus", send).catch(send) || send());
    }),
    ms,
  );
};

/** Consent was withdrawn: aborts the request under way, whose answer might renew the cookie. */
export const stop = () => {
  busy?.abort?.();
  wipe();
  if (SEGMENTS) forgetVisit();
};

/** The answer to a request, or what kept it from coming. */
const settle = (batch) =>
  safe((answer) => {
    busy = sent = 0;
    if (CONSENT && !agreed()) return wipe();
    if (DEBUG) answered(answer, batch);
    let ms;
    // Accepted; or refused for good: an id that the service does not take must not hold up what comes after it.
    if (/202|400/.test(answer.status)) {
      batch.map((key) => delete me.store[key]);
      put("abacus_t", ((Date.parse(answer.headers.get("date")) - Date.now()) / 6e4) | 0);
      ms = tries = 0;
    } else ms = 1e3 * (+answer.headers?.get("retry-after") || Math.random() * 2 ** (tries++ % 9));
    hold(ms);
    later(ms);
  });

const post = (body, options) => fetch(resolve(EVENTS), { method: "POST", body, ...options });

/** Sends the oldest events of one visitor: by fetch, or, where `leaving` is 1, by beacon. */
export const send = safe((leaving) => {
  const keys = waiting();
  if (DEBUG && !keys[0]) return;
  const who = keys[0].split(",")[1]; // throws where no event waits, which ends it
  const batch = keys.filter((key) => key.split(",")[1] == who);
  // Written by hand, for a page may have changed how JSON writes lists. An entry that is not ours is sent as 0.
  const events = batch.map((key) => (/}$/.test(me.store[key]) ? me.store[key] : 0));
  const body = `{"visitor":"${who}","bot":${!!navigator.webdriver},"events":[${events}]}`;
  if (leaving > 0 && busy) hold(0);
  const ms = me.store.abacus_w - Date.now();
  // More than a day is no wait, but a clock that was put back.
  if (ms > 0 && ms < 9e7) busy || later(ms);
  else if (leaving > 0) {
    if (sent != (sent = batch + ""))
      // A beacon's answer could renew the cookie of a visitor who has withdrawn consent by then.
      CONSENT
        ? post(body, { keepalive: 1, credentials: "omit" }).catch(() => {})
        : navigator.sendBeacon(resolve(EVENTS), body);
  } else {
    hold(6e4);
    busy = CONSENT ? new AbortController() : 1;
    const settled = settle(batch);
    post(body, {
      // What keepalive has begun cannot be aborted, and its answer would renew the cookie after consent was withdrawn.
      ...(CONSENT ? { signal: busy.signal } : { keepalive: 1 }),
      ...(COOKIE_DOMAIN ? { credentials: "include" } : {}),
    }).then(settled, settled);
  }
});

export const track = (type, key, goal, value) => {
  const at = Date.now() + 6e4 * ~~open().abacus_t;
  const what = type + key + goal + location.pathname;
  const id = at.toString(36) + random();
  if (DEBUG) noted(type, key, goal);
  // A label clicks its field too, and a double click is one decision: within half a second, whatever the clock does.
  if ((CONSENT && !agreed()) || !live[key] || (page.last[what] - at) ** 2 < 3e5) return;
  page.last[what] = at;
  const { variant, phase } = live[key];
  put(
    "abacus:" + id + "," + me.id,
    `{"id":"${id}","type":"${type}",${goal ? `"goal":"${goal}",` : ""}` +
      (VALUES && value != null ? `"value":${JSON.stringify(value)},` : "") +
      (SEGMENTS && type == "impression" && SEGMENTED[key] ? `"segments":${segments(key)},` : "") +
      `"experiment":"${key}",` +
      `"variant":"${variant}","phase":${phase},"at":${at}}`,
  );
  waiting()
    .slice(0, -100) // as many as the service takes in a request
    .map((old) => {
      delete me.store[old];
      put("abacus_n", -~me.store.abacus_n);
    });
  later(1e3);
};
