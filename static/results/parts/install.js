import { h } from "./dom.js";
import { money, whole } from "./numbers.js";

/** The one line that a site needs. */
export const tag = () => [
  h("p", {}, "It belongs into the head of every page, before its styles:"),
  h("pre", {}, h("code", {}, scriptTag())),
  h("p", {}, h("button", { type: "button", class: "second", "data-do": "copy", "data-text": scriptTag() }, "Copy the tag")),
];

export const scriptTag = () => `<script src="${new URL("/ab.js", location.href).href}"></script>`;

export function install({ cost }) {
  return [
    tag(),
    // Shown only where the service says what it costs.
    cost && [h("h3", {}, "Cost so far"), h("p", {}, h("b", {}, `${money(cost.per_million)} per million events`), ` (${money(cost.dollars)} for ${whole(cost.events)}).`)],
  ];
}
