import { forced } from "./tester/overrides.js";
import { depart, destination, eligible, onPage, underway } from "./targeting/targeting.js";
import { fnv } from "./core/hash.js";
import { cookies, me, stored } from "./core/visitor.js";
import { live, off, payloads, shown } from "./core/state.js";

/** Search engines and link previews see the control and are not redirected. Phones called Cubot are not robots. Who has
    our cookie is none: robots get none. Asking for the user agent costs 0.2 ms, so it waits for a timer, and only a
    redirect asks at once. */
export const isCrawler = () =>
  (me.apart ??=
    (EDGE || !stored(cookies)) &&
    /[^u]bot|crawl|spider|-google|preview|facebookext|whatsapp/i.test(navigator.userAgent));

/** The variant that this visitor gets, and its phase; none for a visitor who takes no part. The row is taken
    apart by number: by position, as in [key, variants], each part costs a call of an iterator. */
export const choose = EAGER(({ 0: key, 1: variants, 2: phase = 0, 3: first = 0, 4: seed = key }) => {
  if ((CONSENT && !me.granted) || (TIMES && !underway(key)) || (seed && me.apart)) return [];
  const earlier = me.record.split("~" + key + ".")[1]?.split("~", 1)[0].split(".");
  // An earlier choice stays, unless a new seed was meant to assign again.
  if (earlier?.[1] >= first && variants.some((variant) => variant[0] == earlier[0])) return [earlier[0], +earlier[1]];
  if ((NAMESPACES || CONDITIONS) && !eligible(key)) return [];
  const place = fnv(fnv(seed + me.id) + "") % 1e4;
  return [variants.find((variant) => place < variant[1])[0], phase];
});

/** Whether the variant of `pair`, `experiment:variant`, is on show. */
export const shows = (pair) => {
  const key = pair.split(":")[0];
  return pair == key + ":" + shown[key];
};

/** Puts the attribute on the root element, and again where a framework has taken it off. */
export const mark = EAGER(([key]) => {
  const root = document.documentElement;
  if (root.getAttribute("data-ab-" + key) != shown[key]) root.setAttribute("data-ab-" + key, shown[key]);
});

/** Assigns one experiment and puts its attribute on the root element; abacus/site/snippet_manifest.py describes the
    row. */
export const assign = EAGER((row) => {
  const { 0: key, 1: variants, 4: seed = key } = row;
  const [name, phase] = choose(row);
  if (URLS) off[key] = onPage(key);
  const variant = (shown[key] = (DEBUG && forced(key)) || ((!URLS || off[key] < 2) && name) || variants[0][0]);
  live[key] = !(DEBUG && forced(key)) && name && seed && { variant: name, experiment: key, phase };
  mark(row);
  if (PAYLOADS) payloads[key] = variants.find(([name]) => name == variant)?.[2];
  if (REDIRECTS && !off[key]) {
    const to = destination(key, variant);
    if (to != null && !(seed && isCrawler())) depart(key, to);
  }
});
