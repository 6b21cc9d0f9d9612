// Draws each figure in its place, and shows the values of the day that the reader points at.

import { looks } from "../ui/colours.js";
import { h } from "../ui/dom.js";
import { charts } from "./lazy.js";
import { readout } from "./panel.js";
import { figures, reading } from "./plots.js";

export async function draw(report, route) {
  const plot = await charts().then((module) => module.plot, showLost);
  if (!plot) return;
  const look = looks(report.variants.map((row) => row.variant));
  for (const figure of figures(report, look, route)) {
    const place = document.querySelector(`#plot-${figure.id}`);
    if (place) plot(place, figure, (index) => read(place, figure, index));
  }
}

/** The page is complete without the drawings. */
function showLost() {
  for (const place of document.querySelectorAll(".plot"))
    place.replaceChildren(h("p", { class: "quiet" }, "The chart could not be loaded. The table below has its values."));
}

/** Shows the values of one day, for the eye and for screen readers. */
function read(place, figure, index) {
  document.querySelector(`#reading-${figure.id}`)?.replaceChildren(...readout(figure, index));
  place.setAttribute("aria-valuenow", index);
  place.setAttribute("aria-valuetext", reading(figure, index));
}
