import { h } from "../ui/dom.js";
import { day, NOTHING, percent, share, whole } from "../ui/format.js";
import { table } from "../ui/table.js";

/** Each stretch with unchanged weights, and what came of it in each variant. */
export function phases({ phases: all, variants, stratified, goal }) {
  const verb = goal === "click" ? "clicked" : `reached ${goal}`;
  return [
    h(
      "p",
      { class: "quiet" },
      all.length === 1
        ? "The split has not changed since the beginning."
        : stratified
          ? "The split changed, so variants are compared within each phase and then averaged. Adding phases up would compare different mixtures."
          : "The split changed; so far visitors came in one phase only.",
    ),
    table(
      "Phases",
      [
        "Phase",
        "Days (UTC)",
        "Of visitors",
        ...variants.flatMap(({ variant }) => [`${variant}: split`, "visitors", verb, "rate"]),
      ],
      all.map((phase) => [
        String(phase.phase),
        phase.first
          ? phase.first === phase.last
            ? day(phase.first)
            : `${day(phase.first)} – ${day(phase.last)}`
          : NOTHING,
        percent(phase.coverage),
        ...variants.flatMap(({ variant }) => {
          const own = phase.variants?.find((row) => row.variant === variant);
          return [share(phase.weights[variant]), whole(own?.visitors), whole(own?.converted), share(own?.rate)];
        }),
      ]),
    ),
  ];
}
