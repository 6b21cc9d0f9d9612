// What the labels mean, each with a link into the docs.

import { h } from "../ui/dom.js";
import { localised } from "../ui/format.js";
import { docs } from "../ui/help.js";

/** id → [title, text, page and heading of the docs] */
export const HELP = {
  visitors: [
    "Visitors",
    "Browsers that saw the variant at least once, without bots and other exclusions. " +
      "The second line compares the share that arrived with the share you configured.",
    "results#the-numbers",
  ],
  rate: [
    "Rate or mean",
    "Visitors who did it at least once, out of all who saw the variant. Of values or events: the mean per visitor.",
    "results#the-numbers",
  ],
  lift: [
    "Lift",
    "How much higher it is than the control's, relative to it. " +
      "The bar is a 95 % confidence sequence: an interval that stays valid however often you look. " +
      "While it includes 0, the difference may be chance. An arrow marks an end outside the axis.",
    "statistics#the-verdict",
  ],
  ctr: [
    "CTR",
    "Click-through rate: clicks out of impressions. Secondary: one visitor can add many of both.",
    "results#the-numbers",
  ],
  verdict: [
    "Verdict",
    "What the data say, by the primary metric and the interval of the lift. " +
      "It needs a full week, because weekdays differ.",
    "statistics#the-verdict",
  ],
  metrics: [
    "All metrics",
    "The primary metric decides. The others are adjusted for their number, and count once it has decided.",
    "statistics#the-verdict",
  ],
  guardrails: [
    "Guardrails",
    "Metrics that must not get worse by more than a margin. A winner that breaks one is not shipped; " +
      "while one is not certain, a winner waits.",
    "results#guardrails",
  ],
  checks: [
    "Data checks",
    "Checks that find broken tracking before you trust a number: split, repeats, bots, impossible counts.",
    "results#data-checks",
  ],
};

/** The texts that `term` opens; once for each page. */
export const helpTexts = (ids = Object.keys(HELP)) =>
  ids.map((id) => {
    const [title, text, page] = HELP[id];
    return h(
      "div",
      { id: `help-${id}`, class: "help", popover: "", role: "dialog", "aria-label": title, "data-key": `help-${id}` },
      h("p", {}, h("b", {}, title), " ", localised(text)),
      h("p", {}, h("a", { href: docs(page) }, "More in the docs")),
    );
  });
