// All experiments: what each one advises, how many came today, and how to find one among many.

import { spark } from "../charts/sparkline.js";
import { link } from "../data/route.js";
import { h, unseen } from "../ui/dom.js";
import { count, lift, localised, whole } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { headline, liveSince, reason, stateOf, STATES, STATUSES } from "../ui/labels.js";
import { badge } from "./verdict.js";

const MANY = 25; // from here on, rows are compact until the reader chooses

// What needs a decision comes first, within each status.
const STATUS = ["running", "paused", "stopped"];
const URGENCY = ["invalid", "winner", "loser", "equivalent", "inconclusive", "collecting"];
const urgency = (entry) => 10 * STATUS.indexOf(entry.status) + URGENCY.indexOf(entry.verdict.state);
const bestLift = (entry) => Math.max(-Infinity, ...entry.comparisons.map((c) => c.lift ?? -Infinity));

const SORTS = {
  "": ["Most urgent", (a, b) => urgency(a) - urgency(b)],
  name: ["Name", () => 0],
  visitors: ["Visitors", (a, b) => b.visitors - a.visitors],
  lift: ["Largest lift", (a, b) => bestLift(b) - bestLift(a)],
};

/** Which experiments belong to a tab. Stopped ones are in the archive. */
const TABS = {
  "": ["Active", (entry) => entry.status !== "stopped"],
  running: ["Running", (entry) => entry.status === "running"],
  paused: ["Paused", (entry) => entry.status === "paused"],
  stopped: ["Archive", (entry) => entry.status === "stopped"],
};

export function listView({ experiments }, { query }) {
  const [, inTab] = TABS[query.status ?? ""] ?? TABS[""];
  const [, order] = SORTS[query.sort ?? ""] ?? SORTS[""];
  const fitting = experiments.filter((entry) => matches(entry, query));
  const shown = fitting
    .filter(inTab)
    .sort((a, b) => order(a, b) || a.experiment.localeCompare(b.experiment, undefined, { numeric: true }));
  const compact = query.rows ? query.rows === "compact" : shown.length > MANY;
  return [
    h(
      "div",
      { class: "title" },
      h("h1", { tabindex: -1 }, "Experiments"),
      h("a", { class: "button", href: "#/+new" }, "New experiment"),
    ),
    controls(experiments, query, compact),
    h("p", { class: "unseen", role: "status" }, count(shown.length, "experiment")),
    shown.length
      ? h("ul", { class: compact ? "list compact" : "list" }, shown.map(compact ? row : item))
      : h("p", { class: "quiet none" }, "No experiment fits. ", h("a", { href: "#/" }, "Show all")),
    elsewhere(fitting.length - shown.length, query),
  ].filter(Boolean);
}

/** Every word must be part of the name, the description, the status or the verdict. */
function matches(entry, { q = "", verdict = "" }) {
  const [label] = stateOf(entry.verdict);
  const status = entry.status === "stopped" ? "stopped archive" : entry.status;
  const text = [entry.experiment, entry.description, label, headline(entry), status].join(" ").toLowerCase();
  const words = q.toLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word)) && (!verdict || entry.verdict.state === verdict);
}

/** A search shows how many fit under the other tabs. */
function elsewhere(n, query) {
  if (!n || (!query.q && !query.verdict)) return null;
  const archive = query.status === "stopped";
  const href = link("", { ...query, status: archive ? "" : "stopped" });
  return h("p", { class: "quiet" }, `${whole(n)} more under `, h("a", { href }, archive ? "Active" : "Archive"), ".");
}

function controls(experiments, query, compact) {
  const status = query.status ?? "";
  const tabs = Object.entries(TABS)
    .map(([key, [label, inTab]]) => [key, label, experiments.filter(inTab).length])
    .filter(([key, , n]) => key === "" || n);
  const states = URGENCY.filter((state) => experiments.some((entry) => entry.verdict.state === state));
  return h(
    "div",
    { class: "controls" },
    h(
      "nav",
      { class: "tabs", "aria-label": "Status" },
      tabs.map(([key, label, n]) =>
        h(
          "a",
          { href: link("", { ...query, status: key }), "aria-current": status === key ? "true" : null },
          label,
          " ",
          h("small", {}, whole(n)),
        ),
      ),
    ),
    h(
      "div",
      { class: "row finders" },
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
      choice("verdict", "Verdict", query.verdict ?? "", [
        ["", "All verdicts"],
        ...states.map((s) => [s, STATES[s][0]]),
      ]),
      choice(
        "sort",
        "Sort by",
        query.sort ?? "",
        Object.entries(SORTS).map(([key, [label]]) => [key, label]),
      ),
      h(
        "a",
        { class: "button", href: link("", { ...query, rows: compact ? "full" : "compact" }) },
        compact ? "More detail" : "Compact",
      ),
    ),
  );
}

const choice = (name, label, value, options) =>
  h(
    "label",
    { class: "choice" },
    unseen(label),
    h(
      "select",
      { id: name, "data-do": "filter", name },
      options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
    ),
  );

const dataChip = ({ health, verdict }) =>
  health !== "ok" &&
  verdict.state !== "invalid" &&
  h("span", { class: "chip warning" }, icon("warn", 14), "check the data");

const demoChip = ({ simulated }) => simulated && h("span", { class: "chip demo" }, "demo data");

const statusChip = ({ status }) => h("span", { class: `chip ${status}` }, STATUSES[status] ?? status);

function item(entry) {
  return h(
    "li",
    { "data-key": entry.experiment },
    h("h2", {}, h("a", { href: link(entry.experiment) }, entry.experiment)),
    h("p", { class: "about", dir: "auto" }, entry.description || null),
    h("p", { class: "marks" }, badge(entry.verdict), " ", statusChip(entry), " ", demoChip(entry), dataChip(entry)),
    h(
      "p",
      { class: "said" },
      h("b", {}, `${headline(entry)}.`),
      " ",
      liveSince(entry) && `${liveSince(entry)}. `,
      h("span", {}, localised(reason(entry))),
    ),
    h("p", { class: "numbers" }, h("b", {}, whole(entry.visitors)), " visitors", h("span", {}, today(entry))),
    h("p", { class: "spark" }, spark(entry.series)),
  );
}

/** One line for each of a hundred experiments. */
function row(entry) {
  const decided = entry.comparisons.find((c) => c.variant === entry.verdict.variant && c.decision !== "open");
  return h(
    "li",
    { "data-key": `row-${entry.experiment}` },
    h("h2", {}, h("a", { href: link(entry.experiment) }, entry.experiment)),
    h(
      "p",
      { class: "marks" },
      badge(entry.verdict),
      " ",
      entry.status !== "running" && statusChip(entry),
      dataChip(entry),
    ),
    h("p", { class: "said" }, headline(entry)),
    h("p", { class: "lifted" }, decided && lift(decided.lift)),
    h("p", { class: "numbers" }, whole(entry.visitors), unseen(" visitors")),
  );
}

const today = ({ visitors_today: n, status }) =>
  n === null || n === undefined || status === "stopped" ? null : `${whole(n)} today`;
