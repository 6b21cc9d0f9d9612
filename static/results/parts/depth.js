// Depth on demand: each section opens by itself, and the link then says so.

import { h } from "./dom.js";
import { localised } from "./numbers.js";
import { CHECKS, HEALTH } from "./words.js";
import { icon } from "./icons.js";

export function depth(report, route) {
  const open = new Set((route.query.open ?? "").split(","));
  const section = (id, title, ...content) =>
    h("details", { id, class: "depth", "data-key": id, "data-section": id, open: open.has(id) }, h("summary", {}, h("h2", {}, title)), h("div", {}, content));
  return h("div", { class: "depths" }, section("checks", "Data checks", checks(report.health)));
}

const SIGNS = { ok: "check", warning: "warn", alarm: "stop" };

const checks = (health) =>
  h(
    "dl",
    { class: "checks" },
    health.checks.map((check) => {
      const [title, more] = CHECKS[check.name] ?? [check.name, ""];
      return h("div", { class: check.state }, h("dt", {}, icon(SIGNS[check.state], 18), title, h("span", { class: "chip" }, HEALTH[check.state])), h("dd", {}, localised(check.text), h("p", { class: "quiet" }, more)));
    }),
  );
