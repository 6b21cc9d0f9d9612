import { listen, safe, wait } from "./guard.js";
import { shown } from "./assign.js";
import { put, random, save, store, visitor } from "./memory.js";

// Every event is an entry of its own in the store, `ab:<time and random>,<visitor>`, until an answer confirms it: tabs
// do not overwrite each other's, and a retry is the same event. `ab_wait` is the time before which nobody sends: while
// a tab is sending, and as long as the service asked for.
let url, timer, tries = 0;
let flying = []; // on their way from this page
const last = {};
const LIMIT = 200;

export const listeners = [];
export const tell = (detail) => {
  listeners.map((f) => setTimeout(f, 0, detail));
};

export const track = (type, experiment, goal) => {
  const { variant_: variant, phase_: phase, live_ } = shown[experiment] || {};
  const at = Date.now() + (store.ab_clock | 0);
  const what = type + experiment + goal;
  // A label clicks its field as well, and a double click is one decision.
  if (!live_ || at - last[what] < 500) return;
  last[what] = at;
  const id = at.toString(36) + random();
  put("ab:" + id + "," + visitor, JSON.stringify({ id, type, goal, experiment, variant, phase, at }));
  for (const key of waiting().slice(0, -LIMIT)) {
    delete store[key];
    put("ab_dropped", -~store.ab_dropped);
  }
  later(1e3);
};

const waiting = () => Object.keys(store).filter((key) => key.startsWith("ab:")).sort();

// The oldest ones, of one visitor, as many as a request holds.
const batch = () => {
  const keys = waiting();
  const whose = (key) => key.split(",")[1];
  return keys.filter((key) => whose(key) == whose(keys[0])).slice(0, 100);
};
const body = (keys) =>
  '{"visitor":"' + keys[0].split(",")[1] + (navigator.webdriver ? '","bot":true' : '"') +
  ',"events":[' + keys.map((key) => store[key]) + "]}";

const patience = () => {
  const ms = store.ab_wait - Date.now();
  return ms < 36e5 ? Math.max(ms, 0) : 0; // more than an hour: a clock was changed
};

export const later = (ms) => {
  timer ||= wait(ms + Math.random() * 500, flush);
};

const flush = () => {
  timer = 0;
  if (!waiting()[0] || navigator.onLine === false) return;
  // The lock is held for a moment only: a page that leaves with one does not come back from the back/forward cache.
  navigator.locks ? navigator.locks.request("ab", send).catch(send) : send();
};

const send = safe(() => {
  const keys = batch();
  if (patience()) return later(patience());
  if (!keys[0]) return;
  put("ab_wait", Date.now() + 3e4);
  flying = keys;
  fetch(url, { method: "POST", body: body(keys), keepalive: true })
    .then((answer) => {
      if (answer.status != 202) throw answer;
      for (const key of keys) delete store[key];
      const off = Date.parse(answer.headers.get("date")) - Date.now();
      put("ab_clock", Math.abs(off) > 6e4 ? off : 0);
      put("ab_wait", 0);
      tries = 0;
      flying = [];
      save();
      flush();
    })
    .catch(
      safe((answer) => {
        const asked = answer.headers?.get("retry-after");
        flying = [];
        put("ab_wait", Date.now() + (asked * 1e3 || Date.parse(asked) - Date.now() || Math.random() * 1e3 * 2 ** tries));
        tries++ < 8 && later(patience());
      }),
    );
});

export const leave = () => {
  save();
  if (flying[0]) put("ab_wait", 0);
  const keys = batch().filter((key) => !flying.includes(key));
  if (keys[0] && !patience() && navigator.sendBeacon(url, body(keys))) flying = flying.concat(keys);
};

export const deliver = (to) => {
  url = to;
  listen(window, "pagehide", leave);
  listen(window, "online", () => {
    timer = 0;
    later(0);
  });
  listen(document, "visibilitychange", () => document.visibilityState == "hidden" && !flying[0] && flush());
};
export const revive = () => {
  flying = [];
  later(0);
};
