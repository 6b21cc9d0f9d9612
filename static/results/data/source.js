// The newest answer for where we are, fetched again and again while somebody looks. What failed is said, and the last
// numbers stay until the key they were read with is refused.

import { get, readKey } from "./api.js";

const EVERY = 15_000; // milliseconds between two looks
const SOONEST = 5_000; // after a failure; then twice as long each time, up to a minute
const LONGEST = 60_000;

/** `path()`: what to ask now; `changed()`: called whenever now() differs. */
export function source(path, changed) {
  const known = new Map(); // path → {answer, at, failure, failedAt, tries}
  let timer = 0;
  let asking = "";

  const entry = () => known.get(path()) ?? {};

  async function ask() {
    clearTimeout(timer);
    const asked = path();
    const key = readKey.get();
    asking = asked;
    const answer = get(asked); // on its way before anything is drawn
    changed();
    let found;
    try {
      found = { answer: await answer, at: Date.now() };
    } catch (failure) {
      const before = known.get(asked) ?? {};
      found = { ...before, failure, failedAt: Date.now(), tries: (before.tries ?? 0) + 1 };
    }
    if (asking === asked) asking = "";
    if (readKey.get() !== key) return; // another key was given meanwhile: this answer belongs to nobody
    if (found.failure?.kind === "key") {
      known.clear();
      readKey.forget();
      found = { failure: Object.assign(found.failure, { refused: key !== "" }) };
    }
    known.set(asked, found);
    if (asked === path()) {
      plan();
      changed();
    }
  }

  function plan() {
    clearTimeout(timer);
    const { failure, tries = 0 } = entry();
    if (document.hidden || failure?.kind === "key") return;
    timer = setTimeout(ask, failure ? Math.min(LONGEST, SOONEST * 2 ** (tries - 1)) : EVERY);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (entry().failure?.kind !== "key") ask();
  });
  window.addEventListener("online", () => ask());
  window.addEventListener("offline", () => ask());

  return {
    now: () => ({ ...entry(), asking: asking === path() }),
    /** The route changed: what we have is shown, and asked for again unless it is fresh. */
    moved() {
      const { at = 0, failure } = entry();
      if (failure || Date.now() - at > EVERY / 3) ask();
      else plan();
    },
    retry: ask,
    /** Tries the key; an answer to it opens everything, a refusal asks again. */
    open(key) {
      readKey.set(key);
      known.clear();
      ask();
    },
    close() {
      readKey.forget();
      known.clear();
      ask();
    },
  };
}
