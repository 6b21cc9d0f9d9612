// A quiet line while all is well, a banner when not.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { count, localised } from "./numbers.js";
import { CHECKS } from "./words.js";

const titleOf = (check) => CHECKS[check.name]?.[0] ?? check.name;

export function healthLine(health, href) {
  const found = health.checks.filter((check) => check.state !== "ok");
  if (!found.length)
    return h("p", { class: "health ok" }, icon("check", 18), `${count(health.checks.length, "data check")}, nothing found. `, h("a", { href }, "See them"));
  return h(
    "section",
    { class: `health ${health.state}`, "aria-label": "Data quality" },
    icon(health.state === "alarm" ? "stop" : "warn", 24),
    h(
      "div",
      {},
      h("h2", {}, health.state === "alarm" ? "Do not trust these numbers yet" : "Worth a look"),
      h("ul", {}, found.map((check) => h("li", {}, h("b", {}, `${titleOf(check)}: `), localised(check.text)))),
      h("p", {}, h("a", { href }, "All checks, and what they mean")),
    ),
  );
}
