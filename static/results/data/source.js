// The newest answer for the current route, fetched again while the page is visible. A failure is shown, and the last
// numbers stay until the key they were read with is refused.

import { get } from "./api.js";
import { readKey, scopeOf } from "./request.js";

const FRESH = 5_000; // milliseconds; what is younger is not read again when the reader comes back to it
const SOONEST = 5_000; // after a failure; then twice as long each time, up to a minute
const LONGEST = 60_000;

/**
 * @typedef {object} Entry what is known for one path
 * @property {any} [answer]
 * @property {number} [at] epoch milliseconds of the answer
 * @property {any} [failure]
 * @property {number} [failedAt]
 * @property {number} [tries] failures since the last answer
 *
 * `path()`: what to ask now; `changed()`: called whenever now() differs; `pace(answer)`: milliseconds to the next one.
 * @param {() => string} path
 * @param {() => void} changed
 * @param {(answer: any) => number} pace */
export function source(path, changed, pace) {
  /** @type {Map<string, Entry>} */
  const known = new Map();
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
    /** @type {Entry} */
    let result;
    try {
      result = { answer: await answer, at: Date.now() };
    } catch (failure) {
      const before = known.get(asked) ?? {};
      result = { ...before, failure, failedAt: Date.now(), tries: (before.tries ?? 0) + 1 };
    }
    if (asking === asked) asking = "";
    if (readKey.get() !== key) return; // the key changed meanwhile: this answer was read with the old one
    if (result.failure?.kind === "key") {
      known.clear();
      readKey.forget();
      result = { failure: Object.assign(result.failure, { refused: key !== "", link: Boolean(scopeOf(key)) }) };
    }
    known.set(asked, result);
    if (asked === path()) {
      plan();
      changed();
    }
  }

  function plan() {
    clearTimeout(timer);
    const { answer, failure, tries = 0 } = entry();
    if (document.hidden || failure?.kind === "key") return;
    if (!answer && !failure) return;
    timer = setTimeout(ask, failure ? Math.min(LONGEST, SOONEST * 2 ** (tries - 1)) : pace(answer));
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (entry().failure?.kind !== "key") ask();
  });
  window.addEventListener("online", () => ask());
  window.addEventListener("offline", () => ask());

  return {
    now: () => ({ ...entry(), asking: asking === path() }),
    /** The route changed: shows what is known, and asks again unless it is fresh. */
    moved() {
      const { at = 0, failure } = entry();
      if (failure || Date.now() - at > FRESH) ask();
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
