"""What the report says in one place it does not contradict in another, whatever happened to split and rates."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from chalicelib.domain.manifest import Experiment, Phase
from chalicelib.storage.tally import Tallies
from tests.support.builders import an_experiment
from tests.support.tallied import report_on, totals

KEYS = ("v0", "v1", "v2", "v3")
RATE = st.sampled_from([0.0, 0.003, 0.02, 0.05, 0.06, 0.2, 0.25, 0.5, 0.9, 1.0])
VISITORS = st.sampled_from([0, 1, 7, 100, 1000, 9000, 40_000, 250_000])


@st.composite
def histories(draw: st.DrawFn) -> tuple[Experiment, Tallies]:
    """One to four phases; in each, any variant may have any number of visitors, or none, and any rate."""
    keys = KEYS[: draw(st.integers(2, 4))]
    tallies: Tallies = {}
    phases = []
    for number in range(draw(st.integers(1, 4))):
        visitors = [draw(VISITORS) for _ in keys]
        level = draw(RATE)
        arms = {}
        for key, n in zip(keys, visitors, strict=True):
            rate = draw(st.one_of(st.just(level), RATE))
            arms[key] = (n, min(n, max(0, round(n * rate) + draw(st.integers(-3, 3)))))
        tallies |= totals(number, **{key: arm for key, arm in arms.items() if arm[0]})
        total = sum(visitors)
        phases.append(Phase(weights=tuple(n / total if total else 1 / len(keys) for n in visitors)))
    return an_experiment(variants=keys, phases=tuple(phases)), tallies


def read(history: tuple[Experiment, Tallies]) -> dict[str, Any]:
    experiment, tallies = history
    return report_on(tallies, experiment=experiment)


def inside(interval: list[float | None], value: float) -> bool:
    low, high = interval
    slack = 1e-9 * (1 + abs(value))
    return (low is None or low - slack <= value) and (high is None or value <= high + slack)


@settings(max_examples=400, deadline=None)
@given(histories())
def test_table_lift_interval_and_chances_agree(history: tuple[Experiment, Tallies]) -> None:
    answer = read(history)
    rows = {row["variant"]: row for row in answer["variants"]}
    control = rows["v0"]
    for c in answer["comparisons"]:
        row, lift, shrunk = rows[c["variant"]], c["lift"], c["lift_shrunk"]
        if c["p"] is None:
            continue
        assert 0 <= c["bayes"]["p_better"] <= 1
        if len(rows) == 2:  # with several variants Holm decides on more than the interval for all at once shows
            excluded = not inside(c["lift_interval"], 0.0) or (0 in c["lift_interval"] and c["decision"] != "open")
            assert excluded == (c["p"] <= 0.05) or abs(c["p"] - 0.05) < 1e-6
            assert abs(row["p_best"] - c["bayes"]["p_better"]) < 1e-6
        if lift is None:
            continue
        assert inside(c["lift_interval"], lift)
        assert (shrunk["lift"] > 0) == (lift > 0) or abs(shrunk["lift"]) < 1e-9
        assert (c["bayes"]["p_better"] > 0.5) == (lift > 0) or abs(c["bayes"]["p_better"] - 0.5) < 1e-6
        if abs(lift) > 1e-9 and row["rate"] < 1 and control["rate"]:
            assert abs(row["rate"] / control["rate"] - 1 - lift) < 1e-6 * (1 + abs(lift))
        if c["decision"] in ("winner", "loser"):
            assert inside(c["lift_interval"], shrunk["lift"])


@settings(max_examples=400, deadline=None)
@given(histories())
def test_the_verdict_agrees_with_the_table(history: tuple[Experiment, Tallies]) -> None:
    answer = read(history)
    verdict, comparisons = answer["verdict"], {c["variant"]: c for c in answer["comparisons"]}
    chances = {row["variant"]: row["p_best"] for row in answer["variants"]}
    event(verdict["state"])
    decisions = {c["decision"] for c in comparisons.values()}
    if verdict["state"] == "winner":
        best = comparisons[verdict["variant"]]
        assert best["decision"] == "winner"
        assert best["lift"] is None or best["lift"] > 0
        assert best["bayes"]["p_better"] > 0.8
        assert chances[verdict["variant"]] >= chances["v0"]  # both are 0 where a third variant is certainly the best
        winners = [v for v, c in comparisons.items() if c["decision"] == "winner"]
        assert verdict["variant"] == max(winners, key=lambda v: chances[v])
        for rival in (v for v, chance in chances.items() if chance and chance > chances[verdict["variant"]]):
            assert rival in verdict["text"].lower()
    elif verdict["state"] == "loser":
        assert "winner" not in decisions
        assert comparisons[verdict["variant"]]["bayes"]["p_better"] < 0.2
    elif verdict["state"] in ("equivalent", "inconclusive"):
        assert not decisions & {"winner", "loser"}
    bound = re.search(r"by about ([\d.]+) % \(measured ([\d.]+) %, at least ([\d.]+) %\)", verdict["text"])
    if bound:
        expected, measured, least = map(float, bound.groups())
        assert least <= expected * 1.05 <= measured * 1.05**2
