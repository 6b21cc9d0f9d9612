// What a reader may do next with an experiment: the commands, and the same as lines of its YAML file. The page changes
// nothing itself.

import { share } from "./notation.js";

/**
 * @typedef {object} Step
 * @property {string} id
 * @property {string} title
 * @property {string} effect what visitors notice
 * @property {string} commands
 * @property {string} yaml
 *
 * The steps that fit the experiment's status, the one that the verdict advises first.
 * @param {import("./answers.d.ts").Report} report
 * @param {string} stage
 * @returns {Step[]} */
export function nextSteps(report, stage) {
  const { experiment: key, status, verdict } = report;
  const publish = `abacus publish${stage}`;
  const control = report.variants.find((row) => row.control)?.variant ?? "";
  const others = report.variants.filter((row) => !row.control);
  // Of a loser the verdict names the worst variant, which no one ships.
  const named = verdict.state === "loser" ? null : verdict.variant;
  const winner = named ?? others.find((row) => row.variant !== verdict.variant)?.variant ?? control;
  const ship = (variant) => ({
    id: `ship-${variant}`,
    title: variant === control ? `Stop, and keep ${variant}` : `Ship ${variant}`,
    effect: `Everyone gets ${variant} within a minute of publishing. Counting ends.`,
    commands: `abacus stop ${key} --winner ${variant}\n${publish}`,
    yaml: ["status: stopped", `winner: ${variant}`, decisionLine(report, variant)].join("\n"),
  });
  const restart = {
    id: "restart",
    title: "Start again under a new key",
    effect: "New visitors, new numbers; the old numbers stay. An experiment never starts again under its old key.",
    commands: `abacus validate\n${publish}`,
    yaml: restartLines(report),
  };
  if (status === "stopped") return [restart];
  const pause = {
    id: "pause",
    title: "Pause",
    effect: `Everyone sees ${control} for now; visitors keep their variant for later.`,
    commands: `abacus pause ${key}\n${publish}`,
    yaml: "status: paused",
  };
  const resume = {
    id: "resume",
    title: "Resume",
    effect: "Visitors take part again, each in the same variant as before.",
    commands: `abacus resume ${key}\n${publish}`,
    yaml: "status: running",
  };
  const phase = {
    id: "phase",
    title: "Change the split",
    effect: "A new phase begins. Numbers are compared within each phase. Edit the last line:",
    commands: `abacus validate\n${publish}`,
    yaml: phaseLines(report),
  };
  const shippable = verdict.next === "ship" ? [winner, control] : [control, winner];
  const ends = [...new Set(shippable)].map(ship);
  const changes = [status === "paused" ? resume : pause, phase, restart];
  return ["ship", "keep", "stop"].includes(verdict.next)
    ? [...ends, ...changes]
    : [...changes.slice(0, 2), ...ends, restart];
}

/** @param {import("./answers.d.ts").Report} report */
function decisionLine({ as_of, verdict }, variant) {
  const why = verdict.variant === variant ? verdict.reason : "";
  return `decision: { at: ${as_of.slice(0, 10)}, by: YOUR NAME, text: ${JSON.stringify(why || "why you decided so")} }`;
}

/** All phases so far, and a copy of the last one to edit. */
function phaseLines({ phases }) {
  const line = ({ weights, coverage }) => {
    const shares = Object.entries(weights).map(([variant, weight]) => `${variant}: ${share(weight)}`);
    return `  - { weights: { ${shares.join(", ")} }, coverage: ${share(coverage)} }`;
  };
  const last = phases.at(-1);
  return ["phases:", ...phases.map(line), `${last ? line(last) : ""} # the new split`].join("\n");
}

function restartLines({ experiment, description, hypothesis, variants, goals }) {
  const named = goals.filter((goal) => goal !== "click");
  return [
    `key: ${nextKey(experiment)}`,
    description && `description: ${JSON.stringify(description)}`,
    hypothesis && `hypothesis: ${JSON.stringify(hypothesis)}`,
    "status: running",
    "variants:",
    ...variants.map((row) => `  - key: ${row.variant}`),
    named.length > 0 && `goals: [${named.join(", ")}]`,
  ]
    .filter(Boolean)
    .join("\n");
}

/** "cta-color" → "cta-color-2" → "cta-color-3" */
export function nextKey(key) {
  const [, stem, number] = /^(.*?)(?:-(\d+))?$/.exec(key) ?? [];
  const next = `${stem}-${Number(number ?? 1) + 1}`;
  return next.length <= 64 ? next : `${stem?.slice(0, 60)}-2`;
}
