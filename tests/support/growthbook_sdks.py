"""The real GrowthBook SDKs, asked from tests."""

from __future__ import annotations

import json
import random
import subprocess
import time
from typing import Any

from growthbook import GrowthBook

from abacus.authoring.assign import decide
from abacus.paths import PROJECT, node

ASK = PROJECT / "tests" / "growthbook/ask.cjs"
NOW = round(time.time() * 1000)  # the SDKs look at no clock; only start and end of the manifest do
PLACES = {
    "a page without experiments": ("https://example.com/", {}),
    "the shop, as a Swiss pro": (
        "https://example.com/shop/tea?x=1",
        {"country": "CH", "age": 30, "plan": "pro"},
    ),
    "a numbered page, under age": ("https://example.com/p/12", {"country": "CH", "age": 17, "plan": "pro"}),
    "an advert, by tags": (
        "http://shop.example.org/any?b=1&ref=ad#x",
        {"country": "CH", "age": 18, "tags": ["y", "z", "x"]},
    ),
    "the checkout": ("https://example.com/shop/checkout", {"country": "XX"}),
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"


def visitors(count: int, seed: int = 1) -> list[str]:
    """Ids as sites have them: UUIDs, short tokens, numbers, addresses; the same ones every time."""
    rng = random.Random(seed)

    def one(index: int) -> str:
        token = "".join(rng.choices(ALPHABET, k=rng.randint(1, 40)))
        return (
            f"{rng.getrandbits(128):032x}",
            token,
            str(index),
            f"user{index}@example.com",
        )[index % 4]

    return [one(index) for index in range(count)]


def ask_javascript(questions: list[list[Any]]) -> list[Any]:
    """The answers of npm @growthbook/growthbook; see growthbook/ask.cjs for the questions."""
    done = subprocess.run(
        [node(), str(ASK)], input=json.dumps(questions), capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def assigned_by_javascript(payload: Any, url: str, attributes: Any, ids: list[str]) -> list[dict[str, Any]]:
    """For each visitor: experiment → [key of the variant or None (not enrolled), value]."""
    [answer] = ask_javascript([["assign", payload, url, attributes, ids]])
    return answer


def assigned_by_python(payload: Any, url: str, attributes: Any, ids: list[str]) -> list[dict[str, Any]]:
    """The same of PyPI growthbook, which knows features only: it has no auto experiments, hence no redirects."""
    found = []
    for visitor in ids:
        gb = GrowthBook(attributes={**attributes, "id": visitor}, url=url, features=payload["features"])
        answers = {}
        for key in payload["features"]:
            result = gb.eval_feature(key)
            enrolled = result.source == "experiment"
            answers[key] = [result.experimentResult.key if enrolled else None, result.value]
        found.append(answers)
        gb.destroy()
    return found


def ours(manifest, url, attributes, ids, sdk):
    """What we decide, in the shape in which the SDKs answer; redirects only for those who know them."""
    known = [e for e in manifest.experiments if e.status != "draft" and (sdk == "javascript" or not e.redirect)]
    return [
        {e.key: (d.variant, d.enrolled) for e in known for d in [decide(e, visitor, url, attributes, NOW)]}
        for visitor in ids
    ]


def theirs(answers, manifest):
    """(variant shown, enrolled) from [key or None, value]."""
    found = []
    for answer in answers:
        row = {}
        for key, (assigned, value) in answer.items():
            experiment = manifest.experiment(key)
            row[key] = (assigned or _variant_of(experiment, value), assigned is not None)
        found.append(row)
    return found


def _variant_of(experiment, value):
    """Not enrolled: the value says which variant is shown."""
    if experiment.redirect:
        urls = {url: key for key, url in experiment.redirect.items()}
        return urls.get(value.get("urlRedirect"), experiment.control)
    shown = {json.dumps(v.key if v.payload is None else v.payload): v.key for v in experiment.variants}
    return shown[json.dumps(value)]


def told(url, attributes):
    """A client tells an SDK the url as an attribute too: feature rules know no url patterns."""
    return attributes | {"url": url}
