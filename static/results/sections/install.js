// How to install: the script tag, the first steps, and what the experiment has cost.

import { stageOption } from "../data/notation.js";
import { h } from "../ui/dom.js";
import { interval, longDay, money, whole } from "../ui/format.js";
import { docs } from "../ui/help.js";
import { tagSeen } from "./events.js";

export const scriptTag = () => `<script src="${new URL("/ab.js", location.href).href}"></script>`;

/** A block of text with a button that copies it. */
export const copyable = (text, label = "Copy") =>
  h(
    "div",
    { class: "copyable" },
    h("pre", { tabindex: 0 }, h("code", {}, text)),
    h("button", { type: "button", class: "second", "data-do": "copy", "data-text": text }, label),
  );

/** The one line that a site needs. */
export const tag = () => [
  h("p", {}, "It belongs in the head of every page, before the styles:"),
  copyable(scriptTag(), "Copy the tag"),
];

/** From nothing to the first visitor. */
export const firstSteps = (refusals) =>
  h(
    "ol",
    { class: "steps" },
    h("li", {}, h("p", {}, h("b", {}, "Put the script tag into your pages.")), tag(), tagSeen(refusals)),
    h(
      "li",
      {},
      h(
        "p",
        {},
        h("b", {}, "Describe an experiment. "),
        h("a", { href: "#/+new" }, "Use the form"),
        " or write a file by hand.",
      ),
    ),
    h(
      "li",
      {},
      h("p", {}, h("b", {}, "Save it as a file in "), h("code", {}, "manifest/"), h("b", {}, ", then publish it:")),
      copyable(`abacus validate\nabacus publish${stageOption()}`),
    ),
    h(
      "li",
      {},
      h("p", {}, h("b", {}, "Open your page once. "), "The first visitor appears here within seconds. "),
      h("p", {}, h("a", { href: docs("install") }, "More about installing")),
    ),
  );

export const install = ({ cost }) => [tag(), cost && costSoFar(cost)];

const costSoFar = ({ per_million: million, dollars, events, prices_of, region }) => [
  h("h3", {}, "Cost so far"),
  h(
    "p",
    {},
    h("b", {}, `${interval(million, money)} per million events`),
    `, ${interval(dollars, money)} for the ${whole(events)} so far.`,
  ),
  h(
    "p",
    { class: "quiet" },
    "Lower end: one request for each visitor, on a busy site. Upper end: one request for each event, on a quiet site. ",
    `AWS list prices of ${longDay(prices_of)} (${region}), without any free tier. `,
    "Storage, page delivery and monthly charges are not included. ",
    h("code", {}, "abacus cost"),
    " prints every line.",
  ),
];
