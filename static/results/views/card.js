// The card: the verdict in a frame of another page. It shows, and does nothing.

import { readKey } from "../data/request.js";
import { link } from "../data/route.js";
import { looks, swatch } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { count, interval, lift, moment, whole } from "../ui/format.js";
import { headline, stateOf } from "../ui/labels.js";
import { estimate, written } from "../ui/metric.js";
import { badge } from "./verdict.js";

const MOST = 6; // variants; a card of more would not be small

/** It never asks for a key: a page that frames it could be behind such a form.
 *  @param {any} answer
 *  @param {any} failure */
export function cardOf(answer, failure) {
  if (answer?.variants) return cardView(answer);
  if (failure?.kind === "key") return [h("p", { class: "quiet" }, "This card has expired. Ask for a new one.")];
  return failure || answer ? [h("p", { class: "quiet" }, failure?.message ?? "This card names no experiment.")] : [];
}

/** @param {import("../data/answers.d.ts").Report} report */
function cardView(report) {
  const look = looks(report.variants.map((row) => row.variant));
  const { variants, comparisons, verdict } = report;
  const visitors = variants.reduce((sum, row) => sum + row.visitors, 0);
  const more = variants.length - MOST;
  const href = `./${link(report.experiment, { link: readKey.get() })}`;
  return [
    h(
      "section",
      { class: `verdict card ${stateOf(verdict)[2]}` },
      h("p", { class: "row" }, badge(verdict), h("a", { href, target: "_blank", rel: "noopener" }, report.experiment)),
      h("h1", { class: "advice" }, headline(report)),
      h(
        "ul",
        {},
        variants.slice(0, MOST).map((row) => {
          const c = comparisons.find(({ variant }) => variant === row.variant);
          return h(
            "li",
            { "data-key": row.variant },
            h("span", {}, swatch(look[row.variant]), " ", row.variant),
            h("b", {}, written(report.metric, estimate(report.metric, row))),
            h(
              "span",
              { class: "quiet" },
              c?.lift_interval ? `${lift(c.lift)} (${interval(c.lift_interval)})` : "control",
            ),
          );
        }),
      ),
      h(
        "p",
        { class: "quiet" },
        `${count(visitors, "visitor")} · ${moment(report.as_of)}${more > 0 ? ` · ${whole(more)} more variants` : ""}`,
      ),
    ),
  ];
}
