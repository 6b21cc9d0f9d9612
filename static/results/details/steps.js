// What a reader may do next: the step that the verdict advises, and the others to open.

import { nextSteps } from "../data/next_steps.js";
import { h } from "../ui/dom.js";
import { docs } from "../ui/help.js";
import { copyable } from "../sections/install.js";

/** @param {import("../data/answers.d.ts").Report} report
 *  @param {string} stage */
export function steps(report, stage) {
  const [first, ...others] = nextSteps(report, stage);
  return [
    step(first),
    others.map(({ title, ...rest }) =>
      h(
        "details",
        { class: "other", "data-key": rest.id, "data-drawn": "" },
        h("summary", {}, title),
        step({ ...rest, title: "" }),
      ),
    ),
    h(
      "p",
      { class: "quiet" },
      h("a", { href: docs("manifest#changing-a-running-experiment") }, "What may change while it runs"),
    ),
  ];
}

const step = ({ title, effect, commands, yaml }) => [
  title && h("h3", {}, title),
  h("p", {}, effect),
  h(
    "div",
    { class: "ways" },
    h("div", {}, h("p", { class: "quiet" }, "On the command line"), copyable(commands, "Copy the commands")),
    h(
      "div",
      {},
      h("p", { class: "quiet" }, "Or in the experiment's file, then publish"),
      copyable(yaml, "Copy the lines"),
    ),
  ),
];
