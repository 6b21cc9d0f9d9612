import { placed, shown } from "./core/state.js";
import { safe } from "./core/guard.js";
import { means, observer } from "./exposure.js";

/** Shows each element as its attributes say. Again and again, for a parser or a framework may not be done with it. */
export const scan = () =>
  document.querySelectorAll("[data-ab-show],[data-ab-set],[data-ab]").forEach((element) => {
    means(element, "seen:", (key) => {
      observer.observe(element);
      placed[key] = 1;
    });
    // Of an experiment that is not published nothing is shown or hidden: the page is as it was written.
    if (shown[element.dataset.abShow?.split(":")[0]])
      element.hidden = !element.dataset.abShow.split(" ").some((pair) => shown[pair]);
    // A sanitiser lets data-* through, so what they can do is a closed list, and no url that runs a script.
    element.dataset.abSet?.replace(
      /([^|\s]+) +(alt|class|value|title|text|href|src)=([^|]*)/g,
      (_, pair, name, value) =>
        shown[pair] &&
        (name == "text"
          ? element.textContent != value && (element.textContent = value)
          : /^(http|[^:]*$)/.test(value) && element.getAttribute(name) != value && element.setAttribute(name, value)),
    );
  });

/** Something changed in the page. At once, before it is drawn; then not before the next frame: a page that changes all the
    time costs two looks a frame, and a framework that undoes what we do cannot draw us into a loop. */
let pending;
export const keepUp = () => {
  pending ||=
    (scan(),
    requestAnimationFrame(
      safe(() => {
        pending = 0;
        scan();
      }),
    ));
};
