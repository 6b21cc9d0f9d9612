// What counts: impressions, clicks and goals, and that they arrive.
import { listen, means, moment, safe } from "./core/guard.js";
import { calls, live, off, page } from "./core/state.js";
import { agreed, grant, remember } from "./core/storage.js";
import { identify, open as openStorage, stored, cookies } from "./core/visitor.js";
import { choose } from "./assign.js";
import { later, send, stop, track } from "./outbox.js";
import { ask, expose } from "./exposure.js";
import { scan } from "./markup.js";
import { again } from "./start.js";
import { open } from "./tester/panel.js";
import { visit } from "./targeting/segments.js";

// A value goes to the experiments whose goal carries values; the others count the goal alone.
const valued = (name, value) =>
  GOALS[name]?.map((key) => track("goal", key, name, VALUED.includes(key + ":" + name) ? value : null));
const goal = VALUES ? valued : (name) => GOALS[name]?.map((key) => track("goal", key, name));

const act = (event, path) => {
  if (event.button > 1) return; // the middle button opens a link, the right one does not
  const submit = event.type == "submit";
  path.map((element) =>
    means(element, "click:", (key) => {
      if (!submit) {
        expose(key); // a visitor who clicks it has seen it
        if (!URLS || !(off[key] > 1)) track("click", key);
      }
      // A form that a validator stops is not submitted; the page's own listeners run before this timer.
      if (!element.submit != submit)
        setTimeout(
          () =>
            (submit && event.defaultPrevented) ||
            goal(key.split("goal:")[1], VALUES && element.getAttribute("data-ab-value")),
        );
    }),
  );
};

/** Observes all elements again, so that each counts on the page view that begins. */
const look = () => {
  page.observer.disconnect();
  scan();
};
/** Looks at once, so that what is in view counts after one moment. Storage waits: it costs round trips between
    processes, which the first paint need not wait for. What waits there is sent together with what counts now. */
const settle = () => {
  look();
  moment(() => {
    remember();
    later(1e3);
  });
};

const consent = (given) => {
  if (given && (agreed() || (GPC && navigator.globalPrivacyControl))) return;
  given ? grant() : stop();
  again();
  settle();
};

page.href = location.href;
page.path = location.pathname;
page.last = {};
/** A change of route: what changes it draws, and drawing calls this. */
page.onChange = () => {
  if (page.href == (page.href = location.href)) return;
  if (page.path != (page.path = location.pathname)) page.last = {};
  if (URLS) again();
  look();
};
if (URLS) self.navigation?.addEventListener("currententrychange", safe(page.onChange));

const redirect = (key, to) => {
  expose(key);
  if (to) location.replace(to);
};

// The cookie was lost, but localStorage knows the visitor. What is on show stays, and counts where this visitor has it
// too.
if (!stored(cookies) && openStorage().abacus) {
  identify(openStorage().abacus);
  EXPERIMENTS.map((row) => {
    const [name, phase] = choose(row);
    if (name && live[row[0]]?.variant == name) live[row[0]].phase = phase;
    else live[row[0]] = 0;
  });
}

const handlers = [ask, goal, act, CONSENT && consent, REDIRECTS && redirect];
page.call = safe(([handler, ...args]) => handlers[handler](...args));
calls.map(page.call);

const leave = () => {
  remember();
  send(1);
};
// A phone that kills a hidden page tells no more than that it is hidden.
listen("visibilitychange", () => document.hidden && leave());
listen("pagehide", () => {
  moment(() => (page.last = {})); // a page that comes back from the back/forward cache is seen again
  leave();
});
listen("pageshow online", settle);
if (SEGMENTS && (!CONSENT || agreed())) visit();
settle();
if (DEBUG) open();
