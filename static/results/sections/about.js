import { h } from "../ui/dom.js";
import { localised, longDay, NOTHING } from "../ui/format.js";

const MARKS = {
  running: "Started",
  first: "First visitor",
  phase: "Split changed",
  paused: "Paused",
  stopped: "Stopped",
  end: "Ends",
};

export function about({ description, hypothesis, history, assignment, shipped }) {
  return [
    h(
      "dl",
      { class: "pairs" },
      pair("What is compared", description || NOTHING),
      pair("Hypothesis", hypothesis || NOTHING),
      shipped && pair("Shipped", `${shipped} goes to everybody.`),
      assignment === "client" &&
        pair("Assignment", "The sender draws the variants, and a visitor counts in each one seen."),
    ),
    history?.length > 0 && h("h3", {}, "History"),
    history?.length > 0 &&
      h(
        "ol",
        { class: "history" },
        history.map(({ at, what, text }) =>
          h(
            "li",
            {},
            h("time", { datetime: at }, when(at)),
            h("p", {}, h("b", {}, MARKS[what] ?? what), " ", h("span", {}, localised(text))),
          ),
        ),
      ),
  ];
}

const pair = (name, text) => h("div", {}, h("dt", {}, name), h("dd", {}, text));
const when = (at) => (at.includes("T") ? `${longDay(at)}, ${at.slice(11, 16)} UTC` : `${longDay(at)} UTC`);
