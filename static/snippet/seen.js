import { parsed, visible, wait } from "./guard.js";
import { shown } from "./assign.js";
import { remember } from "./memory.js";
import { tell, track } from "./queue.js";

const MOMENT = 300;
let page = 0; // a page that comes back from the back/forward cache is looked at anew

export const nextPage = () => page++;

export const expose = (experiment) => {
  const it = shown[experiment];
  const here = page + location.pathname;
  if (!it?.live_ || it.seen_ == here) return;
  it.seen_ = here;
  remember(experiment, it.phase_, it.variant_);
  track("impression", experiment);
  tell({ experiment, variant: it.variant_, phase: it.phase_ });
};

const timers = new WeakMap();
export const names = (...values) => values.join(" ").split(" ");

/** Watches elements. Half of it, or half of the window for a tall one, in view for a moment is an impression. */
export const watcher = () =>
  new IntersectionObserver(
    (entries, observer) => {
      for (const { target, intersectionRatio, intersectionRect } of entries) {
        clearTimeout(timers.get(target));
        if (intersectionRatio >= 0.5 || intersectionRect.height >= innerHeight / 2)
          timers.set(
            target,
            wait(MOMENT, () =>
              visible(() => {
                observer.unobserve(target);
                names(target.dataset.ab, target.dataset.abSeen).map(expose);
              }),
            ),
          );
      }
    },
    { threshold: [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5] },
  );

/** An experiment without an element is exposed when a script asks for it on a page that can be seen. */
export const ask = (experiment) =>
  wait(MOMENT, () =>
    parsed(() =>
      visible(
        () => document.querySelector(`[data-ab~="${experiment}"],[data-ab-seen~="${experiment}"]`) || expose(experiment),
      ),
    ),
  );
