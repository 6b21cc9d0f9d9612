// Depth on demand: each section opens by itself, and the link then says which are open. What is closed is not made.

import { isOpen } from "../data/route.js";
import { h } from "../ui/dom.js";
import { about } from "../sections/about.js";
import { checks } from "../sections/checks.js";
import { evidence } from "../sections/evidence.js";
import { days } from "../sections/days.js";
import { events } from "../sections/events.js";
import { install } from "../sections/install.js";
import { outcomes } from "../sections/outcomes.js";
import { phases } from "../sections/phases.js";

export function depth(report, route) {
  const section = (id, title, content) =>
    h(
      "details",
      { id, class: "depth", "data-key": id, "data-section": id, open: isOpen(route, id) },
      h("summary", {}, h("h2", {}, title)),
      h("div", {}, isOpen(route, id) && content()),
    );
  return h(
    "div",
    { class: "depths" },
    report.segments?.length > 0 &&
      section("segments", "By segment", () => h("div", { id: "by-segment", "data-drawn": true })),
    section("about", "What this experiment is, and its history", () => about(report)),
    section("evidence", "The statistics behind the verdict", () => evidence(report)),
    section("checks", "Data checks", () => checks(report.health)),
    section("outcomes", "What was excluded, and why", () => outcomes(report)),
    section("phases", "Phases", () => phases(report)),
    section("days", "Only some days", () => days(report, route)),
    section("events", "Live events", () => events(report)),
    section("install", "Script tag and cost", () => install(report)),
  );
}
