"""Conditions and url patterns against the real JavaScript SDK, on thousands of invented cases: it is the reference,
for it is what browsers run."""

from __future__ import annotations

import random

import pytest

from chalicelib.domain.manifest import UrlPattern, Urls
from chalicelib.targeting.conditions import NESTED, PLAIN, satisfied
from chalicelib.targeting.javascript import less, number, text
from chalicelib.targeting.url_patterns import condition_on_url, matches, normal
from tests.support.growthbook_sdks import ask_javascript

SCALARS = [None, True, False, 0, 1, -1, 5, 5.5, 10, 1e21, "", "0", "1", "5", " 5 ", "10", "a", "A", "ß", "0x10", "true"]
TEXTS = ["a", "A b", "a.b", "1.2.3", "v1.10", "1.2.3-rc.1", "null", "[object Object]", "a,b", "x\ny", "İ", "Σ"]
REGEXES = [
    "a",
    "^a$",
    "b$",
    r"\d+",
    r"^\w+$",
    "[",
    "a|b",
    r"(?<n>a)\k<n>",
    "/",
    r"\/",
    ".",
    "[a-c]",
    "(?=a)a",
    "a{2}",
    "[^]",
    "^$",
]
PATHS = ["x", "y", "x.y", "x.0", "x.length", "missing", "$odd"]
OPERATORS = [name for name in (*PLAIN, *NESTED) if not name.startswith("$notRegex")]  # newer than this SDK
GROUPS = {
    "g": [1, "5", "a"],
    "h": {"type": "list", "attributeKey": "x", "values": ["a"]},
    "c": {"type": "condition", "condition": {"x": "a"}},
}


