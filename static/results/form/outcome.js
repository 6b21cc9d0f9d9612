// The form for a new experiment follows every key.

import { stageOption } from "../data/notation.js";
import { count, whole } from "../ui/format.js";
import { duration, markup, problems, yaml } from "./draft.js";

const FIELDS = [
  "key",
  "description",
  "hypothesis",
  "page",
  "variants",
  "goal",
  "guardrail",
  "margin",
  "lift",
  "coverage",
  "visitors",
  "rate",
];

/** The form as a draft. A comma for a decimal point is understood.
 *  @returns {import("./draft.js").Draft} */
export function draftOf(form) {
  const draft = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
  for (const name of ["margin", "lift", "coverage", "visitors", "rate"])
    draft[name] = draft[name].trim().replace(",", ".");
  return /** @type {any} */ (draft);
}

/** Writes file, markup, duration and problems beside the fields. A field shows its problem once it was touched.
 *  @param {any} form
 *  @param {string[]} taken keys of existing experiments
 *  @param {any} [touched] the field that changed, if any */
export function refresh(form, taken, touched) {
  if (touched?.name === "like") {
    const [option] = touched.selectedOptions;
    form.elements.visitors.value = option.dataset.visitors;
    form.elements.rate.value = option.dataset.rate;
  }
  if (touched) touched.dataset.touched = "";
  const draft = draftOf(form);
  const wrong = problems(draft, taken);
  for (const name of FIELDS) {
    const input = form.elements[name];
    const message = input.dataset.touched === undefined ? "" : (wrong[name] ?? "");
    write(`draft-${name}-wrong`, message);
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  write("draft-yaml", yaml(draft));
  write("draft-markup", markup(draft));
  write("draft-publish", `abacus publish${stageOption()}`);
  write("draft-duration", durationText(draft));
}

/** The first field that is wrong gets the focus; true if there is one. */
export function stopsAt(form, taken) {
  const wrong = problems(draftOf(form), taken);
  for (const name of Object.keys(wrong)) form.elements[name].dataset.touched = "";
  refresh(form, taken);
  const first = FIELDS.find((name) => wrong[name]);
  if (first) form.elements[first].focus();
  return Boolean(first);
}

function write(id, text) {
  const place = document.getElementById(id);
  if (place && place.textContent !== text) place.textContent = text;
}

function durationText(draft) {
  const needed = duration(draft);
  if (!needed) return "Give today's rate and the smallest lift, and the duration stands here.";
  const visitors = `${whole(needed.each)} visitors in each variant, ${whole(needed.total)} in all`;
  if (needed.days === null) return `${visitors}. Give the visitors a day, and the duration stands here.`;
  const days = `About ${count(needed.days, "day")}: ${visitors}.`;
  return needed.days > 90 ? `${days} That is too long: test a bigger change, or use more traffic.` : days;
}
