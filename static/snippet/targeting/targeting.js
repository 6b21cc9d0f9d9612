// What only some manifests need. esbuild leaves out what the published one does not.
import { bucket } from "../core/hash.js";
import { script } from "../core/script.js";
import { page } from "../core/state.js";
import { me } from "../core/visitor.js";
import { satisfied } from "./conditions.js";

/** What only some rows have; abacus/site/snippet_manifest.py says what. */
const more = (key) => EXPERIMENTS.find((row) => row[0] == key)[5] || {};

/** What the edge function says of this very answer in Server-Timing: experiment → the variant whose page this is, and
    the attributes that it knows. A page from the browser's cache brings its own. */
export const edge = {};
if (EDGE)
  performance.getEntriesByType("navigation")[0]?.serverTiming?.map(({ name, description }) => {
    const [key, value] = description.split("=");
    if (name == "abacus") edge[key] = edge[key + location.pathname] = value; // a later route is not that page
  });

/** What conditions may ask for: what the tag says (data-plan="pro"), and what is known anyway. */
export const attributes = () => ({
  ...(EDGE && edge),
  ...script.dataset,
  ...(USES.id && { id: me.id }),
  ...(USES.url && { url: location.href }),
  ...(USES.path && { path: location.pathname }),
  ...(USES.host && { host: location.host }),
  ...(USES.query && { query: location.search }),
  ...(USES.language && { language: navigator.language }),
});

const within = ([namespace, from, to]) => {
  const place = bucket(namespace, me.id);
  return from <= place && place < to;
};

/** Whether a visitor without an earlier choice takes part: by namespace and condition. */
export const eligible = (key) => {
  const { n, c } = more(key);
  return (!NAMESPACES || !n || n.every(within)) && (!CONDITIONS || !c || satisfied(c, attributes()));
};

/** Whether the experiment has begun and not ended. */
export const underway = (key) => {
  const [start, end] = more(key).t || [0, Infinity];
  return start <= Date.now() && Date.now() < end;
};

const matches = ([source, flags]) =>
  [location.href, location.pathname + location.search].some((text) => RegExp(source, flags).test(text));

/** 0 on a page of the experiment: none of `exclude` matches, and some of `include`, if there is any. Elsewhere 2; or 1,
    where redirected visitors arrive: they click there, and have been seen before. */
export const onPage = (key) => {
  const { r, u: [include, exclude] = [[], []] } = more(key);
  return !exclude.some(matches) && (!include[0] || include.some(matches)) ? 0 : r ? 1 : 2;
};

/** Where `variant` is sent to, on a page from which visitors are: undefined where this is no such page, "" to stay. */
export const destination = (key, variant) => {
  const { r } = more(key);
  const targets = REDIRECT_ATTRIBUTE && script.dataset.redirect;
  if (!r && !(REDIRECT_ATTRIBUTE && targets?.includes(key + ":"))) return;
  const to =
    r?.[variant] || (REDIRECT_ATTRIBUTE && RegExp("(?:^|\\s)" + key + ":" + variant + "\\s+(\\S+)").exec(targets)?.[1]);
  if (!to || (EDGE && edge[key + location.pathname] == variant)) return "";
  const target = new URL(to, location.href);
  const own = new Set(target.searchParams.keys());
  new URLSearchParams(location.search).forEach(
    (value, name) => own.has(name) || target.searchParams.append(name, value),
  );
  target.hash ||= location.hash;
  // Arrived already: seen before it left. No url runs a script.
  if (target.href != location.href && /^http/.test(target.protocol)) return target.href;
};

/** Counts, and goes: every visitor by the same rule, those who stay too, or the shares would not be as assigned. */
export const depart = (key, to) => {
  const root = document.documentElement;
  if (to) {
    root.hidden = true;
    setTimeout(() => (root.hidden = false), 1e3); // if it fails, the page is shown
  }
  const go = () => page.call([4, key, to]);
  document.visibilityState == "visible" ? go() : requestAnimationFrame(go);
};
