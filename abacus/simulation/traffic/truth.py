"""What there is to find: an independent count of the simulated events, kept apart from the product's own counting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from abacus.simulation.traffic.visitors import Event, Visitor
from chalicelib.domain.manifest import Experiment, GoalValue


@dataclass
class Spent:
    """The orders of one goal in one variant, in minor units. `capped`: the sum of all visitors after the cap."""

    visitors: int = 0
    orders: int = 0
    refunds: int = 0
    total: int = 0
    capped: int = 0

    def add(self, amounts: Sequence[int], cap: int) -> None:
        """Add the orders of one visitor."""
        self.visitors += 1
        self.orders += sum(amount >= 0 for amount in amounts)
        self.refunds += sum(amount < 0 for amount in amounts)
        self.total += sum(amounts)
        self.capped += max(-cap, min(cap, sum(amounts)))


@dataclass
class ArmTruth:
    """One variant: visitors, those who clicked, those who reached each goal, and what they spent."""

    visitors: int = 0
    clicked: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    spent: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))


def count(simulated: Iterable[Visitor], experiments: Iterable[Experiment]) -> dict[tuple[str, str], ArmTruth]:
    """By experiment and variant. Of each event id once, and without goals behind the conversion window."""
    known = {experiment.key: experiment for experiment in experiments}
    arms: dict[tuple[str, str], ArmTruth] = defaultdict(ArmTruth)
    for visitor in simulated:
        by_arm: dict[tuple[str, str], dict[str, Event]] = defaultdict(dict)
        for event in (event for visit in visitor.visits for event in visit):
            by_arm[event["experiment"], event["variant"]][event["id"]] = event
        for (key, variant), events in by_arm.items():
            _count_visitor(arms[key, variant], list(events.values()), known[key])
    return dict(sorted(arms.items()))


def _count_visitor(arm: ArmTruth, events: Sequence[Event], experiment: Experiment) -> None:
    first = min(event["at"] for event in events)
    window = experiment.conversion_window_ms
    goals = [e for e in events if e["type"] == "goal" and (window is None or e["at"] - first <= window)]
    arm.visitors += 1
    arm.clicked += any(event["type"] == "click" for event in events)
    arm.reached.update({event["goal"] for event in goals})
    for goal, declared in experiment.goal_values.items():
        if amounts := [minor_units(event["value"], declared) for event in goals if event["goal"] == goal]:
            arm.spent[goal].add(amounts, declared.cap)


def minor_units(value: float, declared: GoalValue) -> int:
    """49.9 euros are 4990 cents."""
    return int(Decimal(repr(value)).scaleb(declared.decimals))


def truth(simulated: Iterable[Visitor], experiments: Iterable[Experiment]) -> Iterator[str]:
    """What the results page must show if nothing else was sent: a line per variant, and one for each of its goals."""
    known = {experiment.key: experiment for experiment in experiments}
    for (key, variant), arm in count(simulated, known.values()).items():
        yield f"{key} {variant}: {arm.visitors} visitors, {arm.clicked} clicked ({arm.clicked / arm.visitors:.2%})"
        for goal in known[key].goals:
            share = arm.reached[goal] / arm.visitors
            line = f"{key} {variant} {goal}: {arm.reached[goal]} reached it ({share:.2%})"
            declared = known[key].goal_values.get(goal)
            yield line + (f", {_money(arm.spent[goal], declared, arm.visitors)}" if declared else "")


def _money(spent: Spent, declared: GoalValue, visitors: int) -> str:
    minor = 10**declared.decimals
    refunds = f" and {spent.refunds} refunds" if spent.refunds else ""
    mean = spent.capped / visitors / minor
    return (
        f"{spent.orders} orders{refunds} of {spent.total / minor:,.{declared.decimals}f} {declared.unit}, "
        f"{mean:,.{declared.decimals + 2}f} {declared.unit} per visitor with the cap of {declared.cap / minor:g}"
    )
