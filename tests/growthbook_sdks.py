"""The real GrowthBook SDKs, asked from tests."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from growthbook import GrowthBook

NODE = shutil.which("node") or str(Path(__file__).parents[1] / ".venv/bin/node")
ASK = Path(__file__).parent / "growthbook/ask.cjs"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"


def visitors(count: int, seed: int = 1) -> list[str]:
    """Ids as sites have them: UUIDs, short tokens, numbers, addresses; the same ones every time."""
    dice = random.Random(seed)

    def one(index: int) -> str:
        token = "".join(dice.choices(ALPHABET, k=dice.randint(1, 40)))
        return (
            f"{dice.getrandbits(128):032x}",
            token,
            str(index),
            f"user{index}@example.com",
        )[index % 4]

    return [one(index) for index in range(count)]


def ask_javascript(questions: list[list[Any]]) -> list[Any]:
    """The answers of npm @growthbook/growthbook; see growthbook/ask.cjs for the questions."""
    done = subprocess.run(
        [NODE, str(ASK)], input=json.dumps(questions), capture_output=True, text=True, check=True, timeout=120
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
