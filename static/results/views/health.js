// A quiet line while all is well, a banner when not.

import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { count, localised } from "../ui/format.js";
import { titleOf } from "../ui/labels.js";

/** `visited`: somebody came, so that there was something to check. */
export function healthLine({ health, verdict }, href, visited) {
  const found = health.checks.filter((check) => check.state !== "ok" && !isSaid(check, verdict));
  if (!found.length) {
    if (!visited) return null;
    const others = health.state === "ok" ? count(health.checks.length, "data check") : "The other data checks";
    return h(
      "p",
      { class: "health ok" },
      icon("check", 18),
      h("span", {}, `${others}: nothing found. `, h("a", { href }, "See all")),
    );
  }
  const alarm = found.some((check) => check.state === "alarm");
  return h(
    "section",
    { class: `health ${alarm ? "alarm" : "warning"}`, "aria-label": "Data quality" },
    icon(alarm ? "stop" : "warn", 24),
    h(
      "div",
      {},
      h("h2", {}, alarm ? "Do not trust these numbers yet" : "Worth a look"),
      h(
        "ul",
        {},
        found.map((check) => h("li", {}, h("b", {}, `${titleOf(check.name)}: `), localised(check.text))),
      ),
      h("p", {}, h("a", { href }, "All checks, and what they mean")),
    ),
  );
}

/** The verdict of broken data is the text of what broke it. */
const isSaid = (check, { state, doubts }) => state === "invalid" && doubts.includes(check.name);
