import { h } from "../ui/dom.js";
import { interval, longDay, money, whole } from "../ui/format.js";

/** The one line that a site needs. */
export const tag = () => [
  h("p", {}, "It belongs into the head of every page, before its styles:"),
  h("pre", {}, h("code", {}, scriptTag())),
  h(
    "p",
    {},
    h("button", { type: "button", class: "second", "data-do": "copy", "data-text": scriptTag() }, "Copy the tag"),
  ),
];

export const scriptTag = () => `<script src="${new URL("/ab.js", location.href).href}"></script>`;

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
    "Least: each visitor's events came in one request, on a busy site. ",
    "Most: each event came in a request of its own, on a quiet site. ",
    `AWS list prices of ${longDay(prices_of)} (${region}), with nothing free; storage, delivery of pages and what is paid by the month not included. `,
    h("code", {}, "abacus cost"),
    " has every line.",
  ),
];
