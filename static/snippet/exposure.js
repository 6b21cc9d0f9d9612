import { moment, safe } from "./core/guard.js";
import { last, live, off, placed, shown } from "./core/state.js";
import { remember } from "./core/storage.js";
import { track } from "./outbox.js";

export const listeners = [];

/** What the words of `data-ab` name, without `kind`: `hero` is seen and clicked, `seen:hero` and `click:hero` only that. */
export const means = (element, kind, f) => element.dataset?.ab?.split(" ").map((word) => f(word.replace(kind, "")));

export const expose = (key) => {
  if (!live[key] || (URLS && off[key]) || last[key] == (last[key] = location.pathname)) return;
  track("impression", key);
  listeners.map((f) => setTimeout(f, 0, live[key]));
  remember(key + "." + shown[key] + "." + live[key].phase + "~");
};

/** An experiment without an element is seen when a script asks for it. */
export const ask = (key) =>
  moment(() => (document.readyState > "l" /* loading */ ? ask(key) : placed[key] || expose(key)));

// Half of an element, or half of the window for a tall one, in view for a moment. Each threshold is at most twice the one
// before, so that one of them lies between half a window and a whole one, for elements of up to 33 windows.
export const observer = new IntersectionObserver(
  safe((entries) =>
    entries.map(
      (entry) =>
        (entry.target.abacus =
          entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= innerHeight / 2) &&
        moment(() => entry.target.abacus && means(entry.target, "seen:", expose)),
    ),
  ),
  { threshold: [0.03, 0.06, 0.1, 0.2, 0.3, 0.5] },
);
