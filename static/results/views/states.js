// The page without numbers: loading, no experiments, no key, no answer.

import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";

export const skeleton = () => [
  h(
    "div",
    { class: "skeleton", "aria-hidden": "true" },
    h("i", { class: "line wide" }),
    h("i", { class: "card" }),
    h("i", { class: "line" }),
    h("i", { class: "line" }),
    h("i", { class: "line" }),
  ),
  h("p", { class: "unseen", role: "status" }, "Loading the results"),
];

const panel = (sign, title, ...rest) =>
  h("section", { class: "empty" }, icon(sign, 48), h("h1", { tabindex: -1 }, title), rest);

/** Four steps, from a script that comes later.
 *  @param {any} answer
 *  @param {{module: any}} later */
export const noExperiments = ({ latest_refusals: refusals = [] }, { module }) =>
  panel("hourglass", "No experiments yet", h("p", {}, "Four steps to the first one:"), module?.firstSteps(refusals));

/** @param {any} failure */
export function askForKey({ refused, link, message }) {
  const wrong = link ? message.replace(/^X-Read-Key: t/, "T") : "That key was not accepted.";
  return h(
    "section",
    { class: "empty" },
    icon("lock", 48),
    h("h1", { tabindex: -1 }, "These results need a key"),
    h(
      "p",
      {},
      "Ask the person who set up ABacus. The key stays in this tab until you close it, and never in an address.",
    ),
    h(
      "form",
      { "data-do": "key", class: "key" },
      h("label", { for: "key" }, "Read key"),
      h(
        "p",
        {},
        h("input", {
          id: "key",
          name: "key",
          type: "password",
          autocomplete: "off",
          required: true,
          "aria-invalid": refused ? "true" : null,
          "aria-describedby": refused ? "key-wrong" : null,
        }),
        h("button", { type: "submit" }, "Show the results"),
      ),
      refused && h("p", { id: "key-wrong", class: "wrong", role: "alert" }, icon("warn", 18), wrong),
    ),
  );
}

const TITLES = {
  offline: ["You are offline", "The page tries again as soon as there is a connection."],
  unreachable: ["The server cannot be reached", "The page keeps trying."],
  slow: ["The server takes too long", "The page keeps trying."],
  busy: ["The server is busy", "The page keeps trying."],
  missing: ["No such experiment", "It may have another name now, or was never published."],
  wrong: ["The server does not understand this link", ""],
  garbled: ["This is not an answer of ABacus", "Something between here and the server answered instead."],
  server: ["The server has a problem", "The page keeps trying."],
};

export function failed(failure) {
  const [title, more] = TITLES[failure.kind] ?? TITLES.server;
  return panel(
    failure.kind === "missing" ? "dots" : "warn",
    title,
    h("p", {}, failure.message, " ", more),
    h(
      "p",
      { class: "row" },
      h("button", { type: "button", "data-do": "retry" }, "Try now"),
      h("a", { class: "button", href: "#/" }, "All experiments"),
    ),
  );
}
