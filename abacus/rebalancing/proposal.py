"""Which weights an experiment should go on with, and why, from what GET /stats/{experiment} answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from abacus.authoring.problems import listed
from abacus.rebalancing.weights import FLOOR, MOST, top_two, towards, whole_percents, with_control, with_floor
from abacus.shares import percent
from chalicelib.analysis.wording import count

LEAST_VISITORS = 100  # of each variant, before its chance to be the best means anything
LEAST_CHANGE = 0.05  # a smaller one is not worth a phase
WEEK = 7  # days: every phase has each weekday


@dataclass(frozen=True)
class Standing:
    """One variant as it is now. weight: its share; p_best: the chance that it is the best, None before a comparison."""

    variant: str
    weight: float
    visitors: int
    p_best: float | None


@dataclass(frozen=True)
class Proposal:
    """The weights to go on with, in the order of the variants; None: leave them as they are. why: sentences."""

    weights: tuple[float, ...] | None
    why: tuple[str, ...]


def stay(*why: str) -> Proposal:
    """A proposal to change nothing."""
    return Proposal(None, why)


def propose(report: Mapping[str, Any], floor: float = FLOOR) -> Proposal:
    """The weights that `report`, an answer of GET /stats/{experiment}, speaks for.

    `floor`: the least share of each variant, 0 ... 1/variants."""
    verdict, phase = report["verdict"], report["phases"][report["phase"]]
    alarms = [check["name"] for check in report["health"]["checks"] if check["state"] == "alarm"]
    if alarms:
        return stay(f"The check {listed(alarms)} raises an alarm: find out why before the numbers move visitors.")
    # Traffic that is too small for a decision soon is a reason to spend it better, not to stop.
    if verdict["next"] != "wait" and verdict["state"] != "inconclusive":
        return stay(f"There is nothing left to find out: {verdict['text']}")
    if not phase["first"]:
        return stay("No visitor has come yet since the weights changed.")
    age = (date.fromisoformat(report["as_of"][:10]) - date.fromisoformat(phase["first"])).days
    if age < WEEK:
        return stay(f"The weights are {count(age, 'day')} old. They stay for a week, so that they see every weekday.")
    return reweigh([Standing(v["variant"], v["weight"], v["visitors"], v["p_best"]) for v in report["variants"]], floor)


def reweigh(standings: Sequence[Standing], floor: float = FLOOR) -> Proposal:
    """New weights for the variants that have any; the first one is the control, and the chances decide."""
    active = [s for s in standings if s.weight > 0]
    few = [s.variant for s in active if s.visitors < LEAST_VISITORS]
    chances = [s.p_best for s in active if s.p_best is not None]
    if few or len(chances) < len(active) or len(active) < 2:
        missing = few or [s.variant for s in active if s.p_best is None]
        return stay(f"Too few visitors in {listed(missing)}: each variant needs {LEAST_VISITORS} first.")
    before = [s.weight for s in active]
    wanted = with_floor(with_control(top_two(chances)), floor)
    moved = [max(share, floor) for share in towards(before, wanted)]
    percents = whole_percents([share / sum(moved) for share in moved])
    percents = _raised(percents, floor)
    after = [n / 100 for n in percents]
    if max(abs(new - old) for old, new in zip(before, after, strict=True)) < LEAST_CHANGE:
        return stay(*_why_not(active, floor))
    new = dict(zip((s.variant for s in active), after, strict=True))
    return Proposal(tuple(new.get(s.variant, 0.0) for s in standings), tuple(_why(active, wanted, floor)))


def _raised(percents: list[int], floor: float) -> list[int]:
    """Rounding must not take a variant below the floor: the largest share gives what is missing."""
    least = -int(-floor * 100 // 1)
    raised = [max(n, least) for n in percents]
    raised[raised.index(max(raised))] -= sum(raised) - 100
    return raised


def _why(active: Sequence[Standing], wanted: Sequence[float], floor: float) -> list[str]:
    order = sorted(active, key=lambda s: -(s.p_best or 0.0))
    if len(active) == 2:
        return ["With two variants an even split decides soonest, whichever of them leads."]
    lines = [f"{s.variant} is the best with a chance of {percent(round(s.p_best or 0.0, 3))}." for s in order]
    lines.append(
        f"Visitors go where they decide soonest: half to the probable best, half to its rivals, at least "
        f"{percent(floor)} to each, and to the control as many as to the largest, because all are compared with it."
    )
    if max(abs(new - s.weight) for s, new in zip(active, wanted, strict=True)) > MOST + 1e-9:
        goal = listed([f"{s.variant} {percent(round(share, 2))}" for s, share in zip(active, wanted, strict=True)])
        lines.append(f"The aim is {goal}; a share changes by at most {percent(MOST)} at once.")
    idle = [s.variant for s in active if s.weight < floor]
    if idle:
        lines.append(f"At once up to the floor: {listed(idle)}, below it now.")
    return lines


def _why_not(active: Sequence[Standing], floor: float) -> list[str]:
    if len(active) == 2:
        return ["Two variants are split evenly already, which decides soonest, whichever of them leads."]
    return [f"The best weights differ by less than {percent(LEAST_CHANGE)} from today's; that is not worth a phase."]
