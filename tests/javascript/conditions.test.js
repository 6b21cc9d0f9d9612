// The snippet's conditions against GrowthBook's own SDK, on invented cases that have something to do with each other.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

globalThis.USES = new Proxy({}, { get: () => true }); // in the browser: what the manifest needs
const { satisfied } = await import("../../static/snippet/targeting/conditions.js");
const { GrowthBook } = createRequire(import.meta.url)("@growthbook/growthbook");

const theirs = (condition, attributes) =>
  new GrowthBook({
    attributes,
    features: { f: { defaultValue: 0, rules: [{ condition, force: 1 }] } },
  }).getFeatureValue("f", 0) == 1;

// mulberry32: the same cases each time
let state = 20261121;
const dice = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const one = (list) => list[Math.floor(dice() * list.length)];
const several = (f, most = 3) => Array.from({ length: 1 + Math.floor(dice() * most) }, f);

const SCALARS = [
  null,
  true,
  false,
  0,
  1,
  -1,
  5.5,
  10,
  "",
  "0",
  "1",
  "5",
  "10",
  "a",
  "A",
  "b c",
  "1.2.3",
  "v1.10",
  "1.2.3-rc.1",
];
const value = () => (dice() < 0.8 ? one(SCALARS) : dice() < 0.6 ? several(() => one(SCALARS)) : { k: one(SCALARS) });
const operand = {
  $eq: () => one(SCALARS),
  $ne: () => one(SCALARS),
  $lt: () => one([0, 5, 10, "5", "a"]),
  $lte: () => one([0, 5, 10, "5", "a"]),
  $gt: () => one([0, 5, 10, "5", "a"]),
  $gte: () => one([0, 5, 10, "5", "a"]),
  $exists: () => dice() < 0.5,
  $in: () => several(() => one(SCALARS)),
  $nin: () => several(() => one(SCALARS)),
  $ini: () => several(() => one(SCALARS)),
  $nini: () => several(() => one(SCALARS)),
  $regex: () => one(["a", "^a$", "\\d+", "^$", "(?=a)a", "["]),
  $regexi: () => one(["A", "^a$", "B"]),
  $type: () => one(["string", "number", "boolean", "array", "object", "null"]),
  $veq: () => one(["1.2.3", "v1.10", "1.2.3-rc.1"]),
  $vne: () => one(["1.2.3", "v1.10", "1.2.3-rc.1"]),
  $vgt: () => one(["1.2.3", "v1.9", "1.2.3-rc.1"]),
  $vgte: () => one(["1.2.3", "v1.9", "1.2.3-rc.1"]),
  $vlt: () => one(["1.2.3", "v1.11", "1.2.3-rc.1"]),
  $vlte: () => one(["1.2.3", "v1.11", "1.2.3-rc.1"]),
  $size: () => one([0, 1, 2, { $gt: 1 }]),
  $all: () => several(() => one(["a", "A", 1, "1"])),
  $alli: () => several(() => one(["a", "A", "B C"])),
  $elemMatch: () => one([{ $gt: 4 }, { $eq: "a" }, { k: "a" }]),
  $not: () => operators(),
};
const operators = () =>
  Object.fromEntries(several(() => one(Object.keys(operand)), 2).map((name) => [name, operand[name]()]));
const condition = (depth = 0) => {
  const kind = dice();
  if (depth < 2 && kind < 0.1) return { $or: several(() => condition(depth + 1)) };
  if (depth < 2 && kind < 0.2) return { $nor: several(() => condition(depth + 1)) };
  if (depth < 2 && kind < 0.3) return { $and: several(() => condition(depth + 1)) };
  if (depth < 2 && kind < 0.35) return { $not: condition(depth + 1) };
  return Object.fromEntries(
    several(() => one(["x", "y", "x.k", "x.0", "none"]), 2).map((key) => [key, dice() < 0.25 ? value() : operators()]),
  );
};

test("conditions mean what GrowthBook's SDK says", () => {
  let held = 0;
  for (let i = 0; i < 6000; i++) {
    const asked = condition();
    const attributes = { x: value(), y: value() };
    const wanted = theirs(asked, attributes);
    assert.equal(!!satisfied(asked, attributes), wanted, JSON.stringify({ asked, attributes }));
    held += wanted;
  }
  assert.ok(held > 1000 && held < 5000, `${held} of 6000 held: neither always nor never`);
});
