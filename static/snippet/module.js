import { configure } from "./core/config.js";

/** Starts with the experiments of /ab.json, which a server may have put into the page. */
export const start = async (site, { src = location.href, visitor, attributes } = {}) => {
  if (!document.abacus) {
    configure(site, { src, dataset: { ...attributes, ...(visitor && { visitor }) } });
    try {
      return (await import("./run.js")).api;
    } catch (loading) {
      await loading; // a tester's page: the bigger file is on its way
    }
  }
  return self.abacus;
};

const NOTHING = { experiments: [], goals: {} };

/** Fetches /ab.json from the origin where ABacus is served, and starts; without experiments where that fails, or takes
    longer than `patience` ms: no app should wait for it. */
export const load = async (origin = location.href, { patience = 2e3, ...options } = {}) => {
  const late = new AbortController();
  setTimeout(() => late.abort(), patience);
  const read = async () => (await fetch(new URL("/ab.json", origin), { signal: late.signal })).json();
  return start(await read().catch(() => NOTHING), { src: new URL("/ab.mjs", origin).href, ...options });
};
