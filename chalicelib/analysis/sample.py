"""Which numbers are analysed: one experiment's tallies, for one goal, all of them or those of some days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from chalicelib.domain.manifest import Experiment
from chalicelib.domain.metrics import MetricKind, MetricName
from chalicelib.statistics import Counts
from chalicelib.storage.tally import Tallies, Tally


class Arm(NamedTuple):
    """One variant in one phase."""

    phase: int
    variant: str


Arms = dict[Arm, Tally]


@dataclass(frozen=True)
class Window:
    """UTC days, inclusive; None: unbounded. A visitor belongs to the day of the first impression."""

    start: date | None = None
    end: date | None = None

    @property
    def bounded(self) -> bool:
        """Whether it leaves any day out."""
        return self.start is not None or self.end is not None

    def holds(self, day: str) -> bool:
        """Whether `day`, in ISO form, lies in it."""
        at = date.fromisoformat(day)
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


@dataclass(frozen=True)
class Sample:
    """The tallies that are analysed: `arms`; `days`, `hours` are the same by cohort and by activity.
    `began`: the day of the first cohort, where it is known without the days. `kind`: by what of the goal the variants
    are compared."""

    experiment: Experiment
    goal: str
    arms: Arms
    days: dict[str, Arms]
    hours: dict[str, Arms]
    began: date | None = None
    window: Window = Window()
    kind: MetricKind = "rate"

    @property
    def metric(self) -> MetricName:
        """What the variants are compared by."""
        return MetricName(self.goal, self.kind)

    def for_metric(self, metric: MetricName) -> Sample:
        """The same visitors, by another metric."""
        return self if metric == self.metric else replace(self, goal=metric.goal, kind=metric.kind)

    def for_goal(self, goal: str) -> Sample:
        """The same visitors, by the rate of a goal."""
        return self.for_metric(MetricName(goal))

    @cached_property
    def phases(self) -> tuple[int, ...]:
        """Phases with any visitor, in order."""
        return tuple(sorted({arm.phase for arm, tally in self.arms.items() if tally.visitors > 0}))

    @property
    def lower_is_better(self) -> bool:
        """Whether the variant with the lower number is the better one."""
        return self.goal in self.experiment.lower_is_better

    @cached_property
    def first_day(self) -> date | None:
        """The day of the first visitor that counts; None where neither days nor `began` tell."""
        seen = [day for day, arms in self.days.items() if any(tally.visitors > 0 for tally in arms.values())]
        return date.fromisoformat(min(seen)) if seen else self.began

    @cached_property
    def totals(self) -> dict[str, Tally]:
        """Each variant over all phases, in the manifest's order."""
        totals = {variant: Tally() for variant in self.experiment.variant_keys}
        for arm, tally in self.arms.items():
            totals[arm.variant].add(tally)
        return totals

    def counts(self, variant: str) -> Counts:
        """Visitors and conversions of a variant, over all phases."""
        return self.counted(self.totals[variant])

    def counted(self, tally: Tally | None) -> Counts:
        """Visitors and conversions of a tally, by this sample's goal."""
        return Counts(0, 0) if tally is None else Counts(tally.converted[self.goal], tally.visitors)

    def weights(self, phase: int) -> tuple[float, ...] | None:
        """The configured split; None for a phase that the manifest does not know."""
        phases = self.experiment.phases
        return phases[phase].weights if 0 <= phase < len(phases) else None


def select(experiment: Experiment, tallies: Tallies, goal: str, window: Window, began: date | None = None) -> Sample:
    """The sample of a goal, without variants that the experiment does not have and days outside the window.

    With a window the arms are the sum of its days; without one they are the totals."""
    known = set(experiment.variant_keys)
    arms: Arms = {}
    days: dict[str, Arms] = {}
    hours: dict[str, Arms] = {}
    source = "day" if window.bounded else "total"
    for cell, tally in sorted(tallies.items()):
        if cell.variant not in known or (cell.span == "day" and not window.holds(cell.when)):
            continue
        arm = Arm(cell.phase, cell.variant)
        if cell.span == "day":
            days.setdefault(cell.when, {}).setdefault(arm, Tally()).add(tally)
        if cell.span == "hour":
            hours.setdefault(cell.when, {}).setdefault(arm, Tally()).add(tally)
        if cell.span == source:
            arms.setdefault(arm, Tally()).add(tally)
    return Sample(experiment, goal, arms, days, hours, began, window)


def possible(counts: Counts) -> bool:
    """Whether a rate can be computed: lost events can leave more conversions than visitors."""
    return 0 <= counts.converted <= counts.visitors
