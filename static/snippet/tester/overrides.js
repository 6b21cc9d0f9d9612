// The testers' file only: forced variants, and what happened on this page. panel.js shows it.
import { live, off, page, placed } from "../core/state.js";
import { attributes, eligible, underway } from "../targeting/targeting.js";
import { bucket } from "../core/hash.js";
import { waiting } from "../core/storage.js";
import { resolve } from "../core/script.js";
import { me, open } from "../core/visitor.js";

const query = new URLSearchParams(location.search);
const experiments = MANIFEST.experiments;
const about = (key) => experiments.find((experiment) => experiment.key == key);

/** experiment → the variant that a tester forced; in the cookie abacus_qa until the browser is closed. */
export const forces = {};
export let showing = false;

const storedForces = () => / ?abacus_qa=([^;]*)/.exec(document.cookie)?.[1].split("~") || [];
const save = () => {
  if (CONSENT && !me.granted) return;
  const words = [...(showing ? ["debug"] : []), ...Object.keys(forces).map((key) => key + "." + forces[key])];
  document.cookie = "abacus_qa=" + words.join("~") + ";path=/;samesite=lax" + (words[0] ? "" : ";max-age=0");
};

/** Shows `variant` of `key` from the next page on; without a variant, the assigned one. */
export const force = (key, variant) => {
  if (variant) forces[key] = variant;
  else delete forces[key];
  save();
};
export const hide = () => {
  showing = false;
  save();
};

for (const word of storedForces()) {
  const [key, variant] = word.split(".");
  if (word == "debug") showing = true;
  else if (variant) forces[key] = variant;
}
if (query.has("ab_debug")) showing = query.get("ab_debug") != "0";
for (const { key, variants } of experiments) {
  const [asked, index] = [query.get("ab_" + key), query.get(key)]; // the second is GrowthBook's way
  const match = variants.find((variant, i) => variant.key == asked || i + "" == index);
  if (match) forces[key] = match.key;
  else if (asked != null) delete forces[key];
}
save();

// ?ab_check tells the results page that the tag works here. The event names no experiment, so it is refused and counts
// nowhere; the host of this page is in its Origin header.
if (query.has("ab_check"))
  fetch(resolve(EVENTS), {
    method: "POST",
    body: JSON.stringify({
      visitor: "ab-check",
      events: [{ id: "ab-check", type: "impression", experiment: "ab-check", variant: "tag", at: Date.now() }],
    }),
  }).catch((error) => complain(`the tag cannot reach ${resolve(EVENTS)}: ${error.message}`));

export const forced = (key) => about(key).variants.find((variant) => variant.key == forces[key])?.key;

export const log = [];
const tell = (text) => log.push([new Date(), text]);

const complaints = new Set();
/** Says once, in the panel and on the console, what the page should change. */
export const complain = (text) => {
  if (complaints.has(text)) return;
  complaints.add(text);
  console.warn("abacus: " + text);
  tell(text);
};

/** Says what of an element's `data-ab-set` is refused, and why. `pattern` matches one change, `safeUrl` an allowed
    url. */
export const checkSets = (sets, pattern, safeUrl) => {
  for (const part of sets.split("|").map((text) => text.trim())) {
    const [, pair, name, value] = RegExp(`^${pattern.source}$`).exec(part) || [];
    const [key, variant] = (pair || "").split(":");
    if (!pair)
      complain(
        `data-ab-set="${part}" is refused: write experiment:variant, a blank, and one of alt, class, href, src, ` +
          'text, title or value, as in "hero:bold text=Hello".',
      );
    else if (/href|src/.test(name) && !safeUrl.test(value.trim()))
      complain(`data-ab-set="${part}" is refused: a url starts with https:, http:, mailto: or tel:, or has no scheme.`);
    else if (!about(key)?.variants.some((each) => each.key == variant))
      complain(`data-ab-set="${part}" does nothing: no published experiment ${key} has a variant ${variant}.`);
  }
};

const share = (place) => (place / 1e4).toFixed(4);
const place = (seed) => bucket(seed, me.id);

/** Why this visitor sees the variant on show. */
export const reason = (key) => {
  const { status, winner, phases, seed, namespace } = about(key);
  if (forced(key)) return "forced in this browser session, so not counted";
  if (CONSENT && !me.granted) return "no consent yet: the control is shown, and nothing is stored or sent";
  if (me.apart)
    return "this browser calls itself a crawler or link preview: the control is shown, and nothing is counted";
  if (status == "paused") return "paused: every visitor sees the control, and nothing is counted";
  if (status == "stopped") return `stopped: every visitor sees the winner, ${winner}, and nothing is counted`;
  if (TIMES && !underway(key)) return "it has not started yet, or has ended";
  if (off[key] == 2) return "the experiment does not run on this page";
  if (live[key]) {
    const { variant, phase } = live[key];
    if (me.record.includes(`~${key}.${variant}.`))
      return `seen before, in phase ${phase}: the visitor keeps this variant`;
    return `assigned: the visitor's place is ${share(place(phases[phase].seed || seed))} of 1`;
  }
  if (!eligible(key)) {
    const outside =
      namespace &&
      `not enrolled: the visitor's place in the namespace ${namespace.name} is ${share(place(namespace.name))}, ` +
        "outside this experiment's range";
    return outside || `not enrolled: the condition does not match ${JSON.stringify(attributes())}`;
  }
  return `not enrolled: the visitor's place, ${share(place(phases.at(-1).seed || seed))}, is outside the coverage`;
};

/** Whether an impression was counted on this page, and why not. */
export const seen = (key) => {
  if (!live[key]) return "not counted";
  if (page.last[key] == location.pathname) return "impression counted on this page";
  if (off[key]) return "impressions do not count on this page";
  const element = document.querySelector(`[data-ab~="${key}"],[data-ab~="seen:${key}"]`);
  if (!element)
    return placed[key]
      ? "its element was removed"
      : `no element has data-ab="${key}", and no script has called abacus.variant("${key}")`;
  if (!element.getClientRects()[0]) return "its element is not rendered (display: none?), so it cannot be seen";
  return "not yet: half of its element must be in view for 0.3 s";
};

/** How many events wait, and until when. */
export const outbox = () => {
  const count = waiting().length;
  const ms = open().abacus_w - Date.now();
  if (!count) return "all events are sent and confirmed";
  if (!navigator.onLine) return `${count} events wait: this browser is offline`;
  return ms > 0 ? `${count} events wait ${Math.ceil(ms / 1e3)} s more` : `${count} events wait`;
};

export const noted = (type, key, goal) => {
  const what = `${goal || type} of ${key}`;
  if (about(key)) tell(live[key] ? `${what}: ${live[key].variant}` : `${what} not sent: ${reason(key)}`);
};

const read = async (answer, sent) => {
  const { error, accepted, repeated, refused = [] } = await answer.clone().json();
  if (error) return tell(`${sent}, refused and not sent again: ${error.message}`);
  tell(`${sent}: ${accepted} new, ${repeated} known before, ${refused.length} refused`);
  for (const { outcome, message } of refused) tell(`refused, ${outcome}: ${message}`);
};

export const answered = (answer, batch) => {
  const sent = `${batch.length} sent`;
  if (!answer.status) return tell(`${sent}, no answer (${answer.message}): they will be sent again`);
  if (answer.status != 202 && answer.status != 400)
    return tell(`${sent}, answered ${answer.status}: they will be sent again`);
  read(answer, sent).catch(() => tell(`${sent}, answered ${answer.status}, but not by ABacus`));
};
