import { means, moment, safe } from "./core/guard.js";
import { listeners, live, off, page, placed, shown } from "./core/state.js";
import { choices } from "./core/storage.js";
import { track } from "./outbox.js";

/** Counts an impression, once per path. */
export const expose = (key) => {
  if (!live[key] || (URLS && off[key]) || page.last[key] == (page.last[key] = location.pathname)) return;
  track("impression", key);
  listeners.map((f) => setTimeout(f, 0, live[key]));
  choices[key] = shown[key] + "." + live[key].phase;
};

/** An experiment without an element is seen when a script asks for it. */
export const ask = (key) =>
  moment(() => (document.readyState > "l" /* loading */ ? ask(key) : placed[key] || expose(key)));

// Half of an element, or half of the window for a tall one, in view for a moment. Each threshold is at most twice the
// one before, so that one of them lies between half a window and a whole one, for elements of up to 33 windows. The
// window is the outermost one, for a frame may be taller; from a frame of another origin only the screen is known.
page.observer = new IntersectionObserver(
  safe((entries) =>
    entries.map(({ target, rootBounds, intersectionRatio, intersectionRect: { width, height } }) => {
      target.abacus =
        width * height &&
        (intersectionRatio >= 0.5 || height >= Math.min(innerHeight, (rootBounds || screen).height) / 2);
      if (target.abacus) moment(() => target.abacus && means(target, "seen:", expose));
    }),
  ),
  { threshold: [0.03, 0.06, 0.1, 0.2, 0.3, 0.5] },
);
