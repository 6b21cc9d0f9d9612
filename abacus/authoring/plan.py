"""`abacus plan`: how many visitors it takes to detect a lift, and how long that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import click

from abacus.options import CHANGE, SHARE
from abacus.shares import as_number
from abacus.shares import percent as exact_percent
from chalicelib.analysis.comparison import EQUIVALENCE_MARGIN
from chalicelib.analysis.duration.needed import Needed, attainable, needed, needed_for_equivalence, whole_weeks
from chalicelib.analysis.wording import count, percent, split
from chalicelib.statistics.power import POWER


@dataclass(frozen=True)
class PlannedTraffic:
    """The visitors to plan with. per_day: of the page, None if it is not known. coverage: the share of them who take
    part. margin: relative differences up to it count as none."""

    per_day: float | None
    coverage: float
    margin: float

    @property
    def participants_per_day(self) -> float | None:
        """Visitors per day who take part; None if that is not known."""
        return self.per_day * self.coverage if self.per_day else None


@click.command("plan")
@click.option("--rate", type=SHARE, required=True, help="Share of visitors who convert today, such as '4 %'.")
@click.option("--lift", type=CHANGE, required=True, help="Relative change to detect: '10 %' turns 4 % into 4.4 %.")
@click.option("--variants", type=click.IntRange(2, 20), default=2, show_default=True, help="How many variants.")
@click.option("--weights", metavar="SHARES", help="An uneven split, the control first: '90 %, 10 %'.")
@click.option("--per-day", type=click.FloatRange(0, min_open=True), help="Visitors of the page per day.")
@click.option(
    "--margin", type=SHARE, default=EQUIVALENCE_MARGIN, help="Differences up to it count as none. Default: 1 %."
)
@click.option("--coverage", type=SHARE, default=1.0, help="Share of them who take part. Default: 100 %.")
def command(rate: float, lift: float, variants: int, weights: str | None, **options: Any) -> None:
    """Calculate how many visitors each variant needs to detect LIFT over RATE.

    A positive LIFT is planned for both directions, better and worse, by the one that needs more visitors. The report
    plans the same way for `minimum_detectable_effect: LIFT` and `equivalence_margin: MARGIN`."""
    traffic = PlannedTraffic(**options)
    for option, value in (("--rate", rate), ("--coverage", traffic.coverage)):
        if value <= 0 or (option == "--rate" and value >= 1):
            raise click.UsageError(f"{option}: {exact_percent(value)} leaves nothing to plan; write a share like 4 %")
    if lift <= -1:
        raise click.UsageError(f"--lift: {exact_percent(lift)} is impossible; a rate can fall by less than 100 %")
    shares = parse_weights(weights) if weights else [1 / variants] * variants
    answer = needed(rate, lift, shares)
    if answer is None or not attainable(rate, lift):
        reached = f"a rate of {percent(rate)} would become {percent(rate * (1 + lift))}"
        raise click.UsageError(f"--lift: there is nothing to detect, {reached}")
    click.echo(describe(answer, shares, traffic.participants_per_day, traffic.margin))


def parse_weights(text: str) -> list[float]:
    """`90 %, 10 %` or `0.9,0.1` as shares that add up to 1. Raises UsageError with value, rule and next step."""
    weights = [as_number(part.strip()) for part in text.split(",")]
    known = [weight for weight in weights if weight is not None and weight > 0]
    if len(known) < len(weights) or len(weights) < 2:
        raise click.UsageError(f"--weights: {text!r} is not a list of shares above 0; write '90 %, 10 %' or 0.9,0.1")
    if not math.isclose(sum(known), 1, abs_tol=1e-6):
        raise click.UsageError(
            f"--weights: {text} add up to {exact_percent(sum(known))}, not to 100 %; "
            "leave --weights out for an even split"
        )
    return known


def describe(answer: Needed, weights: list[float], per_day: float | None, margin: float = EQUIVALENCE_MARGIN) -> str:
    """The answer in a few lines. `per_day`: visitors who take part per day; None: unknown. `margin`: the relative
    difference that counts as none."""
    rate = answer.rate or 0.0
    equivalent = needed_for_equivalence(rate, margin, weights)
    becomes = f"{percent(rate, 3)} becomes {percent(rate * (1 + answer.lift), 3)}"
    lines = [
        f"To detect a lift of {percent(answer.lift)} ({becomes}) in {percent(POWER)} of cases, "
        f"{len(weights)} variants split {split(weights)}:",
        _needs("looking as often as you like", answer.visitors, per_day),
        _needs("a single look at the end", answer.fixed, per_day),
    ]
    if equivalent:
        lines.append(_needs(f"to show that nothing differs by more than {percent(margin)}", equivalent, per_day))
    if per_day is None:
        lines.append("How long does that take? Add --per-day VISITORS.")
    return "\n".join(lines)


def _needs(how: str, visitors: tuple[int, ...], per_day: float | None) -> str:
    even = len(set(visitors)) == 1
    each = f"{count(visitors[0], 'visitor')} per variant" if even else " + ".join(f"{n:,}" for n in visitors)
    text = f"  {how}: {each}, {sum(visitors):,} in all"
    if per_day is None:
        return text
    days = whole_weeks(math.ceil(sum(visitors) / per_day))
    return f"{text}: {days} days ({count(days // 7, 'week')})"
