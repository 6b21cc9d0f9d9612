// The results page's words and numbers, without a browser.
// Run by tests/javascript/test_results.py, or: node --test tests/javascript
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { language: process.env.LANGUAGE_OF_PAGE ?? "en-GB" } });
const { chance, interval, lift, localised, money, pValue, share, whole } = await import(
  "../../static/results/ui/format.js"
);
const { here, link, parse } = await import("../../static/results/data/route.js");
const { looks } = await import("../../static/results/ui/colours.js");
const { axis, ticks } = await import("../../static/results/charts/bars.js");
const { labels } = await import("../../static/results/charts/uplot.js");
const { csv } = await import("../../static/results/actions/download.js");
const { reason } = await import("../../static/results/ui/labels.js");
const { highlighted } = await import("../../static/results/charts/highlight.js");
const { nextKey, nextSteps } = await import("../../static/results/data/next_steps.js");
const { stageOption } = await import("../../static/results/data/notation.js");
const { problems, yaml } = await import("../../static/results/form/draft.js");
const { perDay, visitorsPerVariant, wholeWeeks } = await import("../../static/results/form/planning.js");
const { signLink } = await import("../../static/results/actions/link.js");
const LINKS = JSON.parse(readFileSync(new URL("../fixtures/read_links.json", import.meta.url), "utf8"));
const PLANNING = JSON.parse(readFileSync(new URL("../fixtures/planning.json", import.meta.url), "utf8"));
const german = navigator.language === "de-DE";

test("numbers are written as the reader's language does", { skip: !german }, () => {
  assert.equal(whole(1234567), "1.234.567");
  assert.equal(share(0.12345), "12,3\u00a0%");
  assert.equal(lift(-0.0456), "−4,6\u00a0%");
});

test("the server's English numbers become the reader's own", { skip: !german }, () => {
  assert.equal(
    localised("green beats blue by 12.5 % (at least 3 %)."),
    "green beats blue by 12,5\u00a0% (at least 3\u00a0%).",
  );
  assert.equal(localised("1,234 visitors saw green"), "1.234 visitors saw green");
  assert.equal(localised("between -0.5 % and 1.4 % apart"), "between −0,5\u00a0% and 1,4\u00a0% apart");
});

test("what only looks like a number stays", () => {
  const same = "v2 beats v1-3 in a 50/50 split since 2026-11-21 around 13:00 UTC: `abacus rebuild 12`, from-50, 1.2.3";
  assert.equal(localised(same), same);
});

test("rates keep three digits, and nothing is ever certain", { skip: german }, () => {
  assert.deepEqual([0.5, 0.0512, 0, 1, null, NaN].map(share), ["50.0%", "5.12%", "0.0%", "100.0%", "–", "–"]);
  assert.deepEqual([0.99999, 0.98, 0, null].map(chance), ["> 99.9%", "98.0%", "< 0.1%", "–"]);
  assert.deepEqual([0.5, 0.01234, 0.00001].map(pValue), ["0.5", "0.012", "< 0.0001"]);
});

test("lifts always have a sign, and an open end says so", { skip: german }, () => {
  assert.deepEqual([0.3, -0.05, 0, 12].map(lift), ["+30%", "−5.0%", "0.0%", "+1,200%"]);
  assert.equal(interval([-0.1, null]), "−10% to ∞");
  assert.equal(interval(null), "–");
});

test("an axis writes all its values with the decimals that their distance needs", { skip: german }, () => {
  assert.deepEqual(labels("amount", [3, 3.25, 3.5]), ["3.00", "3.25", "3.50"]);
  assert.deepEqual(labels("amount", [3, 3.5, 4]), ["3.0", "3.5", "4.0"]);
  assert.deepEqual(labels("percent", [0.05, 0.075]), ["5.0%", "7.5%"]);
  assert.deepEqual(labels("signed", [-0.2, 0, 0.2]), ["−20%", "0%", "+20%"]);
});

test("dollars have cents, and nothing is for nothing", { skip: german }, () => {
  assert.equal(interval([1.758, 1234.5], money), "$1.76 to $1,234.50");
  assert.deepEqual([0.0049, 0, null].map(money), ["< $0.01", "< $0.01", "–"]);
});

