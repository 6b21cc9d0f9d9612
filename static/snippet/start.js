import { listen, moment, safe } from "./core/guard.js";
import { assign } from "./assign.js";
import { off, payloads, shown } from "./core/state.js";
import { onRoute } from "./targeting/targeting.js";
import { agreed, grant, granted, remember } from "./core/storage.js";
import { later, stop, track } from "./outbox.js";
import { ask, expose, listeners, means, observer } from "./exposure.js";
import { keepUp, scan } from "./markup.js";
import { open } from "./tester/panel.js";

const goal = safe((name) => GOALS[name]?.map((key) => track("goal", key, name)));

const act = (event) => {
  const submit = event.type > "d"; // not click
  event.composedPath().map((element) =>
    means(element, "click:", (key) => {
      if (!submit) {
        expose(key); // who clicks it has seen it
        if (!URLS || !(off[key] > 1)) track("click", key);
      }
      if (!element.submit != submit) goal(key.split("goal:")[1]);
    }),
  );
};

// Not at once: a cookie costs a round trip between processes, which the first paint need not wait for.
const settle = () =>
  moment(() => {
    observer.disconnect();
    scan();
    later(0);
    remember("");
  });

const early = ASYNC && self.abacus;
self.abacus = {
  variant: (key) => {
    ask(key);
    return shown[key];
  },
  on: (type, f) => listeners.push(f),
  goal,
  ready: Promise.resolve(),
};
if (PAYLOADS) self.abacus.payload = (key) => payloads[key];

const again = () => {
  EXPERIMENTS.map(assign);
  scan();
};
if (CONSENT)
  self.abacus.consent = safe((yes) => {
    if (yes ? agreed() || (GPC && navigator.globalPrivacyControl) : !granted) return;
    yes ? grant() : stop();
    again();
    settle();
  });

again();
// Settled anew, for an element that stays may now be one to be seen.
const route = URLS && onRoute(() => (again(), settle()));
new MutationObserver(safe(URLS ? () => (route(), keepUp()) : keepUp)).observe(document, { childList: 1, subtree: 1 });
listen("click", act);
listen("submit", act);
listen("pageshow", settle);
listen("online", settle);

if (ASYNC) {
  self.abacus.push = (...calls) => calls.map((f) => setTimeout(f, 0, self.abacus));
  if (early?.map) self.abacus.push(...early);
  document.documentElement.setAttribute("data-ab-ready", "");
}
if (DEBUG) open();
