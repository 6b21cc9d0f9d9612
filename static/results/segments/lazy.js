// The numbers by segment: their script and their answer come when the section is opened.

import { h, patch } from "../ui/dom.js";

/** @type {any} */
let loading;

/** Fills the section, where it is open. */
export async function drawSegments(report, route) {
  const place = document.querySelector("#by-segment");
  if (!place) return;
  loading ??= import("./segments.js");
  try {
    const { show } = await loading;
    show(place, report, route);
  } catch {
    loading = undefined; // the next refresh tries again
    patch(place, [h("p", { class: "quiet" }, "The script of this section could not be loaded.")]);
  }
}
