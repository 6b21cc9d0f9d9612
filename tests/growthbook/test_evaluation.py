"""One experiment in one context, step by step: thousands of invented ones against the real JavaScript SDK."""

from __future__ import annotations

import random
from collections import Counter

from abacus.growthbook.evaluation import Context, forced_by_url, in_namespace, place, ranges, run
from tests.support.growthbook_sdks import ask_javascript

OFF = {"id": "off", "condition": {"value": True}}
FEATURES = {
    "on": {"defaultValue": True},
    "off": {"defaultValue": False},
    "forced": {"defaultValue": 1, "rules": [{"force": 2, "condition": {"country": "CH"}}, {"force": 3}]},
    "split": {"defaultValue": "none", "rules": [{"variations": ["a", "b"], "coverage": 0.7, "hashVersion": 2}]},
    "gated": {"defaultValue": True, "rules": [{"parentConditions": [OFF | {"gate": True}]}, {"force": 5}]},
    "skipped": {"defaultValue": True, "rules": [{"parentConditions": [OFF], "force": 7}, {"force": 5}]},
    "circle": {"defaultValue": True, "rules": [{"parentConditions": [{"id": "circle", "condition": {}}]}]},
}
VALUES = [True, False, 1, 2, 3, 5, 7, "a", "b", "none", None]
URLS = ["", "https://example.com/shop?x=1", "https://example.com/?exp=1", "https://example.com/?exp=7#exp=0"]
URLS += ["https://example.com/?exp=1x&exp=0", "https://example.com/?a=1?exp=1", "https://example.com/?exp", "/?exp=%31"]


class Inventor:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def maybe(self, chance, value):
        return value if self.rng.random() < chance else None

    def slots(self, count):
        cuts = sorted(round(self.rng.random(), 2) for _ in range(2 * count))
        return [[cuts[2 * i], cuts[2 * i + 1]] for i in range(count)]

    def weights(self, count):
        given = [self.rng.random() for _ in range(count)]
        total = sum(given) * self.rng.choice([1, 1, 1, 1.005, 2])
        return [w / total for w in given][: self.rng.choice([count, count, count, 1])]

    def experiment(self):
        rng, count = self.rng, self.rng.choice([1, 2, 2, 2, 3, 5])
        pick = rng.choice
        fields = {
            "coverage": self.maybe(0.4, pick([0, 0.1, 0.5, 1, 1.5, -1])),
            "weights": self.maybe(0.4, self.weights(count)),
            "ranges": self.maybe(0.1, self.slots(count)),
            "seed": self.maybe(0.3, pick(["", "s", "ü"])),
            "hashVersion": self.maybe(0.6, pick([1, 2, 2, 2, 3])),
            "hashAttribute": self.maybe(0.2, pick(["id", "company", "missing"])),
            "namespace": self.maybe(0.15, ["n", *sorted([rng.random(), rng.random()])]),
            "filters": self.maybe(0.15, [self.filter() for _ in range(rng.randint(1, 2))]),
            "condition": self.maybe(0.15, pick([{"country": "CH"}, {"country": {"$ne": "CH"}}, {}])),
            "urlPatterns": self.maybe(0.1, self.targets()),
            "parentConditions": self.maybe(0.2, [self.parent() for _ in range(rng.randint(1, 2))]),
            "status": self.maybe(0.2, pick(["draft", "running", "stopped"])),
            "active": self.maybe(0.1, pick([True, False])),
            "force": self.maybe(0.1, pick([0, 1, 9, -1])),
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return {"key": "exp", "variations": list(range(count))} | given

    def filter(self):
        attribute = self.maybe(0.3, self.rng.choice(["company", "missing"]))
        version = self.maybe(0.3, self.rng.choice([1, 2, 3]))
        given = {"seed": "f", "ranges": self.slots(2), "attribute": attribute, "hashVersion": version}
        return {name: value for name, value in given.items() if value is not None}

    def targets(self):
        patterns = [("simple", "/shop"), ("simple", "*"), ("regex", "^/shop"), ("regex", "example")]
        return [
            {"type": kind, "pattern": pattern, "include": self.rng.random() < 0.8}
            for kind, pattern in self.rng.sample(patterns, self.rng.randint(0, 2))
        ]

    def parent(self):
        value = self.rng.choice(VALUES)
        return {"id": self.rng.choice([*FEATURES, "missing"]), "condition": {"value": value}}

    def context(self):
        visitor = self.rng.choice([f"v{self.rng.randint(0, 10**6)}", self.rng.randint(0, 99), "", None, 1.5, "é"])
        fields = {
            "attributes": {"id": visitor, "company": "acme", "country": self.rng.choice(["CH", "DE"])},
            "url": self.rng.choice(URLS) if self.rng.random() < 0.4 else "",
            "forcedVariations": {"exp": self.rng.choice([0, 1, 9])} if self.rng.random() < 0.1 else {},
            "qaMode": self.rng.random() < 0.1,
            "enabled": self.rng.random() < 0.95,
        }
        return fields | {"features": FEATURES}


def test_an_experiment_runs_as_in_the_javascript_sdk():
    invent = Inventor(2026)
    asked = [(invent.experiment(), invent.context()) for _ in range(6_000)]
    expected = [tuple(answer) for answer in ask_javascript([["run", *case] for case in asked])]
    found = []
    for experiment, context in asked:
        context = Context(
            attributes=context["attributes"],
            url=context["url"],
            forced=context["forcedVariations"],
            features=context["features"],
            enabled=context["enabled"],
            qa=context["qaMode"],
        )
        result = run(experiment, context)
        found.append((result.index, result.enrolled, result.counted))
    assert [(*case, e) for case, f, e in zip(asked, found, expected, strict=True) if f != e][:3] == []
    met = Counter((enrolled, counted) for _, enrolled, counted in expected)
    assert set(met) == {(True, True), (True, False), (False, False)}
    assert min(met.values()) > 300


def test_an_unknown_hash_version_places_nobody():
    assert place("seed", "a", 3) is None


def test_weights_that_make_no_sense_become_equal_ones():
    assert ranges(2, 2, [0.9, 0.9]) == [(0.0, 0.5), (0.5, 1.0)]


def test_the_older_namespaces_hash_by_version_one():
    """By GrowthBook's documentation: fnv1a32(value + "__" + name) % 1000 / 1000."""
    at = place("__pricing", "u1", 1)
    assert at is not None
    assert (in_namespace("u1", ["pricing", at, 1]), in_namespace("u1", ["pricing", 0, at])) == (True, False)


def test_the_first_of_two_forced_indices_counts():
    assert forced_by_url("exp", "https://example.com/?exp=0&exp=1", 2) == 0
    assert forced_by_url("exp", "https://example.com/?exp=x&exp=1", 2) is None
