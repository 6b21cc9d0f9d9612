// Each variant's colour, dash and number. Colour is never alone: lines differ in dash, swatches repeat it, rows name it.

import { h } from "./dom.js";

const HUES = ["blue", "orange", "green", "purple", "red", "teal", "brown", "pink"];
const ALIAS = {
  violet: "purple",
  grey: "brown",
  gray: "brown",
  yellow: "orange",
  magenta: "pink",
  cyan: "teal",
  turquoise: "teal",
};
export const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 5], [4, 2], [1, 5], [12, 2, 2, 2, 2, 2]];

/** variant → {hue, dash, index}. A variant called green is drawn green: another colour would be a puzzle. */
export function looks(variants) {
  const named = variants.map((key) => {
    const words = key
      .toLowerCase()
      .split(/[-_]/)
      .map((word) => ALIAS[word] ?? word);
    return HUES.find((hue) => words.includes(hue));
  });
  const free = HUES.filter((hue) => !named.includes(hue));
  const taken = new Set();
  return Object.fromEntries(
    variants.map((key, index) => {
      let hue = named[index] && !taken.has(named[index]) ? named[index] : free.shift();
      hue ??= HUES[index % HUES.length];
      taken.add(hue);
      return [key, { hue, dash: DASHES[index % DASHES.length], index }];
    }),
  );
}

/** A short piece of a variant's line, to stand beside its name. */
export function swatch({ hue, dash }) {
  return h(
    "svg",
    { class: `swatch ${hue}`, width: 22, height: 12, "aria-hidden": "true" },
    h("line", { x1: 1, x2: 21, y1: 6, y2: 6, "stroke-dasharray": dash.join(" ") || null }),
  );
}
