// Help for each label: the label is a button that opens one of the texts of details/help.js. Popovers are native:
// touch, keyboard and Escape work without a script.

import { h } from "./dom.js";

/** A label that explains itself. @param {string} id @param {any} label */
export const term = (id, label) =>
  h("button", { type: "button", class: "term", popovertarget: `help-${id}`, "aria-haspopup": "dialog" }, label);

/** The address of a page of the docs: "results#the-numbers". */
export function docs(page) {
  const [name, heading] = page.split("#");
  return `../docs/${name}.html${heading ? "#" + heading : ""}`;
}
