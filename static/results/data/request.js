// What the address asks for, and the request for it. first.js sends it before the page's own script has come.

import { link, NEW, parse } from "./route.js";

const KEY = "abacus-read-key";
export const TIMEOUT = 20_000; // milliseconds

// Session storage: gone with the tab, never sent by itself, never in an address.
export const readKey = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (key) => sessionStorage.setItem(KEY, key),
  forget: () => sessionStorage.removeItem(KEY),
};

/** What a link opens: the key of an experiment, or "*"; undefined for a read key. */
export const scopeOf = (key) => /^ab1\.([^.]+)\./.exec(key)?.[1];

/** Where the address leads. A link's token is taken out of it and kept as the read key is; who opened a link to one
 *  experiment stays there. */
export function entered() {
  const address = parse(location.hash);
  const { link: token, ...query } = address.query;
  const asked = { ...address, query };
  if (token) {
    if (!readKey.get() || scopeOf(readKey.get())) readKey.set(token);
    history.replaceState(null, "", link(asked.experiment, query));
  }
  const scope = scopeOf(readKey.get());
  return scope && scope !== "*" && scope !== asked.experiment ? parse(link(scope)) : asked;
}

/** What to ask the server for on this route. */
export function path({ experiment, query }) {
  if (!experiment || experiment === NEW) return "/stats?series=day";
  const asked = new URLSearchParams();
  for (const name of ["goal", "from", "to", "baseline"]) if (query[name]) asked.set(name, query[name]);
  const text = asked.toString();
  return `/stats/${encodeURIComponent(experiment)}${text ? "?" + text : ""}`;
}

/** Never from the browser's own cache: what a key opened must not outlive it.
 *  @param {string} path */
export function send(path) {
  const key = readKey.get();
  return fetch(path, {
    headers: key ? { "X-Read-Key": key } : {},
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.timeout(TIMEOUT),
  });
}

/** @type {any} */
const page = globalThis;

/** Sends the first request for the page's script, unless that came first, as it may where both are in the cache. */
export function sendFirst() {
  if ("abacusFirst" in page) return;
  const asked = path(entered());
  const response = send(asked);
  response.catch(() => {}); // its reader handles it
  page.abacusFirst = { asked, key: readKey.get(), response };
}

/** The response to `path`: the first request's, where it asked the same with the same key. It is taken once. */
export function respond(path) {
  const first = page.abacusFirst;
  page.abacusFirst = null;
  return first?.asked === path && first.key === readKey.get() ? first.response : send(path);
}
