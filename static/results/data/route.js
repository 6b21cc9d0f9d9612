// Where we are is in the address behind the #, which never leaves the browser:
//   #/?q=cta&status=running            the list, filtered
//   #/cta-color?goal=signup&rate=day   an experiment; what its charts show, which sections are open
//   #/+new                             the form for a new experiment; no key can begin with +

export const NEW = "+new";

/** @returns {{experiment: string, query: Record<string, string>, paper?: boolean}} */
export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  let experiment = "";
  try {
    experiment = decodeURIComponent(path);
  } catch {
    // A mangled link: the list is a better answer than an error.
  }
  return { experiment, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of an experiment, or of the list (""); empty items of the query are left out.
 *  @param {string} experiment
 *  @param {Record<string, string>} [query] */
export function link(experiment, query = {}) {
  const items = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(items).toString().replaceAll("%2C", ",");
  return `#/${encodeURIComponent(experiment)}${text ? "?" + text : ""}`;
}

/** Whether a section is open; on paper all of them are.
 *  @param {{query: any, paper?: boolean}} route
 *  @param {string} section */
export const isOpen = ({ query, paper }, section) => Boolean(paper) || (query.open ?? "").split(",").includes(section);

/** The link to here with some of the query changed; "" takes an item away. */
export const here = (route, change) => link(route.experiment, { ...route.query, ...change });
