// Each data check: what it found, and what it looks for.

import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { CHECKS, HEALTH } from "../ui/labels.js";
import { prose } from "../ui/prose.js";

const SIGNS = { ok: "check", warning: "warn", alarm: "stop" };

export const checks = ({ checks: all }) =>
  h(
    "dl",
    { class: "checks" },
    all.map(({ name, state, text }) => {
      const [title, more] = CHECKS[name] ?? [name, ""];
      return h(
        "div",
        { class: state },
        h("dt", {}, icon(SIGNS[state], 18), title, " ", h("span", { class: "chip" }, HEALTH[state])),
        h("dd", {}, prose(text), h("p", { class: "quiet" }, more)),
      );
    }),
  );
