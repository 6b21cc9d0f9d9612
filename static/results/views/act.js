// From the verdict to the act: commands and YAML lines to copy. The page itself changes nothing.

import { stageOption } from "../data/notation.js";
import { isOpen } from "../data/route.js";
import { h } from "../ui/dom.js";

const TITLES = { ship: "How to ship it", keep: "How to end it", stop: "How to end it", fix: "How to pause it" };

/** `details`: the module of what is closed at first; null until it is there.
 *  @param {any} details */
export function act(report, route, details) {
  const open = isOpen(route, "act") && !route.paper;
  const title =
    report.status === "stopped"
      ? "What you can do next"
      : (report.status === "running" && TITLES[report.verdict.next]) || "Change or end it";
  return h(
    "details",
    { class: "act", id: "act", "data-key": "act", "data-section": "act", open },
    h("summary", {}, title),
    open && details?.steps(report, stageOption()),
  );
}
