// A quiet line while all is well, a banner when not.

import { h } from "../ui/dom.js";
import { count } from "../ui/format.js";
import { term } from "../ui/help.js";
import { icon } from "../ui/icons.js";
import { titleOf } from "../ui/labels.js";
import { prose } from "../ui/prose.js";

/** `href`: all checks; `visited`: visitors came, so there was something to check. */
export function healthLine({ health, verdict }, href, visited) {
  const shown = health.checks.filter((check) => check.state !== "ok" && !isInVerdict(check, verdict));
  if (!shown.length) return visited ? fine(health, href) : null;
  const alarm = shown.some((check) => check.state === "alarm");
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
        shown.map((check) => h("li", {}, h("b", {}, `${titleOf(check.name)}: `), prose(check.text))),
      ),
      h("p", {}, h("a", { href }, "All checks, and what they mean")),
    ),
  );
}

function fine(health, href) {
  const checked = health.state === "ok" ? count(health.checks.length, "data check") : "The other data checks";
  return h(
    "p",
    { class: "health ok" },
    icon("check", 18),
    h("span", {}, term("checks", checked), ": nothing found. ", h("a", { href }, "See all")),
  );
}

/** The verdict on broken data already tells the check that failed. */
const isInVerdict = (check, { state, doubts }) => state === "invalid" && doubts.includes(check.name);
