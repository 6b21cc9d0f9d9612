// From the verdict to the act: commands and YAML lines to copy. The page itself changes nothing.

import { isOpen } from "../data/route.js";
import { nextSteps, stageOption } from "../data/next_steps.js";
import { copyable } from "../sections/install.js";
import { h } from "../ui/dom.js";
import { docs } from "../ui/help.js";

const TITLES = { ship: "How to ship it", keep: "How to end it", stop: "How to end it", fix: "How to pause it" };

export function act(report, route) {
  const [first, ...others] = nextSteps(report, stageOption());
  const open = isOpen(route, "act") && !route.paper;
  const title =
    report.status === "stopped"
      ? "What you can do next"
      : (report.status === "running" && TITLES[report.verdict.next]) || "Change or end it";
  return h(
    "details",
    { class: "act", id: "act", "data-key": "act", "data-section": "act", open },
    h("summary", {}, title),
    open && [
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
    ],
  );
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
