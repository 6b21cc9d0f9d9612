import { configure } from "./config.js";

/** Starts with the experiments of /ab.json, which a server may have put into the page. */
export const start = async (site, { src = location.href, visitor, attributes } = {}) => {
  if (!self.abacus?.on) {
    configure(site, { src, dataset: { ...attributes, ...(visitor && { visitor }) } });
    try {
      await import("./run.js");
    } catch (loading) {
      await loading; // a tester's page: the bigger file is on its way
    }
  }
  return self.abacus;
};

/** Fetches /ab.json from the origin where ABacus is served, and starts. */
export const load = async (origin = location.href, options) => {
  const answer = await fetch(new URL("/ab.json", origin));
  return start(await answer.json(), { src: new URL("/ab.mjs", origin).href, ...options });
};
