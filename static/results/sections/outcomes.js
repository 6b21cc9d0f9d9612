// Every event ends in exactly one outcome; here is where those went that are not in the numbers.

import { h } from "../ui/dom.js";
import { day, NOTHING, share, whole } from "../ui/format.js";
import { table } from "../ui/table.js";
import { EXCLUSIONS } from "../ui/labels.js";

export function outcomes(report) {
  const { conservation } = report.health;
  return [
    h("p", { class: "quiet" }, "Visitors who were left out of all numbers above, in each variant."),
    table("Visitors left out", ["Reason", ...report.variants.map((row) => row.variant), "All"], left(report)),
    h("h3", {}, "Events"),
    h(
      "p",
      {},
      `${whole(conservation.received)} events came in: ${whole(conservation.accepted)} were accepted and ${whole(conservation.repeated)} were repeats of those`,
      conservation.received ? ` (${share(conservation.repeated / conservation.received)}), counted once. ` : ". ",
      refusals(report.refused),
    ),
    report.outcomes?.length > 0 && [h("h3", {}, "Day by day"), byDay(report)],
  ];
}

function left(report) {
  const reasons = Object.keys(EXCLUSIONS).concat(
    Object.keys(report.excluded).filter((reason) => !(reason in EXCLUSIONS)),
  );
  return reasons.map((reason) => [
    EXCLUSIONS[reason] ?? reason,
    ...report.variants.map((row) => whole(row.excluded?.[reason] ?? 0)),
    whole(report.excluded[reason] ?? 0),
  ]);
}

function refusals(refused) {
  const known = Object.entries(refused);
  if (!known.length) return "No event was refused.";
  return `About ${whole(known.reduce((sum, [, n]) => sum + n, 0))} more were refused: ${known.map(([outcome, n]) => `${whole(n)} ${outcome}`).join(", ")}.`;
}

function byDay({ outcomes: days }) {
  const refused = [...new Set(days.flatMap((one) => Object.keys(one.refused)))].sort();
  const excluded = [...new Set(days.flatMap((one) => Object.keys(one.excluded)))].sort();
  const head = [
    "Day (UTC)",
    "Accepted",
    "Repeated",
    ...excluded.map((name) => `Left out: ${name}`),
    ...refused.map((name) => `Refused: ${name}`),
  ];
  const cell = (n) => (n ? whole(n) : NOTHING);
  const rows = days
    .toReversed()
    .map((one) => [
      day(one.at),
      cell(one.accepted),
      cell(one.repeated),
      ...excluded.map((name) => cell(one.excluded[name])),
      ...refused.map((name) => cell(one.refused[name])),
    ]);
  return [
    table("Outcomes by day", head, rows),
    h(
      "p",
      { class: "quiet" },
      "Accepted, repeated and left out: by the day on which the visitor first came. Refused: by the day on which the event came; about right.",
    ),
  ];
}
