// A form for a new experiment. It writes nothing: the YAML is there to copy or download.

import { h } from "../ui/dom.js";
import { docs } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { perDay } from "./planning.js";

/** @param {import("../data/answers.d.ts").ExperimentList} list */
export function newView({ experiments }) {
  const traffic = experiments.map((entry) => ({ entry, daily: perDay(entry.series) })).filter(({ daily }) => daily);
  traffic.sort((a, b) => (b.daily ?? 0) - (a.daily ?? 0));
  const like = traffic[0];
  const rate = like ? (100 * like.entry.converted) / like.entry.visitors : 0;
  return [
    h("p", { class: "back" }, h("a", { href: "#/" }, icon("back", 18), "All experiments")),
    h("h1", { tabindex: -1 }, "New experiment"),
    h(
      "p",
      { class: "about" },
      "Fill in what you know. The file and the duration follow as you type; nothing is saved or sent from this page.",
    ),
    h(
      "form",
      { class: "draft", "data-do": "draft", "data-drawn": "", "data-key": "draft", novalidate: true },
      h(
        "div",
        { class: "fields" },
        field("key", "Name", "In links, events and markup. It cannot change later.", { placeholder: "headline-test" }),
        field("description", "What is compared", "", { placeholder: "Two headlines on the first page" }),
        field("hypothesis", "Hypothesis", "What you expect, and why.", {
          placeholder: "A concrete promise makes more visitors click.",
        }),
        field("page", "Pages", "Paths on which it runs; * is any text. Empty: everywhere.", { placeholder: "/shop/*" }),
        area("variants", "Variants", "One a line. The first one is the control.", "plain\nbold"),
        field("goal", "Primary goal", "The rate of this goal decides. Empty: clicks.", { placeholder: "signup" }),
        field("guardrail", "Guardrail", "A goal that must not happen more often. Empty: none.", {
          placeholder: "error",
        }),
        number("margin", "The guardrail may get worse by, in %", "", "5"),
        number("lift", "Smallest lift worth finding, in %", "Half of it takes about four times as long.", "10"),
        number("coverage", "Share of visitors who take part, in %", "", "100"),
        traffic.length > 0 && trafficLike(traffic),
        number(
          "visitors",
          "Visitors a day",
          like ? `From ${like.entry.experiment}, the last seven days.` : "On these pages.",
          like ? String(Math.round(like.daily ?? 0)) : "",
        ),
        number(
          "rate",
          "Rate today, in %",
          "Visitors who reach the primary goal, out of 100. Filled in: those who click.",
          rate > 0 ? rate.toFixed(2) : "",
        ),
      ),
      h(
        "div",
        { class: "outcome" },
        h(
          "section",
          { class: "duration", "aria-live": "polite" },
          h("h2", {}, "How long"),
          h("p", { id: "draft-duration" }),
        ),
        h("h2", {}, "The file"),
        h("pre", { tabindex: 0 }, h("code", { id: "draft-yaml" })),
        h(
          "p",
          { class: "row" },
          h("button", { type: "submit" }, "Download"),
          h("button", { type: "button", class: "second", "data-do": "copy-draft" }, "Copy"),
        ),
        h(
          "p",
          { class: "quiet" },
          "Save it in ",
          h("code", {}, "manifest/"),
          ", then run ",
          h("code", { id: "draft-publish" }, "abacus publish"),
          ". ",
          h("a", { href: docs("manifest") }, "All fields of the file"),
        ),
        h("h2", {}, "In the page"),
        h("pre", { tabindex: 0 }, h("code", { id: "draft-markup" })),
        h("p", { class: "quiet" }, h("a", { href: docs("snippet") }, "All attributes of the snippet")),
      ),
    ),
  ];
}

const field = (name, label, hint, attributes = {}) =>
  framed(
    name,
    label,
    hint,
    h("input", { id: `draft-${name}`, name, autocomplete: "off", ...described(name), ...attributes }),
  );

const number = (name, label, hint, value) => field(name, label, hint, { inputmode: "decimal", value });

const area = (name, label, hint, value) =>
  framed(
    name,
    label,
    hint,
    h("textarea", { id: `draft-${name}`, name, rows: 3, spellcheck: "false", ...described(name) }, value),
  );

const described = (name) => ({ "aria-describedby": `draft-${name}-hint draft-${name}-wrong` });

const framed = (name, label, hint, input) =>
  h(
    "div",
    { class: "field" },
    h("label", { for: `draft-${name}` }, label),
    input,
    h("p", { class: "quiet", id: `draft-${name}-hint` }, hint || null),
    h("p", { class: "wrong", id: `draft-${name}-wrong` }),
  );

/** Takes the traffic and the rate of an experiment that runs already. */
const trafficLike = (traffic) =>
  framed(
    "like",
    "Traffic and rate like",
    "Fills in the two numbers below.",
    h(
      "select",
      { id: "draft-like", name: "like", "aria-describedby": "draft-like-hint" },
      traffic.map(({ entry, daily }) =>
        h(
          "option",
          {
            value: entry.experiment,
            "data-visitors": Math.round(daily),
            "data-rate": ((100 * entry.converted) / entry.visitors).toFixed(2),
          },
          entry.experiment,
        ),
      ),
    ),
  );
