// The tester's build only: overrides, and what is worth telling of what happens. panel.js shows it.
import { live, off, page, placed } from "../core/state.js";
import { attributes, eligible, underway } from "../targeting/targeting.js";
import { bucket } from "../core/hash.js";
import { waiting } from "../core/storage.js";
import { me, open } from "../core/visitor.js";

const query = new URLSearchParams(location.search);
const experiments = MANIFEST.experiments;
const about = (key) => experiments.find((experiment) => experiment.key == key);

/** experiment → the variant that a tester asked for; in the cookie abacus_qa until the browser is closed. */
export const forces = {};
export let showing = false;

const kept = () => / ?abacus_qa=([^;]*)/.exec(document.cookie)?.[1].split("~") || [];
const keep = () => {
  if (CONSENT && !me.granted) return;
  const words = [...(showing ? ["debug"] : []), ...Object.keys(forces).map((key) => key + "." + forces[key])];
  document.cookie = "abacus_qa=" + words.join("~") + ";path=/;samesite=lax" + (words[0] ? "" : ";max-age=0");
};

/** Shows `variant` of `key` from the next page on; none: as dealt. */
export const force = (key, variant) => {
  if (variant) forces[key] = variant;
  else delete forces[key];
  keep();
};
export const hide = () => {
  showing = false;
  keep();
};

for (const word of kept()) {
  const [key, variant] = word.split(".");
  if (word == "debug") showing = true;
  else if (variant) forces[key] = variant;
}
if (query.has("ab_debug")) showing = query.get("ab_debug") != "0";
for (const { key, variants } of experiments) {
  const [asked, index] = [query.get("ab_" + key), query.get(key)]; // the second is GrowthBook's way
  const found = variants.find((variant, i) => variant.key == asked || i + "" == index);
  if (found) forces[key] = found.key;
  else if (asked != null) delete forces[key];
}
keep();

export const forced = (key) => about(key).variants.find((variant) => variant.key == forces[key])?.key;

export const log = [];
const tell = (text) => log.push([new Date(), text]);

const share = (place) => (place / 1e4).toFixed(4);
const place = (seed) => bucket(seed, me.id);

/** Why this visitor sees what is on show. */
export const reason = (key) => {
  const { status, winner, phases, seed, namespace } = about(key);
  if (forced(key)) return "forced in this browser session, so not counted";
  if (CONSENT && !me.granted) return "no consent yet: the control, and nothing is kept or sent";
  if (status == "paused") return "paused: everybody sees the control, uncounted";
  if (status == "stopped") return `over: everybody sees the winner, ${winner}, uncounted`;
  if (TIMES && !underway(key)) return "it has not begun, or has ended";
  if (off[key] == 2) return "this page is none of its pages";
  if (live[key]) {
    const { variant, phase } = live[key];
    if (me.record.includes(`~${key}.${variant}.`)) return `seen before, in phase ${phase}, and kept since`;
    return `dealt: place ${share(place(phases[phase].seed || seed))} of 1`;
  }
  if (!eligible(key)) {
    const outside = namespace && `place ${share(place(namespace.name))} in namespace ${namespace.name}, it has others`;
    return outside || `the condition is not met by ${JSON.stringify(attributes())}`;
  }
  return `not enrolled: place ${share(place(phases[phases.length - 1].seed || seed))} is outside its coverage`;
};

/** Whether it was seen on this page, and what keeps it from being. */
export const seen = (key) => {
  if (!live[key]) return "not counted";
  if (page.last[key] == location.pathname) return "seen on this page";
  if (off[key]) return "not on this page";
  const element = document.querySelector(`[data-ab~="${key}"],[data-ab~="seen:${key}"]`);
  if (!element) return placed[key] ? "its element has gone" : "no element says data-ab, and no script has asked for it";
  if (!element.getClientRects()[0]) return "its element is not rendered (display: none?), so it can never be seen";
  return "not yet: half of its element must be in view for a moment";
};

/** What waits, and for what. */
export const outbox = () => {
  const count = waiting().length;
  const ms = open().abacus_w - Date.now();
  if (!count) return "everything is sent and confirmed";
  if (!navigator.onLine) return `${count} waiting: this browser is offline`;
  return ms > 0 ? `${count} waiting, for ${Math.ceil(ms / 1e3)} s more` : `${count} waiting`;
};

export const noted = (type, key, goal) => {
  const what = `${goal || type} of ${key}`;
  if (about(key)) tell(live[key] ? `${what}: ${live[key].variant}` : `${what} not sent: ${reason(key)}`);
};

const read = async (answer, sent) => {
  const { error, accepted, repeated, refused = [] } = await answer.clone().json();
  if (error) return tell(`${sent}, refused for good: ${error.message}`);
  tell(`${sent}: ${accepted} new, ${repeated} known already, ${refused.length} refused`);
  for (const { outcome, message } of refused) tell(`refused, ${outcome}: ${message}`);
};

export const answered = (answer, batch) => {
  const sent = `${batch.length} sent`;
  if (!answer.status) return tell(`${sent}, no answer (${answer.message}): they are kept, and sent again later`);
  if (answer.status != 202 && answer.status != 400)
    return tell(`${sent}, answered ${answer.status}: they are kept, and sent again later`);
  read(answer, sent).catch(() => tell(`${sent}, answered ${answer.status}, and not by ABacus`));
};
