// Which lines stand out where there are many: the control, the variant of the verdict and the largest lifts, or those
// that the reader chose. The others are drawn thin and grey.

import { here } from "../data/route.js";
import { swatch } from "../ui/colours.js";
import { h } from "../ui/dom.js";

const MANY = 5; // up to here every line is highlighted
const FEW = 4; // of many, as many are highlighted until the reader chooses

/** The highlighted variants, in the manifest's order. `?lines=a,b` in the address chooses.
 *  @returns {string[]} */
export function highlighted({ variants, comparisons, verdict }, { query }) {
  const keys = variants.map((row) => row.variant);
  const chosen = (query.lines ?? "").split(",").filter((key) => keys.includes(key));
  if (chosen.length) return keys.filter((key) => chosen.includes(key));
  if (keys.length <= MANY) return keys;
  const control = variants.find((row) => row.control)?.variant;
  const byLift = [...comparisons].sort((a, b) => (b.lift ?? -Infinity) - (a.lift ?? -Infinity)).map((c) => c.variant);
  const first = [...new Set([control, verdict.variant, ...byLift])].filter((key) => keys.includes(key)).slice(0, FEW);
  return keys.filter((key) => first.includes(key));
}

/** One button for each line; null where there are few. */
export function lineChoice(report, look, route) {
  if (report.variants.length <= MANY) return null;
  const shown = highlighted(report, route);
  const toggled = (key) => (shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key]);
  return h(
    "nav",
    { class: "tabs small lines", "aria-label": "Highlighted in the charts" },
    h("p", { class: "quiet" }, "Highlighted in the charts:"),
    report.variants.map(({ variant }) =>
      h(
        "a",
        {
          href: here(route, { lines: toggled(variant).join(",") }),
          "aria-current": shown.includes(variant) ? "true" : null,
        },
        swatch(look[variant]),
        h("span", {}, variant),
      ),
    ),
  );
}