test("a link leads to where it says, whatever the experiment is called", () => {
  const query = { goal: "signup", open: "checks,about", rate: "day" };
  assert.deepEqual(parse(link("cta-color", query)), { experiment: "cta-color", query });
  assert.equal(here(parse("#/hero?goal=signup&rate=day"), { goal: "" }), "#/hero?rate=day");
  assert.deepEqual(parse("#/%"), { experiment: "", query: {} });
  assert.deepEqual(parse(""), { experiment: "", query: {} });
});

test("a variant called green is green, and no two share colour and dash", () => {
  const found = looks(["blue", "dark-green", "control", "b", "c", "d", "e", "f", "g", "h"]);
  assert.deepEqual([found.blue.hue, found["dark-green"].hue, found.control.hue], ["blue", "green", "orange"]);
  const all = Object.values(found)
    .slice(0, 8)
    .map(({ hue, dash }) => `${hue} ${dash}`);
  assert.equal(new Set(all).size, 8);
});

test("the common axis holds 0 and every interval, but not the sky", () => {
  const { from, to } = axis([
    { lift: 0.1, lift_interval: [0.05, 0.2] },
    { lift: 0.02, lift_interval: [-0.1, 90] },
  ]);
  assert.ok(from < -0.1 && to > 0.2 && to < 1);
  assert.deepEqual(
    ticks(-0.11, 0.32).map((n) => n.toFixed(1)),
    ["0.0", "0.2"],
  );
});

test("an experiment without a comparison has an axis too", () => {
  assert.ok(axis([{ lift: null, lift_interval: null }]).to > 0);
});

test("the CSV quotes what needs it and leaves empty what is not known", () => {
  const point = {
    at: "2026-11-21",
    comparisons: [{ variant: 'b"', lift: 0.5, lift_interval: [null, 2] }],
    variants: [
      {
        variant: 'b"',
        visitors: 4,
        expected: 5.5,
        converted: 1,
        rate: 0.25,
        impressions: 6,
        clicks: 1,
        cumulative: { visitors: 40, converted: 10, rate: 0.25 },
      },
    ],
  };
  const report = { experiment: "a,b", goal: "click", metric: { name: "click" }, series: [point] };
  const [head, row, end] = csv(report).split("\r\n");
  assert.equal(
    head,
    "experiment,goal,day,variant,visitors,expected,converted,rate,impressions,clicks,metric,mean," +
      "visitors_so_far,converted_so_far,rate_so_far,mean_so_far,lift_so_far,lift_low,lift_high",
  );
  assert.equal(row, '"a,b",click,2026-11-21,"b""",4,5.5,1,0.25,6,1,click,,40,10,0.25,,0.5,,2');
  assert.equal(end, "");
});

test("the reason of a winner names the checks it should survive first", () => {
  const entry = (state, doubts) => ({ verdict: { state, doubts, reason: "B beats a by 30 %." } });
  assert.equal(reason(entry("winner", [])), "B beats a by 30 %.");
  const doubted = reason(entry("winner", ["novelty", "srm"]));
  assert.equal(doubted, "B beats a by 30 %. Check first: “Drift” and “Split”.");
  assert.equal(reason(entry("invalid", ["srm"])), "B beats a by 30 %.");
});

test("the form plans the same number of visitors as `abacus plan`", () => {
  for (const { rate, lift, variants, visitors } of PLANNING.cases)
    assert.equal(visitorsPerVariant(rate, lift, variants), visitors, `${rate} ${lift} ${variants}`);
  assert.equal(visitorsPerVariant(0.9, 0.2, 2), null);
  assert.deepEqual([0, 9].map(wholeWeeks), [7, 14]);
});

test("the traffic is that of the last seven complete days", () => {
  const series = [9, 1, 1, 1, 1, 1, 1, 8, 99].map((visitors) => ({ at: "", visitors }));
  assert.equal(perDay(series), 2);
  assert.equal(perDay(null), null);
});

test("a variant keeps its own colour and dash among twenty", () => {
  const keys = Array.from({ length: 20 }, (_, n) => `v${n}`);
  assert.equal(new Set(Object.values(looks(keys)).map(({ hue, dash }) => `${hue} ${dash}`)).size, 20);
});

