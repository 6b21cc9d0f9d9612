// What the experiment is about, and its history: periods, phases, notes and the decision on one timeline.

import { h } from "../ui/dom.js";
import { localised, longDay, moment, NOTHING } from "../ui/format.js";

const MARKS = {
  running: "Started",
  first: "First visitor",
  phase: "Split changed",
  paused: "Paused",
  stopped: "Stopped",
  end: "Ends",
  note: "Note",
  decision: "Decision",
};

/** @param {import("../data/answers.d.ts").Report} report */
export function about({ description, hypothesis, history, assignment, shipped }) {
  return [
    h(
      "dl",
      { class: "pairs" },
      pair("What is compared", description || NOTHING),
      pair("Hypothesis", hypothesis || NOTHING),
      shipped && pair("Shipped", `Everyone gets ${shipped}.`),
      assignment === "client" &&
        pair("Assignment", "The sender chooses the variant. A visitor counts in each variant seen."),
    ),
    history?.length && [h("h3", {}, "History"), h("ol", { class: "history" }, history.map(entry))],
  ];
}

/** @param {import("../data/answers.d.ts").HistoryEntry} entry */
const entry = ({ at, what, text, by }) =>
  h(
    "li",
    { class: what === "note" || what === "decision" ? "written" : null },
    h("time", { datetime: at }, when(at), by && ` · ${by}`),
    h(
      "p",
      { dir: "auto" },
      h("b", {}, MARKS[what] ?? what),
      " ",
      h("span", {}, by === null || by === undefined ? localised(text) : text),
    ),
  );

const pair = (name, text) => h("div", {}, h("dt", {}, name), h("dd", { dir: "auto" }, text));
const when = (at) => (at.includes("T") ? moment(at) : `${longDay(at)} UTC`);
