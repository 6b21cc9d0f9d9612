// How an experiment went, and everything behind it. The page works without: this script comes after the verdict.

import { lineChoice } from "../charts/highlight.js";
import { chartPanel } from "../charts/panel.js";
import { figures } from "../charts/plots.js";
import { readKey, scopeOf } from "../data/request.js";
import { h } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { latestRefusals, tagSeen } from "../sections/events.js";
import { helpTexts } from "./help.js";
import { tag } from "../sections/install.js";
import { depth } from "./sections.js";

export { draw } from "../charts/draw.js";
export { firstSteps } from "../sections/install.js";
export { drawSegments } from "./segments.js";
export { steps } from "./steps.js";

/** @param {import("../data/answers.d.ts").Report} report
 *  @param {any} route
 *  @param {Record<string, {hue: string, dash: number[]}>} look */
export function details(report, route, look) {
  const drawn = figures(report, look, route);
  return [
    report.variants.some((row) => row.visitors > 0) && takeAway(),
    drawn.length > 0 && lineChoice(report, look, route),
    h(
      "div",
      { class: "figures" },
      drawn.map((figure) => chartPanel(figure, route)),
    ),
    depth(report, route),
    h("p", { class: "paper" }, printedLine(report)),
    helpTexts(),
  ];
}

/** Before the first visitor: the tag, whether it was seen, and what was refused. */
export const tagFirst = (refusals) =>
  h(
    "section",
    { class: "first" },
    h("h2", {}, "Is the script on the page?"),
    tag(),
    tagSeen(refusals),
    latestRefusals(refusals),
  );

const takeAway = () =>
  h(
    "p",
    { class: "row doing" },
    [
      ["link", "Copy link"],
      ...(readKey.get() && !scopeOf(readKey.get())
        ? [
            ["guest", "Copy 7-day link"],
            ["card", "Copy card"],
          ]
        : []),
      ["share", "Copy as text"],
      ["picture", "Copy as image"],
      ["csv", "CSV"],
      ["json", "JSON"],
      ["print", "Print"],
    ].map(([what, label]) => h("button", { type: "button", class: "second", "data-do": what }, label)),
  );

function printedLine({ as_of }) {
  const now = moment(Date.now());
  return `${location.href} · numbers of ${moment(as_of)} · printed ${now}`;
}
