// Every event ends in exactly one outcome; here are those that are not in the numbers.

import { h } from "../ui/dom.js";
import { day, NOTHING, share, whole } from "../ui/format.js";
import { docs } from "../ui/help.js";
import { EXCLUSIONS } from "../ui/labels.js";
import { table } from "../ui/table.js";

export function outcomes(report) {
  const { conservation } = report.health;
  return [
    h("p", { class: "quiet" }, "Visitors excluded from all numbers above, by variant."),
    table("Visitors excluded", ["Reason", ...report.variants.map((row) => row.variant), "All"], excluded(report)),
    h("h3", {}, "Events"),
    h(
      "p",
      {},
      `${whole(conservation.received)} events arrived: ${whole(conservation.accepted)} were accepted and `,
      `${whole(conservation.repeated)} were repeats of those`,
      conservation.received ? ` (${share(conservation.repeated / conservation.received)}), counted once. ` : ". ",
      refusals(report.refused),
      " ",
      h("a", { href: docs("outcomes") }, "What each outcome means"),
    ),
    report.outcomes?.length > 0 && [h("h3", {}, "Day by day"), byDay(report)],
  ];
}

function excluded(report) {
  const others = Object.keys(report.excluded).filter((reason) => !(reason in EXCLUSIONS));
  return [...Object.keys(EXCLUSIONS), ...others].map((reason) => [
    EXCLUSIONS[reason] ?? reason,
    ...report.variants.map((row) => whole(row.excluded?.[reason] ?? 0)),
    whole(report.excluded[reason] ?? 0),
  ]);
}

function refusals(refused) {
  const all = Object.entries(refused);
  if (!all.length) return "No event was refused.";
  const total = all.reduce((sum, [, n]) => sum + n, 0);
  return `About ${whole(total)} more were refused: ${all.map(([outcome, n]) => `${whole(n)} ${outcome}`).join(", ")}.`;
}

function byDay({ outcomes: days }) {
  const refused = [...new Set(days.flatMap((one) => Object.keys(one.refused)))].sort();
  const reasons = [...new Set(days.flatMap((one) => Object.keys(one.excluded)))].sort();
  const head = [
    "Day (UTC)",
    "Accepted",
    "Repeated",
    ...reasons.map((name) => `Excluded: ${name}`),
    ...refused.map((name) => `Refused: ${name}`),
  ];
  const cell = (n) => (n ? whole(n) : NOTHING);
  const rows = days
    .toReversed()
    .map((one) => [
      day(one.at),
      cell(one.accepted),
      cell(one.repeated),
      ...reasons.map((name) => cell(one.excluded[name])),
      ...refused.map((name) => cell(one.refused[name])),
    ]);
  return [
    table("Outcomes by day", head, rows),
    h(
      "p",
      { class: "quiet" },
      "Accepted, repeated and excluded: by the day of the visitor's first impression. ",
      "Refused: by the day of the event, approximate.",
    ),
  ];
}
