/** `f`, from which no error escapes: a guest does not break the page. The debug build tells of it. */
export const safe = EAGER((f) =>
  EAGER((...args) => {
    try {
      return f(...args);
    } catch (error) {
      DEBUG && console.warn("abacus:", error);
    }
  }),
);

/** In a moment, and in a page that is drawn: in a background tab or a prerendered page no frame comes before it is
    shown. */
export const moment = (f) => setTimeout(() => requestAnimationFrame(safe(f)), 300);

// On the window and captured: the page's own stopPropagation() does not hide a click from us.
export const listen = (types, f) =>
  types.split(" ").map((type) => addEventListener(type, safe(f), { capture: true, passive: true }));

/** What the words of `data-ab` name, without `kind`: `hero` is seen and clicked, `seen:hero` and `click:hero` only
    that. getAttribute, because a form's field may be called `dataset`. */
export const means = (element, kind, f) =>
  element
    .getAttribute?.("data-ab")
    ?.split(" ")
    .map((word) => f(word.replace(kind, "")));
