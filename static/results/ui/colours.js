// Each variant's colour and dash. Colour is never alone: lines differ in dash, swatches repeat it, rows name it.

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

/** variant → {hue, dash, index}. A variant called green is drawn green. Up to 64 variants, no two look the same.
 *  @param {string[]} variants */
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
  const used = new Set();
  return Object.fromEntries(
    variants.map((key, index) => {
      const hue = named[index] && !taken.has(named[index]) ? named[index] : (free.shift() ?? HUES[index % HUES.length]);
      taken.add(hue);
      let dash = index % DASHES.length;
      while (used.has(`${hue} ${dash}`)) dash = (dash + 1) % DASHES.length;
      used.add(`${hue} ${dash}`);
      return [key, { hue, dash: DASHES[dash], index }];
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

/** The colour that the style sheet calls `--name`, as rgb(). Canvas does not understand light-dark(), which is why an
 *  element resolves it. */
export function colour(name, alpha = 1) {
  probe ??= document.querySelector("#main");
  const before = probe.style.outlineColor;
  probe.style.outlineColor = `var(--${name})`;
  const rgb = getComputedStyle(probe).outlineColor;
  probe.style.outlineColor = before;
  return alpha === 1 ? rgb : rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
}

/** @type {any} */
let probe;
