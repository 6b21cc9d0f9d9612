"""Which numbers are analysed: one experiment's tallies, for one goal, all of them or those of some days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from chalicelib.domain.manifest import Experiment
from chalicelib.statistics import Counts
from chalicelib.statistics.stratified import Stratum
from chalicelib.storage.tally import Tallies, Tally


class Arm(NamedTuple):
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
        return self.start is not None or self.end is not None

    def holds(self, day: str) -> bool:
        at = date.fromisoformat(day)
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


@dataclass(frozen=True)
class Sample:
    """The tallies that count. `arms` are what is analysed; `days`, `hours` are the same by cohort and by activity.
    `began`: the day of the first cohort, where it is known without the days."""

    experiment: Experiment
    goal: str
    arms: Arms
    days: dict[str, Arms]
    hours: dict[str, Arms]
    began: date | None = None
    window: Window = Window()

    @cached_property
    def phases(self) -> tuple[int, ...]:
        """Phases in which anybody was seen, in order."""
        return tuple(sorted({arm.phase for arm, tally in self.arms.items() if tally.visitors > 0}))

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
        return self.counted(self.totals[variant])

    def counted(self, tally: Tally | None) -> Counts:
        return Counts(0, 0) if tally is None else Counts(tally.converted[self.goal], tally.visitors)

    def weights(self, phase: int) -> tuple[float, ...] | None:
        """The configured split; None for a phase that the manifest does not know."""
        phases = self.experiment.phases
        return phases[phase].weights if 0 <= phase < len(phases) else None

    def strata(self, variant: str, arms: Arms | None = None) -> list[Stratum]:
        """The control beside `variant` in each phase in which both were seen."""
        arms = self.arms if arms is None else arms
        control = self.experiment.control
        pairs = (
            Stratum(self.counted(arms.get(Arm(phase, control))), self.counted(arms.get(Arm(phase, variant))))
            for phase in self.phases
        )
        return [pair for pair in pairs if pair.a.visitors > 0 and pair.b.visitors > 0]


def select(experiment: Experiment, tallies: Tallies, goal: str, window: Window, began: date | None = None) -> Sample:
    """Leaves out variants that the experiment does not have, and days outside the window.

    With a window the arms are the sum of its days; without one the totals say the same."""
    known = set(experiment.variant_keys)
    arms: Arms = {}
    days: dict[str, Arms] = {}
    hours: dict[str, Arms] = {}
    for cell, tally in sorted(tallies.items()):
        if cell.variant not in known or (cell.span == "day" and not window.holds(cell.when)):
            continue
        into = [days.setdefault(cell.when, {})] if cell.span == "day" else []
        into += [hours.setdefault(cell.when, {})] if cell.span == "hour" else []
        into += [arms] if cell.span == ("day" if window.bounded else "total") else []
        for target in into:
            target.setdefault(Arm(cell.phase, cell.variant), Tally()).add(tally)
    return Sample(experiment, goal, arms, days, hours, began, window)


def possible(counts: Counts) -> bool:
    """More converted than visitors can come out of lost beacons; no rate can be computed from it."""
    return 0 <= counts.converted <= counts.visitors