class Inventor:
    """Conditions and attributes that have something to do with each other."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def value(self, depth=0):
        kind = self.rng.random()
        if kind < 0.7 or depth > 1:
            return self.rng.choice(SCALARS + TEXTS)
        if kind < 0.87:
            return [self.value(depth + 1) for _ in range(self.rng.randint(0, 3))]
        return {self.rng.choice("xyz"): self.value(depth + 1) for _ in range(self.rng.randint(0, 2))}

    def attributes(self):
        return {key: self.value() for key in ("x", "y", "$odd") if self.rng.random() < 0.85}

    def operand(self, name, depth):
        if name in ("$regex", "$regexi"):
            return self.rng.choice(REGEXES)
        if name in ("$in", "$nin", "$ini", "$nini", "$all", "$alli") and self.rng.random() < 0.9:
            return [self.value(1) for _ in range(self.rng.randint(0, 3))]
        if name in ("$not", "$size", "$elemMatch"):
            return (
                self.operators(depth + 1)
                if self.rng.random() < 0.7
                else self.rng.randint(0, 3)
                if name == "$size"
                else {"x": self.value()}
            )
        if name in ("$inGroup", "$notInGroup"):
            return self.rng.choice(["g", "h", "c", "none"])
        if name == "$type":
            return self.rng.choice(["string", "number", "boolean", "array", "object", "null"])
        return self.value(1)

    def operators(self, depth=0):
        names = self.rng.sample(OPERATORS, self.rng.randint(1, 2)) if depth < 3 else ["$eq"]
        return {name: self.operand(name, depth) for name in names}

    def condition(self, depth=0):
        if depth < 2 and self.rng.random() < 0.25:
            name = self.rng.choice(["$and", "$or", "$nor", "$not"])
            several = [self.condition(depth + 1) for _ in range(self.rng.randint(0, 3))]
            return {name: self.condition(depth + 1) if name == "$not" else several}
        if self.rng.random() < 0.03:
            return {
                "$savedGroup": self.rng.choice([{"id": "h"}, {"id": "c"}, {"id": "h", "attributeKey": "y"}, {}, "h"])
            }
        plain = self.rng.random() < 0.3
        return {self.rng.choice(PATHS): self.value() if plain else self.operators()}


def test_every_operator_means_what_it_means_in_the_javascript_sdk():
    invent = Inventor(2026)
    asked = [(invent.condition(), invent.attributes()) for _ in range(10_000)]
    expected = ask_javascript([["condition", c, a, GROUPS] for c, a in asked])
    assert 1_000 < sum(expected) < 9_000  # the invention is neither always true nor always false
    found = [satisfied(c, a, GROUPS) for c, a in asked]
    assert [(*case, e) for case, f, e in zip(asked, found, expected, strict=True) if f != e][:5] == []


def test_a_plain_number_holds_for_the_same_number_as_text():
    """The one public case that we leave out (test_assignment_vectors.py) says otherwise."""
    assert satisfied({"x": 5}, {"x": "5"}) is True
    assert ask_javascript([["condition", {"x": 5}, {"x": "5"}, {}]]) == [True]


@pytest.mark.parametrize(
    ("condition", "attributes", "expected"),
    [
        ({"x": {"$notRegex": "a"}}, {"x": "b"}, True),
        ({"x": {"$notRegex": "a"}}, {"x": "a"}, False),
        ({"x": {"$notRegexi": "A"}}, {"x": "a"}, False),
        ({"x": {"$notRegex": "["}}, {"x": "a"}, False),
    ],
)
def test_what_newer_sdks_know_is_known_here(condition, attributes, expected):
    assert satisfied(condition, attributes) is expected


def test_saved_groups_that_refer_to_each_other_end():
    groups = {"a": {"type": "condition", "condition": {"$savedGroup": {"id": "b"}}}}
    groups["b"] = {"type": "condition", "condition": {"$savedGroup": {"id": "a"}}}
    assert satisfied({"$savedGroup": {"id": "a"}}, {}, groups) is False


@pytest.mark.parametrize("condition", [[], "x", 5, {"$or": 5}, {"$and": {}}, {"$unknown": 1, "x": {"$huh": 2}}])
def test_nonsense_satisfies_nobody(condition):
    assert satisfied(condition, {}) is False


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (123456789012345680000, "123456789012345680000"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_numbers_become_text_as_in_javascript(value, expected):
    assert text(value) == expected  # expected: node -p 'String(1e21)' and so on


def test_infinities_and_nothing_compare_as_numbers_do():
    assert (number("-Infinity"), less("Infinity", None), less("x", 1)) == (float("-inf"), False, None)


# --- urls ----------------------------------------------------------------------------------------------------

HOSTS = [
    "example.com",
    "shop.example.com",
    "EXAMPLE.com",
    "example.com:8080",
    "example.com:443",
    "localhost:3000",
    "example.org",
]
URL_PATHS = [
    "",
    "/",
    "/shop",
    "/shop/",
    "/shop/tea",
    "/Shop/Tea",
    "/a.b",
    "/a%20b",
    "/ä",
    "/p/12",
    "/p/12/x",
    "/shop/../p/1",
    "/a b",
    "/100%",
    "/(x)",
    "/$",
]
QUERIES = [
    "",
    "?",
    "?a=1",
    "?b=2&a=1",
    "?a=1&a=2",
    "?a=",
    "?a",
    "?a=1%202",
    "?a=x+y",
    "?ref=ad&x",
    "?a=%C3%BC",
    "?a=1?b=2",
]
HASHES = ["", "#", "#top", "#/route/1"]
SIMPLE = [
    *("*", "/", "/*", "/shop", "/shop/*", "shop/*", "/shop/*/", "*/tea", "example.com", "example.com/shop", "/sho*"),
    *("*.example.com/*", "https://example.com/shop/tea", "http://example.com/*", "/p/*?a=1", "/*?a=1&b=*", "/*?a="),
    *("/*?a=x y", "/*#top", "/*#/route/*", "/a.b", "/a b", "/ä", "/P/12", "localhost:3000/*", "?a=1", "#top"),
    *("https://example.com:8080/", "/*?ref=*d", "/(x)", "/$", "//example.com/shop", "/a%20b", "example.com?a=1"),
    *("/*?a=%C3%BC", "/100%", "/shop?", "*?*=1", "https://*/p/*", "*//*"),
]
REGEX = [
    "^/shop",
    "shop$",
    r"^https://example\.com/",
    r"/p/\d+",
    "^/(shop|p)/",
    "[^/]+/tea",
    "(?i)x",
    "^$",
    "^/$",
    r"\?a=1",
    "ä",
    "%C3%A4",
    "^/shop|^/p",
    r"[\^/]p",
    "(",
]


def urls_asked():
    rng = random.Random(7)
    for scheme in ("https", "http"):
        for _ in range(300):
            parts = (rng.choice(HOSTS), rng.choice(URL_PATHS), rng.choice(QUERIES), rng.choice(HASHES))
            yield f"{scheme}://{''.join(parts)}"


PATTERNS = [("simple", p) for p in SIMPLE] + [("regex", p) for p in REGEX]


def test_every_url_pattern_targets_what_it_targets_in_the_javascript_sdk():
    asked = [(url, kind, pattern) for url in sorted(set(urls_asked())) for kind, pattern in PATTERNS]
    expected = ask_javascript([["url", url, [{"type": k, "pattern": p, "include": True}]] for url, k, p in asked])
    assert sum(expected) > 3_000
    found = [matches(Urls(include=(UrlPattern(type=k, pattern=p),)), url) for url, k, p in asked]
    assert [(*case, e) for case, f, e in zip(asked, found, expected, strict=True) if f != e][:5] == []


def test_the_same_as_a_condition_says_the_same_to_the_javascript_sdk():
    """Browsers give the url as they hold it, so the invented ones go through `normal` first."""
    every = sorted({normal(url) for url in urls_asked()})
    asked = [
        (url, kind, pattern, side) for url in every for kind, pattern in PATTERNS for side in ("include", "exclude")
    ]
    urls = [Urls(**{side: (UrlPattern(type=k, pattern=p),)}) for _, k, p, side in asked]
    expected = [matches(u, case[0]) for u, case in zip(urls, asked, strict=True)]
    found = ask_javascript(
        [["condition", condition_on_url(u), {"url": case[0]}, {}] for u, case in zip(urls, asked, strict=True)]
    )
    assert [(*case, e) for case, f, e in zip(asked, found, expected, strict=True) if f != e][:5] == []


def test_an_exclude_wins_over_an_include():
    urls = Urls(include=(UrlPattern(pattern="/shop/*"),), exclude=(UrlPattern(pattern="*/checkout"),))
    assert matches(urls, "https://example.com/shop/tea")
    assert not matches(urls, "https://example.com/shop/checkout")


def test_a_regex_that_is_none_matches_nowhere():
    assert not matches(Urls(include=(UrlPattern(type="regex", pattern="("),)), "https://example.com/")
