"""Which numbers are analysed: one experiment's tallies, for one goal, all of them or those of some days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from chalicelib.domain.manifest import Experiment
from chalicelib.domain.metrics import MetricKind, MetricName
from chalicelib.statistics import Counts
from chalicelib.statistics.stratified import harmonic_weight
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
    `began`: the day of the first cohort, where it is known without the days. `kind`: whether the variants
    are compared by the goal's rate, the mean of its values or the mean of its number."""

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
        """The same visitors, by another metric. What does not depend on the metric is computed once for all of them."""
        if metric == self.metric:
            return self
        other = replace(self, goal=metric.goal, kind=metric.kind)
        vars(other).update({name: getattr(self, name) for name in SHARED})
        return other

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

    @cached_property
    def phase_weights(self) -> dict[str, dict[int, float]]:
        """Of each variant, the weights of the phases in which it is compared with the control; empty where there are
        none. The control has the weights of its own rate.

        The weight of a phase is 1/Σ 1/n over its variants, the same for all of them. A comparison has Mantel-Haenszel
        weights of its own where its variant joined later, or where the common weights would cost more than 5 % of its
        information (a third variant had few visitors in a phase that was large for these two)."""
        control, *variants = self.experiment.variant_keys
        visitors = {variant: self._visitors(variant) for variant in self.experiment.variant_keys}
        common = self._common_weights(visitors)
        weights = {variant: _pair_weights(common, visitors[control], visitors[variant]) for variant in variants}
        compared = [own for own in weights.values() if own]
        if all(own[phase] == common[phase] for own in compared for phase in own):
            return {control: common} | weights
        of_control = {
            phase: harmonic_weight([visitors[control][phase], sum(visitors[v][phase] for v in variants)])
            for phase in common
        }
        return {control: of_control} | weights

    def _visitors(self, variant: str) -> dict[int, int]:
        """Of a variant in each phase."""
        tallies = {phase: self.arms.get(Arm(phase, variant)) for phase in self.phases}
        return {phase: tally.visitors if tally else 0 for phase, tally in tallies.items()}

    def _common_weights(self, visitors: Mapping[str, Mapping[int, int]]) -> dict[int, float]:
        """The weight of each phase in which the control and another variant were seen."""
        weights = {}
        for phase in self.phases:
            seen = [visitors[variant][phase] for variant in self.experiment.variant_keys]
            if seen[0] > 0 and any(n > 0 for n in seen[1:]):
                weights[phase] = harmonic_weight([n for n in seen if n > 0])
        return weights

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


# Of a Sample: what is the same for every metric.
SHARED = ("phases", "first_day", "totals", "phase_weights")
EFFICIENCY = 0.95  # of a comparison that common weights must keep


def _pair_weights(
    common: Mapping[int, float], control: Mapping[int, int], variant: Mapping[int, int]
) -> dict[int, float]:
    """The weights of one comparison. control, variant: visitors by phase."""
    own = {phase: harmonic_weight([control[phase], n]) for phase in common if (n := variant[phase]) > 0}
    if not own:
        return {}
    shared = {phase: common[phase] for phase in own}
    # The share of the information that the common weights keep, if all phases had the same rate.
    efficiency = sum(shared.values()) ** 2 / sum(shared[p] ** 2 / own[p] for p in own) / sum(own.values())
    return shared if efficiency >= EFFICIENCY else own


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
