"""`abacus plan`: how many visitors it takes to see a lift, and how long that is."""

from __future__ import annotations

import math

import click

from chalicelib.analysis.planning import Needed, needed, whole_weeks
from chalicelib.analysis.wording import count, percent, split
from chalicelib.statistics.power import POWER


@click.command("plan")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True, max_open=True), required=True)
@click.option("--lift", type=click.FloatRange(-1, min_open=True), required=True, help="To detect; 0.1 is 10 % better.")
@click.option("--variants", type=click.IntRange(2, 20), default=2, show_default=True)
@click.option("--weights", help="The split where it is not even, the control first: 0.9,0.1")
@click.option("--per-day", type=click.FloatRange(0, min_open=True), help="Visitors of the page per day.")
@click.option("--coverage", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="Share of them to enroll.")
def command(
    rate: float, lift: float, variants: int, weights: str | None, per_day: float | None, coverage: float
) -> None:
    """Visitors per variant to detect LIFT over a RATE of visitors who convert.

    Reckons as the report does for an experiment with `minimum_detectable_effect: LIFT`.
    """
    shares = _weights(weights) if weights else [1 / variants] * variants
    found = needed(rate, lift, shares, tau=abs(lift))
    if found is None:
        reached = f"a rate of {percent(rate)} would become {percent(rate * (1 + lift))}"
        raise click.UsageError(f"--lift: there is nothing to detect, {reached}")
    click.echo(describe(found, shares, per_day * coverage if per_day else None))


def _weights(text: str) -> list[float]:
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"--weights: {text!r} is not numbers with commas between, such as 0.9,0.1") from None
    if len(weights) < 2 or not all(0 < w < math.inf for w in weights):
        raise click.UsageError(f"--weights: {text!r} needs two or more numbers above 0, such as 0.9,0.1")
    return weights


def describe(found: Needed, weights: list[float], per_day: float | None) -> str:
    """The answer in a few lines."""
    becomes = f"{percent(found.rate, 3)} becomes {percent(found.rate * (1 + found.lift), 3)}"
    lines = [
        f"To detect a lift of {percent(found.lift)} ({becomes}) in {percent(POWER)} of cases, {len(weights)} variants "
        f"split {split(weights)}:",
        _needs("looking as often as you like", found.visitors, per_day),
        _needs("a single look at the end", found.fixed, per_day),
    ]
    if per_day is None:
        lines.append("How long is that? Add --per-day VISITORS.")
    return "\n".join(lines)


def _needs(how: str, visitors: tuple[int, ...], per_day: float | None) -> str:
    even = len(set(visitors)) == 1
    each = f"{count(visitors[0], 'visitor')} per variant" if even else " + ".join(f"{n:,}" for n in visitors)
    text = f"  {how}: {each}, {sum(visitors):,} in all"
    if per_day is None:
        return text
    days = whole_weeks(math.ceil(sum(visitors) / per_day))
    return f"{text}: {days} days ({count(days // 7, 'week')})"
