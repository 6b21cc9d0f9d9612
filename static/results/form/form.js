// The form for a new experiment: a script of its own, so that the results do not wait for it.

import { save } from "../actions/download.js";
import { copy } from "../actions/tell.js";
import { yaml } from "./draft.js";
import { draftOf, refresh, stopsAt } from "./outcome.js";

export { refresh } from "./outcome.js";
export { newView } from "./view.js";

/** Follows the form wherever it is shown. `taken()`: keys of existing experiments.
 *  @param {() => string[]} taken */
export function listenToForm(taken) {
  const formOf = (event) => event.target.closest?.("form.draft");
  document.addEventListener("input", (event) => {
    const form = formOf(event);
    if (form) refresh(form, taken(), event.target);
  });
  document.addEventListener("submit", (event) => {
    const form = formOf(event);
    if (form && !stopsAt(form, taken())) save(`${draftOf(form).key}.yaml`, "application/yaml", yaml(draftOf(form)));
  });
  document.addEventListener("click", (event) => {
    const form = formOf(event);
    const button = /** @type {Element} */ (event.target).closest("[data-do=copy-draft]");
    if (form && button && !stopsAt(form, taken())) copy(button, yaml(draftOf(form)));
  });
}
