import { listen, moment, safe } from "./guard.js";
import { assign, shown } from "./assign.js";
import { remember } from "./memory.js";
import { later, track } from "./queue.js";
import { ask, expose, listeners, means, observer } from "./seen.js";
import { scan } from "./markup.js";

const goal = safe((name) => GOALS[name]?.map((key) => track("goal", key, name)));

const act = (event) => {
  const submit = event.type > "d"; // not click
  event.composedPath().map((element) =>
    means(element, "click:", (key) => {
      if (!submit) {
        expose(key); // who clicks it has seen it
        track("click", key);
      }
      if ((element.tagName == "FORM") == submit) goal(key.split("goal:")[1]);
    }),
  );
};

// Not at once: a cookie costs a round trip between processes, which the first paint need not wait for.
const settle = () =>
  moment(() => {
    observer.disconnect();
    scan(document.documentElement);
    later(0);
    remember("");
  });

self.abacus = {
  variant: (key) => {
    ask(key);
    return shown[key];
  },
  goal,
  on: (type, f) => listeners.push(f),
  ready: Promise.resolve(),
};
EXPERIMENTS.map(assign);
scan(document.documentElement);
new MutationObserver(safe((records) => records.map((record) => record.addedNodes.forEach(scan)))).observe(document, {
  childList: 1,
  subtree: 1,
});
listen("click", act);
listen("submit", act);
listen("pageshow", settle);
listen("online", settle);
