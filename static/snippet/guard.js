/** `f`, from which no error escapes: a guest does not break the page. Seen in the console with ?ab_debug only. */
export const safe = (f) => (...args) => {
  try {
    return f(...args);
  } catch (error) {
    query.has("ab_debug") && console.warn("abacus", error);
  }
};

export const query = new URLSearchParams(location.search);

// capture: the page's own stopPropagation() does not hide a click from us.
export const listen = (target, type, f) => target.addEventListener(type, safe(f), { capture: true, passive: true });
export const wait = (ms, f) => setTimeout(safe(f), ms);

const when = (ok, type, f) => (ok() ? f() : document.addEventListener(type, safe(() => when(ok, type, f)), { once: true }));
/** Calls `f` once the page can be seen: not in a background tab, not while it is prerendered. */
export const visible = (f) => when(() => document.visibilityState == "visible", "visibilitychange", f);
export const parsed = (f) => when(() => document.readyState != "loading", "DOMContentLoaded", f);
