// When the numbers last came, and what failed since.

import { readKey } from "../data/request.js";
import { h } from "../ui/dom.js";
import { clock } from "../ui/format.js";
import { icon } from "../ui/icons.js";

/** @param {any} now */
export function liveLine({ at, failure, asking }) {
  if (!at) return [];
  return [
    h(
      "p",
      { class: failure ? "live late" : "live" },
      failure ? icon("warn", 16) : h("i", { class: asking ? "dot asking" : "dot" }),
      `${failure ? "Not updated since" : "Updated"} ${clock(at)}`,
    ),
    readKey.get() ? h("button", { type: "button", class: "plain", "data-do": "close" }, "Forget the key") : null,
  ].filter(Boolean);
}

/** Read aloud, so only when something is wrong, or was.
 *  @param {any} now */
export function notice({ answer, at, failure, failedAt }) {
  if (!answer || !failure) return [];
  return [
    h(
      "div",
      { class: "notice" },
      icon("warn", 20),
      h("p", {}, `Could not update at ${clock(failedAt)}: ${failure.message} These are the numbers of ${clock(at)}.`),
      h("button", { type: "button", "data-do": "retry" }, "Try now"),
    ),
  ];
}
