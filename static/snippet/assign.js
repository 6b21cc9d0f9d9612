import { forced } from "./tester/overrides.js";
import { depart, destination, eligible, onPage, underway } from "./targeting/targeting.js";
import { fnv } from "./core/hash.js";
import { me } from "./core/visitor.js";
import { live, off, payloads, shown } from "./core/state.js";

// Search engines and link previews see the control and are not redirected. Phones called Cubot are not robots.
me.apart = /[^u]bot|crawl|spider|-google|preview|facebookext|whatsapp/i.test(navigator.userAgent);

/** The variant that this visitor gets, and its phase; none for a visitor who takes no part. */
export const choose = ([key, variants, phase = 0, first = 0, seed = key]) => {
  if ((CONSENT && !me.granted) || (TIMES && !underway(key)) || (seed && me.apart)) return [];
  const [earlier, since] = (me.record.split("~" + key + ".")[1] || "").split(/[.~]/);
  // An earlier choice stays, unless a new seed was meant to assign again.
  if (since >= first && variants.some(([name]) => name == earlier)) return [earlier, +since];
  if ((NAMESPACES || CONDITIONS) && !eligible(key)) return [];
  return [variants.find(([, to]) => fnv(fnv(seed + me.id) + "") % 1e4 < to)[0], phase];
};

/** Puts the attribute on the root element, and again where a framework has taken it off. */
export const mark = ([key]) => {
  const root = document.documentElement;
  if (root.getAttribute("data-ab-" + key) != shown[key]) root.setAttribute("data-ab-" + key, shown[key]);
};

/** Assigns one experiment and puts its attribute on the root element; abacus/site/snippet_manifest.py describes the
    row. */
export const assign = (row) => {
  const [key, variants, , , seed = key] = row;
  const [name, phase] = choose(row);
  if (URLS) off[key] = onPage(key);
  delete live[key];
  shown[key + ":" + shown[key]] = 0;
  const variant = (shown[key] = (DEBUG && forced(key)) || ((!URLS || off[key] < 2) && name) || variants[0][0]);
  shown[key + ":" + variant] = 1;
  if (name && seed && !(DEBUG && forced(key))) live[key] = { variant: name, experiment: key, phase };
  mark(row);
  if (PAYLOADS) payloads[key] = variants.find(([name]) => name == variant)?.[2];
  if (REDIRECTS && !off[key] && !(seed && me.apart)) {
    const to = destination(key, variant);
    if (to != null) depart(key, to);
  }
};
