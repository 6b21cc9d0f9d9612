import { listen, query, safe, visible, wait } from "./guard.js";
import { assign, shown } from "./assign.js";
import { identify, open, save } from "./memory.js";
import { deliver, later, listeners, revive } from "./queue.js";
import { attend, goal, look } from "./markup.js";
import { ask, nextPage } from "./seen.js";

export const start = safe((experiments, base, own) => {
  if (window.abacus?.variant) return;
  const abacus = {
    variant: safe((key) => {
      shown[key] && ask(key);
      return shown[key]?.variant_;
    }),
    goal: safe(goal),
    on: (type, f) => {
      listeners.push(f);
    },
  };
  abacus.ready = Promise.resolve(abacus);
  window.abacus = abacus;
  open();
  identify(own.visitor);
  experiments.map(assign);
  attend();
  deliver(new URL(EVENTS, base));
  // After the first paint: a cookie costs a round trip between processes.
  requestAnimationFrame(() => wait(0, () => { save(); visible(() => later(0)); }));
  listen(window, "pageshow", ({ persisted }) => {
    if (persisted) {
      nextPage();
      look();
      revive();
    }
  });
  if (query.has("ab_debug")) {
    const panel = document.createElement("script");
    panel.src = new URL("ab-debug.js", base);
    document.head.append(panel);
  }
});