test("of many variants the control, the winner and the largest lifts are highlighted", () => {
  const keys = ["a", "b", "c", "d", "e", "f", "g"];
  const report = {
    variants: keys.map((variant, n) => ({ variant, control: n === 0 })),
    comparisons: keys.slice(1).map((variant, n) => ({ variant, lift: n / 10 })),
    verdict: { variant: "b" },
  };
  assert.deepEqual(highlighted(report, { query: {} }), ["a", "b", "f", "g"]);
  assert.deepEqual(highlighted(report, { query: { lines: "d,zebra" } }), ["d"]);
});

const report = (status, next, variant) => ({
  experiment: "cta",
  status,
  as_of: "2026-11-21T12:00:00Z",
  description: "",
  hypothesis: "",
  goals: ["click"],
  variants: [
    { variant: "blue", control: true },
    { variant: "green", control: false },
  ],
  phases: [{ weights: { blue: 1 / 3, green: 2 / 3 }, coverage: 0.125 }],
  verdict: { next, variant, reason: 'Green "beats" blue.' },
});

test("the step that the verdict advises comes first", () => {
  const first = (...state) => nextSteps(report(...state), " --stage prod")[0];
  assert.equal(
    first("running", "ship", "green").commands,
    "abacus stop cta --winner green\nabacus publish --stage prod",
  );
  assert.equal(first("running", "keep", "green").commands.split("\n")[0], "abacus stop cta --winner blue");
  assert.equal(first("running", "wait", null).yaml, "status: paused");
  assert.equal(first("paused", "wait", null).yaml, "status: running");
  assert.equal(first("running", "fix", null).id, "pause");
  assert.deepEqual(
    nextSteps(report("stopped", "ship", "green"), "").map((step) => step.id),
    ["restart"],
  );
});

test("the lines of a step keep quotes and thirds as they are", () => {
  const steps = nextSteps(report("running", "ship", "green"), "");
  assert.match(steps[0].yaml, /text: "Green \\"beats\\" blue\."/);
  const [phase] = steps.filter((step) => step.id === "phase");
  assert.match(phase.yaml, /blue: 0\.3333333333333333, green: 0\.6666666666666666 }, coverage: 12\.5 %/);
});

test("the next key counts up and is never too long", () => {
  assert.deepEqual(["cta", "cta-2", "cta-v1"].map(nextKey), ["cta-2", "cta-3", "cta-v1-2"]);
  assert.ok(nextKey("x".repeat(64)).length <= 64);
});

test("only an ABacus on this machine needs no stage", () => {
  assert.deepEqual(["localhost", "127.0.0.1", "example.org"].map(stageOption), ["", "", " --stage prod"]);
});

const draft = {
  key: "cta",
  description: "",
  hypothesis: "",
  page: "",
  variants: "a\nb",
  goal: "",
  guardrail: "",
  margin: "5",
  lift: "10",
  coverage: "100",
  visitors: "",
  rate: "",
};

test("a draft names each field that is wrong", () => {
  assert.deepEqual(problems(draft, []), {});
  const wrong = { ...draft, key: "CTA", variants: "a a", goal: "Sign up", lift: "0", coverage: "101", visitors: "-1" };
  assert.deepEqual(Object.keys(problems(wrong, [])), ["key", "variants", "goal", "lift", "coverage", "visitors"]);
  assert.match(problems({ ...draft, guardrail: "click" }, []).guardrail, /decides already/);
  assert.match(problems(draft, ["cta"]).key, /exists already/);
});

test("the file of a draft has no field that only repeats a default", () => {
  assert.deepEqual(yaml(draft).trim().split("\n").slice(1), [
    "key: cta",
    "status: running",
    "variants: # the first one is the control",
    "  - key: a",
    "  - key: b",
    "minimum_detectable_effect: 10 %",
  ]);
});

test("a link is signed as the service checks it", async () => {
  for (const { read_key, stage, scope, expires, token } of LINKS)
    assert.equal(await signLink(read_key, stage, scope, expires), token);
});
