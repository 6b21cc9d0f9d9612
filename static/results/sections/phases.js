// Each stretch with unchanged weights, and its numbers in each variant.

import { h } from "../ui/dom.js";
import { day, NOTHING, percent, share, whole } from "../ui/format.js";
import { verb } from "../ui/labels.js";
import { table } from "../ui/table.js";

export function phases(report) {
  const { phases: all, variants, goal } = report;
  return [
    h("p", { class: "quiet" }, explanation(report)),
    table(
      "Phases",
      [
        "Phase",
        "Days (UTC)",
        "Coverage",
        ...variants.flatMap(({ variant }) => [`${variant}: split`, "visitors", verb(goal), "rate"]),
      ],
      all.map((phase) => [
        String(phase.phase),
        days(phase),
        percent(phase.coverage),
        ...variants.flatMap(({ variant }) => {
          const own = phase.variants.find((row) => row.variant === variant);
          return [share(phase.weights[variant]), whole(own?.visitors), whole(own?.converted), share(own?.rate)];
        }),
      ]),
    ),
  ];
}

function explanation({ phases: all, stratified }) {
  if (all.length === 1) return "The split has not changed since the beginning.";
  if (!stratified) return "The split changed; so far visitors came in one phase only.";
  return (
    "The split changed, so variants are compared within each phase and then averaged. " +
    "Adding phases up would compare different mixtures."
  );
}

function days({ first, last }) {
  if (!first) return NOTHING;
  return first === last ? day(first) : `${day(first)} – ${day(last)}`;
}
