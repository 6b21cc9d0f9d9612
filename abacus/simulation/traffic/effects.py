"""What simulated visitors do: who clicks, who reaches a goal, what they spend. The truth that is there to find.

A place names to whom a number belongs: `hero:bold` is the variant `bold` of the experiment `hero`, `hero:bold.purchase`
its goal `purchase`, and `hero:bold@device=mobile` its visitors on phones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import click

from abacus.shares import parse_share, percent
from abacus.simulation.traffic.traits import Shares, parse_shares
from chalicelib.domain.event import MAX_VALUE
from chalicelib.domain.manifest import Experiment, GoalValue
from chalicelib.domain.segments import OTHER, marker

RATE = 0.10  # share of visitors who click at least once, where nothing else is said
GOAL_AFTER_CLICK = 0.4  # share of those who clicked that reach a goal, for each goal
GOAL_WITHOUT = 0.01  # and of those who did not
ORDER = 50.0  # mean of an order, in the goal's unit
SPREAD = 0.5  # of an order's logarithm: one of two orders lies between 0.7 and 1.4 times the median
SECOND_ORDER = 0.15  # share of those with an order who have another one

Numbers = Mapping[str, float]


class Order(NamedTuple):
    """One goal event with a value: milliseconds after the visit began, and the value. A refund is negative."""

    after_ms: int
    value: float


@dataclass(frozen=True)
class Effects:
    """By place: `rates`, the share of visitors who click, or reach a goal; `values`, the mean of an order in the goal's
    unit; `refunds`, the share of orders that are refunded in full. `spread`: the standard deviation of an order's
    logarithm; orders are log-normal, 0.5 as in many shops, 1.5 with a heavy tail. `shares`: who comes, by segment."""

    rates: Numbers = field(default_factory=dict)
    values: Numbers = field(default_factory=dict)
    refunds: Numbers = field(default_factory=dict)
    spread: float = SPREAD
    shares: Shares = field(default_factory=dict)

    def click_rate(self, arm: str, markers: Sequence[str]) -> float:
        """Of visitors of `arm`, such as hero:bold, whose segments are `markers`, such as device=mobile."""
        return found(self.rates, arm, markers, RATE)

    def goal_rate(self, arm: str, goal: str, markers: Sequence[str], *, clicks: bool) -> float:
        """Of those visitors of the arm who click, or of those who do not."""
        wanted = found(self.rates, f"{arm}.{goal}", markers, math.nan)
        if math.isnan(wanted):
            return GOAL_AFTER_CLICK if clicks else GOAL_WITHOUT
        return split_rate(wanted, self.click_rate(arm, markers), clicks=clicks)

    def orders(self, rng: random.Random, place: str, markers: Sequence[str], declared: GoalValue) -> Iterator[Order]:
        """Those of one visitor who reaches the goal of `place`."""
        mean, refunds = found(self.values, place, markers, ORDER), found(self.refunds, place, markers, 0.0)
        return drawn_orders(rng, declared.decimals, mean=mean, spread=self.spread, refunds=refunds)


def found(numbers: Numbers, place: str, markers: Sequence[str], default: float) -> float:
    """The number of a place: by segment where there is one."""
    return next((numbers[name] for name in (*(f"{place}@{m}" for m in markers), place) if name in numbers), default)


def split_rate(rate: float, click_rate: float, *, clicks: bool) -> float:
    """The part of `rate` that those who click have, or those who do not: together it is `rate`, and those who click
    reach the goal forty times as often, where that is possible.

    >>> round(split_rate(0.049, 0.1, clicks=True), 3), round(split_rate(0.049, 0.1, clicks=False), 3)
    (0.4, 0.01)
    """
    without = rate / (GOAL_AFTER_CLICK / GOAL_WITHOUT * click_rate + 1 - click_rate)
    with_click = min(1.0, without * GOAL_AFTER_CLICK / GOAL_WITHOUT)
    if clicks:
        return with_click
    return (rate - click_rate * with_click) / (1 - click_rate) if click_rate < 1 else 0.0


def drawn_orders(rng: random.Random, decimals: int, *, mean: float, spread: float, refunds: float) -> Iterator[Order]:
    """One or two orders, each perhaps refunded. Values have at most `decimals` decimals, as the manifest declares."""
    for number in range(1 + (rng.random() < SECOND_ORDER)):
        amount = mean * math.exp(rng.gauss(0, spread) - spread**2 / 2)
        value = min(max(round(amount, decimals), 10**-decimals), MAX_VALUE)
        after_ms = 20_000 + number * 5_000
        yield Order(after_ms, value)
        if rng.random() < refunds:
            yield Order(after_ms + 20_000, -value)


def parse_numbers(
    option: str, given: Sequence[str], experiments: Sequence[Experiment], read: Callable[[str], float]
) -> dict[str, float]:
    """`PLACE=NUMBER` as number by place. `option`: rates, values or refunds; of the last two the place has a goal with
    values. Raises click.BadParameter."""
    places = {place: valued for e in experiments for place, valued in _places(e)}
    wanted = [place for place, valued in places.items() if option == "rates" or valued]
    numbers = {}
    for text in given:
        name, _, number = text.rpartition("=")
        place, _, where = name.partition("@")
        if place not in wanted:
            raise click.BadParameter(_unknown(place, places, wanted, option))
        markers = _markers(experiments, place.partition(":")[0])
        if where and where not in markers:
            known = f"has the segments {', '.join(markers)}" if markers else "has no segments"
            raise click.BadParameter(f"{name!r}: {place.partition(':')[0]} {known}")
        try:
            numbers[name] = read(number)
        except ValueError as error:
            raise click.BadParameter(f"{text}: {number!r} {error}") from None
    return numbers


def _places(experiment: Experiment) -> Iterator[tuple[str, bool]]:
    """Each place of an experiment, and whether it is a goal with values."""
    for variant in experiment.variant_keys:
        yield f"{experiment.key}:{variant}", False
        for goal in experiment.goals:
            yield f"{experiment.key}:{variant}.{goal}", goal in experiment.goal_values


def _markers(experiments: Sequence[Experiment], key: str) -> list[str]:
    return [marker(s.name, v) for e in experiments if e.key == key for s in e.segments for v in (*s.values, OTHER)]


def _unknown(place: str, places: Mapping[str, bool], wanted: Sequence[str], option: str) -> str:
    if not wanted:
        return f"--{option} needs a goal with values, and no running experiment has one"
    reason = "has no values" if place in places else "does not run here"
    return f"{place!r} {reason}; write one of {', '.join(wanted)}"


def parse_amount(text: str) -> float:
    """A mean of orders. Raises ValueError.

    >>> parse_amount("42.50")
    42.5
    """
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 < amount <= MAX_VALUE:
        raise ValueError(f"is not an amount: write a number above 0, at most {MAX_VALUE:,}, such as 42.50")
    return amount


def parse_effects(
    experiments: Sequence[Experiment],
    *,
    rates: Sequence[str] = (),
    values: Sequence[str] = (),
    refunds: Sequence[str] = (),
    shares: Sequence[str] = (),
    spread: float = SPREAD,
) -> Effects:
    """The effects that the options of `abacus simulate` name. Raises click.BadParameter."""
    return Effects(
        rates=parse_numbers("rates", rates, experiments, parse_share),
        values=parse_numbers("values", values, experiments, parse_amount),
        refunds=parse_numbers("refunds", refunds, experiments, parse_share),
        spread=spread,
        shares=parse_shares(shares, experiments),
    )


def plan_lines(experiments: Sequence[Experiment], effects: Effects) -> Iterator[str]:
    """What the visitors will do: one line for each variant, and one for each exception by segment."""
    for experiment in experiments:
        for variant in experiment.variant_keys:
            arm = f"{experiment.key}:{variant}"
            yield f"{arm}: {'; '.join(_behaviour(experiment, arm, effects))}"
            for noun, numbers in (("rate", effects.rates), ("value", effects.values), ("refunds", effects.refunds)):
                for place, number in numbers.items():
                    if "@" in place and place.partition("@")[0] in (arm, *(f"{arm}.{g}" for g in experiment.goals)):
                        yield f"  {place}: {noun} {f'{number:g}' if noun == 'value' else percent(number)}"


def _behaviour(experiment: Experiment, arm: str, effects: Effects) -> Iterator[str]:
    yield f"{percent(effects.click_rate(arm, ()))} click"
    for goal in experiment.goals:
        place = f"{arm}.{goal}"
        rate = effects.rates.get(place)
        words = [f"{goal} {percent(GOAL_AFTER_CLICK)} of those" if rate is None else f"{goal} {percent(rate)}"]
        if declared := experiment.goal_values.get(goal):
            refunds = effects.refunds.get(place, 0.0)
            words.append(f"{effects.values.get(place, ORDER):g} {declared.unit} an order")
            words += [f"{percent(refunds)} refunded"] if refunds else []
        yield ", ".join(words)
