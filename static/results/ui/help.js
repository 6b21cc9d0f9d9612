// Help for each label: the label is a button that opens one of the texts of details/help.js. Popovers are native:
// touch, keyboard and Escape work without a script.

import { h } from "./dom.js";

/** A label that explains itself. @param {string} id @param {any} label */
export const term = (id, label) =>
  h("button", { type: "button", class: "term", popovertarget: `help-${id}`, "aria-haspopup": "dialog" }, label);

let asked = ""; // the text of a label that was pressed before the texts had come

document.addEventListener("click", ({ target }) => {
  const label = /** @type {Element} */ (target).closest("[popovertarget]");
  const id = label?.getAttribute("popovertarget") ?? "";
  asked = document.getElementById(id) ? "" : id;
});

/** Opens the text that was asked for too early, once it is there. */
export function showAsked() {
  const text = asked && document.getElementById(asked);
  if (!text) return;
  asked = "";
  text.showPopover();
}

/** The address of a page of the docs: "results#the-numbers". */
export function docs(page) {
  const [name, heading] = page.split("#");
  return `../docs/${name}.html${heading ? "#" + heading : ""}`;
}
