import { page, placed, shown } from "./core/state.js";
import { mark, shows } from "./assign.js";
import { means, safe } from "./core/guard.js";
import { checkSets, complain } from "./tester/overrides.js";

const MARKED = "[data-ab-show],[data-ab-set],[data-ab]";
// A sanitiser lets data-* through, so what they can do is a closed list, and no url that runs a script.
const SET = /([^|\s]+) +(alt|class|value|title|text|href|src)=([^|]*)/g;
const SAFE_URL = /^(https?:|mailto:|tel:|[^:]*([/?#]|$))/;

const read = (element, name) => (name == "text" ? element.textContent : element.getAttribute(name));

const write = (element, name, value) =>
  name == "text"
    ? (element.textContent = value)
    : value == null
      ? element.removeAttribute(name)
      : element.setAttribute(name, value);

/** Sets `name` of an element, and again where a framework puts the original back. After two rewrites to something
    else it gives way: a translator would rewrite for as long as we do. */
const set = (element, name, value) => {
  const now = read(element, name);
  const saved = ((element.abacusSet ||= { __proto__: null })[name] ||= { was: now, rewrites: 0 });
  if (URLS || CONSENT) saved.nodes ||= [...element.childNodes];
  if (
    (URLS || CONSENT) &&
    name == "text" &&
    document.readyState > "d" /* not complete */ &&
    now.startsWith(saved.ours)
  ) {
    // The parser goes on with the original behind our text.
    const [first, ...others] = element.childNodes;
    saved.nodes.push(first.data.slice(saved.ours.length), ...others);
    saved.was += now.slice(saved.ours.length);
  }
  if (now != value && (now == saved.was || now == saved.ours || document.readyState > "d" || ++saved.rewrites < 3))
    write(element, name, (saved.ours = value));
  if (DEBUG && saved.rewrites > 2)
    complain(
      `Something else, such as a translator, rewrites the ${name} "${value}" of <${element.localName}>: ` +
        "it is left alone.",
    );
};

/** Puts the original back, unless something else has been put there since. Where variants do not change within a page
    this happens only if count.js does not come: then text without its markup will do. */
const undo = (element, name) => {
  const saved = element.abacusSet[name];
  delete element.abacusSet[name];
  if (read(element, name) == saved.ours)
    (URLS || CONSENT) && name == "text" ? element.replaceChildren(...saved.nodes) : write(element, name, saved.was);
};

/** Shows each element as its attributes say. Again and again, for a parser or a framework may not be done with it. */
export const scan = () =>
  document.querySelectorAll(MARKED).forEach((element) => {
    means(element, "seen:", (key) => {
      page.observer?.observe(element);
      placed[key] = 1;
    });
    const show = element.getAttribute("data-ab-show");
    // Of an experiment that is not published nothing is shown or hidden: the page is as it was written.
    if (shown[show?.split(":")[0]]) {
      const hidden = !show.split(" ").some(shows);
      element.toggleAttribute("hidden", hidden);
      // SVG knows no `hidden`.
      if (element.ownerSVGElement)
        write(element, "display", hidden ? "none" : null);
    }
    const sets = element.getAttribute("data-ab-set");
    if (show || sets) changes.observe(element, { attributes: true });
    if (DEBUG && sets) checkSets(sets, SET, SAFE_URL);
    // Without a prototype, for a page may have added properties to that of all objects, which `in` finds.
    const wanted = { __proto__: null };
    sets?.replace(SET, (_, pair, name, value) => {
      value = value.trim();
      if (shows(pair) && (!/href|src/.test(name) || SAFE_URL.test(value))) wanted[name] = value;
    });
    for (const name in element.abacusSet) if (!(name in wanted)) undo(element, name);
    for (const name in wanted) set(element, name, wanted[name]);
  });

/** At once, before the change is drawn; then not before the next frame: a page that changes all the time costs two
    scans a frame, and a framework that undoes what we do cannot draw us into a loop. */
let pending;
const keepUp = () => {
  pending ||=
    (scan(),
    requestAnimationFrame(
      safe(() => {
        pending = 0;
        scan();
      }),
    ));
};

const touchesMarked = ({ type, target, addedNodes }) =>
  type < "b" /* attributes */ ||
  (target.closest ? target : target.parentNode)?.closest?.("[data-ab-set]") ||
  [...addedNodes].some((node) => node.matches?.(MARKED) || node.querySelector?.(MARKED));

/** Keeps the page as it should be: also the attributes of the root element, which a framework may take off. */
const changes = new MutationObserver(
  safe((records) => {
    page.onChange?.();
    EXPERIMENTS.map(mark);
    if (records.some(touchesMarked)) keepUp();
  }),
);
export const watch = () =>
  changes.observe(document, {
    childList: true,
    characterData: true,
    subtree: true,
    attributeFilter: ["data-ab", "data-ab-set", "data-ab-show", ...EXPERIMENTS.map(([key]) => "data-ab-" + key)],
  });
