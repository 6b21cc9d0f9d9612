import { forced } from "./tester/overrides.js";
import { depart, destination, eligible, onPage, underway } from "./targeting/targeting.js";
import { fnv } from "./core/hash.js";
import { granted, record, visitor } from "./core/storage.js";
import { live, off, payloads, shown } from "./core/state.js";
import { expose } from "./exposure.js";

/** One experiment; abacus/site/snippet_manifest.py describes the row. */
export const assign = ([key, variants, phase = 0, first = 0, seed = key]) => {
  let then;
  const [name] =
    (CONSENT && !granted) || (TIMES && !underway(key))
      ? []
      : // An earlier choice stays, unless a new seed was meant to deal anew.
        variants.find(
          ([name]) => (then = parseInt(record().split("~" + key + "." + name + ".")[1])) >= first && [(phase = then)],
        ) ||
        ((NAMESPACES || CONDITIONS) && !eligible(key)
          ? []
          : variants.find(([, to]) => fnv(fnv(seed + visitor) + "") % 1e4 < to));
  if (URLS) off[key] = onPage(key);
  if (URLS || CONSENT) {
    delete live[key];
    shown[key + ":" + shown[key]] = 0;
  }
  const variant = (shown[key] = (DEBUG && forced(key)) || ((!URLS || off[key] < 2) && name) || variants[0][0]);
  shown[key + ":" + variant] = 1;
  if (name && seed && !(DEBUG && forced(key))) live[key] = { variant: name, experiment: key, phase };
  document.documentElement.setAttribute("data-ab-" + key, variant);
  if (PAYLOADS) payloads[key] = variants.find(([name]) => name == variant)?.[2];
  if (REDIRECTS && !off[key]) {
    const to = destination(key, variant);
    if (to != null) depart(to, () => expose(key));
  }
};
