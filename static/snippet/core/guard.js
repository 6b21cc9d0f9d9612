/** `f`, from which no error escapes: a guest does not break the page. The debug build tells of it. */
export const safe =
  (f) =>
  (...args) => {
    try {
      return f(...args);
    } catch (error) {
      DEBUG && console.warn("abacus:", error);
    }
  };

/** In a moment, and in a page that is drawn: in a background tab or a prerendered page no frame comes before it is shown. */
export const moment = (f) => setTimeout(() => requestAnimationFrame(safe(f)), 300);

// On the window and captured: the page's own stopPropagation() does not hide a click from us.
export const listen = (type, f) => addEventListener(type, safe(f), { capture: 1, passive: 1 });
