// All experiments: what each one says to do, who came today, and whether anybody still does.

import { h, unseen } from "../ui/dom.js";
import { link } from "../data/route.js";
import { count, localised, whole } from "../ui/format.js";
import { spark } from "../charts/sparkline.js";
import { badge } from "./verdict.js";
import { reason, STATUSES } from "../ui/labels.js";
import { noExperiments } from "./states.js";
import { icon } from "../ui/icons.js";

// What somebody has to do something about comes first, within each status.
const STATUS = ["running", "paused", "stopped"];
const URGENCY = ["invalid", "winner", "loser", "equivalent", "inconclusive", "collecting"];
const place = (entry) => 10 * STATUS.indexOf(entry.status) + URGENCY.indexOf(entry.verdict.state);

export function listView({ experiments }, { query }) {
  if (!experiments.length) return [noExperiments()];
  const shown = experiments
    .filter((entry) => matches(entry, query))
    .sort((a, b) => place(a) - place(b) || a.experiment.localeCompare(b.experiment));
  return [
    h("h1", { tabindex: -1 }, "Experiments"),
    controls(experiments, query),
    h("p", { class: "unseen", role: "status" }, count(shown.length, "experiment")),
    shown.length
      ? h("ul", { class: "list" }, shown.map(item))
      : h("p", { class: "quiet none" }, "No experiment fits. ", h("a", { href: "#/" }, "Show all")),
  ];
}

function matches(entry, { q = "", status = "", verdict = "" }) {
  const text = `${entry.experiment} ${entry.description ?? ""}`.toLowerCase();
  const words = q.toLowerCase().split(/\s+/);
  return (
    words.every((word) => text.includes(word)) &&
    (!status || entry.status === status) &&
    (!verdict || entry.verdict.state === verdict)
  );
}

function controls(experiments, query) {
  const having = (status) => experiments.filter((entry) => entry.status === status).length;
  const choice = (status, label, n) =>
    h(
      "a",
      { href: link("", { ...query, status }), "aria-current": (query.status ?? "") === status ? "true" : null },
      label,
      h("small", {}, whole(n)),
    );
  return h(
    "div",
    { class: "controls" },
    h(
      "nav",
      { class: "tabs", "aria-label": "Status" },
      choice("", "All", experiments.length),
      STATUS.filter(having).map((status) => choice(status, STATUSES[status], having(status))),
    ),
    h(
      "label",
      { class: "search" },
      unseen("Search experiments"),
      h("input", {
        type: "search",
        id: "q",
        placeholder: "Search",
        value: query.q ?? "",
        "data-do": "search",
        autocomplete: "off",
        spellcheck: "false",
      }),
    ),
  );
}

function item(entry) {
  const alarmed = entry.health && entry.health !== "ok" && entry.verdict.state !== "invalid";
  return h(
    "li",
    { "data-key": entry.experiment, class: entry.verdict.state },
    h("h2", {}, h("a", { href: link(entry.experiment) }, entry.experiment)),
    h("p", { class: "about" }, entry.description || null),
    h(
      "p",
      { class: "marks" },
      badge(entry.verdict),
      h("span", { class: `chip ${entry.status}` }, STATUSES[entry.status] ?? entry.status),
      entry.simulated && h("span", { class: "chip demo" }, "demo data"),
      alarmed && h("span", { class: "chip warning" }, icon("warn", 14), "check the data"),
    ),
    h("p", { class: "said" }, h("b", {}, `${entry.verdict.headline}.`), " ", h("span", {}, localised(reason(entry)))),
    h("p", { class: "numbers" }, h("b", {}, whole(entry.visitors)), " visitors", h("span", {}, today(entry))),
    h("p", { class: "spark" }, spark(entry.series)),
  );
}

const today = ({ visitors_today: n, status }) => (n == null || status === "stopped" ? null : `${whole(n)} today`);
