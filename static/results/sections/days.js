// The same page for the visitors who were first seen on some days only.

import { here } from "../data/route.js";
import { h } from "../ui/dom.js";

const DAY = 86_400_000; // milliseconds

export function days(report, route) {
  const { window, series, age } = report;
  const first = age.first ?? series[0]?.at;
  const input = (id, label) => [
    h("label", { for: id }, label),
    h("input", { id, name: id, type: "date", value: window[id], min: first }),
  ];
  return h(
    "form",
    { "data-do": "days", class: "days" },
    h(
      "p",
      { class: "quiet" },
      "Visitors first seen on these days (UTC), with all they have done until now. ",
      "Choosing days by how they look makes every interval too narrow.",
    ),
    h(
      "nav",
      { class: "tabs small", "aria-label": "Days" },
      shortcuts(report).map(([label, from]) =>
        h(
          "a",
          {
            href: here(route, { from, to: "" }),
            "aria-current": (window.from ?? "") === from && !window.to ? "true" : null,
          },
          label,
        ),
      ),
    ),
    input("from", "From"),
    input("to", "To"),
    h("button", { type: "submit", class: "second" }, "Show these days"),
  );
}

/** [label, first day]: the last weeks, counted back from the answer's own day, and the phase that runs now. Of chosen
 *  days the answer does not tell when that phase began. */
export function shortcuts({ as_of, phases, window }) {
  const back = (n) => new Date(Date.parse(as_of.slice(0, 10)) - (n - 1) * DAY).toISOString().slice(0, 10);
  const since = phases.length > 1 && !window.from && !window.to ? phases.at(-1).first : null;
  return [
    ["All days", ""],
    ["Last 7 days", back(7)],
    ["Last 14 days", back(14)],
    ["Last 28 days", back(28)],
    ...(since ? [["Since the last phase", since]] : []),
  ];
}
