// The same page for the visitors who first came on some days only.

import { h } from "../ui/dom.js";
import { day } from "../ui/format.js";
import { here } from "../data/route.js";

export function days({ window, series, age }) {
  const first = age?.first ?? series[0]?.at;
  return h(
    "form",
    { "data-do": "days", class: "days" },
    h(
      "p",
      { class: "quiet" },
      "Numbers of the visitors first seen on these days (UTC), and of all they have done until now. Choosing days by how they look makes every interval too narrow.",
    ),
    h("label", { for: "from" }, "From"),
    h("input", { id: "from", name: "from", type: "date", value: window?.from, min: first }),
    h("label", { for: "to" }, "To"),
    h("input", { id: "to", name: "to", type: "date", value: window?.to, min: first }),
    h("button", { type: "submit", class: "second" }, "Show these days"),
  );
}

/** Said on top, so that nobody takes a part for the whole. */
export function onlyDays({ window }, route) {
  if (!window?.from && !window?.to) return null;
  const said = [window.from && `from ${day(window.from)}`, window.to && `to ${day(window.to)}`]
    .filter(Boolean)
    .join(" ");
  return h(
    "p",
    { class: "notice" },
    h(
      "span",
      {},
      `Only visitors first seen ${said} (UTC). `,
      h("a", { href: here(route, { from: "", to: "" }) }, "Show all days"),
    ),
  );
}
