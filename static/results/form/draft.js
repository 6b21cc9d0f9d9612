// A new experiment as it is typed: what is wrong with it, its YAML, and how long it will take. Nothing is sent.

import { share } from "../data/notation.js";
import { visitorsPerVariant, wholeWeeks } from "./planning.js";

const CLICK = "click"; // the goal that every experiment has
const KEY = /^[a-z0-9][a-z0-9-]{0,63}$/;
const VARIANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * @typedef {object} Draft the fields as typed
 * @property {string} key
 * @property {string} description
 * @property {string} hypothesis
 * @property {string} page
 * @property {string} variants one a line
 * @property {string} goal the primary goal; "": click
 * @property {string} guardrail a goal that must not happen more often; "": none
 * @property {string} margin per cent that the guardrail may get worse
 * @property {string} lift per cent
 * @property {string} coverage per cent
 * @property {string} visitors a day
 * @property {string} rate per cent
 */

export const variantsOf = (draft) => draft.variants.split(/[\s,]+/).filter(Boolean);

/** Field → what is wrong and what to do; empty if the draft can be published.
 *  @param {Draft} draft
 *  @param {string[]} taken keys of existing experiments
 *  @returns {Record<string, string>} */
export function problems(draft, taken) {
  /** @type {Record<string, string>} */
  const wrong = {};
  if (!draft.key) wrong.key = "Give it a name.";
  else if (!KEY.test(draft.key)) wrong.key = "Use a–z, 0–9 and -, at most 64 characters, a letter or digit first.";
  else if (taken.includes(draft.key)) wrong.key = `${draft.key} exists already. Use another name.`;
  const variants = variantsOf(draft);
  const bad = variants.find((key) => !VARIANT.test(key));
  const twice = variants.find((key, n) => variants.indexOf(key) !== n);
  if (variants.length < 2) wrong.variants = "Name at least two. The first one is the control.";
  else if (variants.length > 20) wrong.variants = `${variants.length} variants are too many: 20 at most.`;
  else if (bad) wrong.variants = `“${bad}”: use letters, digits, - and _, at most 64 characters.`;
  else if (twice) wrong.variants = `“${twice}” is there twice. Give each variant its own name.`;
  if (draft.goal && !KEY.test(draft.goal)) wrong.goal = "Use a–z, 0–9 and -, at most 64 characters.";
  if (draft.guardrail && !KEY.test(draft.guardrail)) wrong.guardrail = "Use a–z, 0–9 and -, at most 64 characters.";
  else if (draft.guardrail && draft.guardrail === (draft.goal || CLICK))
    wrong.guardrail = `${draft.guardrail} decides already. Name another goal, or leave it empty.`;
  if (draft.guardrail && !within(draft.margin, 0, 100)) wrong.margin = "Give a number above 0 and up to 100.";
  if (!within(draft.lift, 0, 1000)) wrong.lift = "Give a number above 0, such as 10.";
  if (!within(draft.coverage, 0, 100)) wrong.coverage = "Give a number above 0 and up to 100.";
  if (draft.visitors && !within(draft.visitors, 0, 1e9)) wrong.visitors = "Give a number above 0, or leave it empty.";
  if (draft.rate && !within(draft.rate, 0, 99.99))
    wrong.rate = "Give a number above 0 and below 100, or leave it empty.";
  return wrong;
}

const within = (text, above, most) => Number(text) > above && Number(text) <= most;

/** The experiment's file. @param {Draft} draft */
export function yaml(draft) {
  const quoted = (text) => JSON.stringify(text.trim().replace(/\s+/g, " "));
  const lines = [
    "# yaml-language-server: $schema=schema.json",
    `key: ${draft.key || "my-experiment"}`,
    draft.description.trim() && `description: ${quoted(draft.description)}`,
    draft.hypothesis.trim() && `hypothesis: ${quoted(draft.hypothesis)}`,
    "status: running",
    "variants: # the first one is the control",
    ...variantsOf(draft).map((key) => `  - key: ${/^[a-zA-Z]/.test(key) ? key : JSON.stringify(key)}`),
    Number(draft.coverage) < 100 && `coverage: ${share(Number(draft.coverage) / 100)}`,
    draft.page.trim() && `urls:\n  include: [${quoted(draft.page)}]`,
    ...metrics(draft),
    `minimum_detectable_effect: ${share(Number(draft.lift) / 100)}`,
  ];
  return lines.filter(Boolean).join("\n") + "\n";
}

/** Goals, what decides, and what must not get worse. @param {Draft} draft */
function metrics({ goal, guardrail, margin }) {
  const primary = goal && goal !== CLICK ? goal : "";
  if (!guardrail) return primary ? [`goals: [${primary}]`, `primary: ${primary}`] : [];
  return [
    "goals:",
    primary && `  ${primary}: {}`,
    `  ${guardrail}: { better: lower }`,
    primary && `primary: ${primary}`,
    `guardrails:\n  - { metric: ${guardrail}, worse_by_at_most: ${share(Number(margin) / 100)} }`,
  ];
}

/** How many visitors and days it takes; null while a number is missing.
 *  @param {Draft} draft
 *  @returns {{each: number, total: number, days: number | null} | null} */
export function duration(draft) {
  const variants = variantsOf(draft).length;
  const each = visitorsPerVariant(Number(draft.rate) / 100, Number(draft.lift) / 100, variants);
  if (each === null) return null;
  const total = each * variants;
  const daily = Number(draft.visitors) * (Number(draft.coverage) / 100);
  return { each, total, days: daily > 0 ? wholeWeeks(total / daily) : null };
}

/** What to put into the page, with the snippet's attributes. */
export function markup(draft) {
  const key = draft.key || "my-experiment";
  const [, second = "variant"] = variantsOf(draft);
  const goal = draft.goal && draft.goal !== CLICK ? `\n<form data-ab="goal:${draft.goal}">…</form>` : "";
  const heading = `<h1 data-ab-set="${key}:${second} text=The other headline">The headline</h1>`;
  return `<section data-ab="${key}">\n  ${heading}\n</section>${goal}`;
}
