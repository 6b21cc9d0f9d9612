"""One experiment's visitors by one segment: a sample for each value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from chalicelib.analysis.metrics.family import primary_metric
from chalicelib.analysis.sample import Arm, Sample
from chalicelib.domain.manifest import Experiment, Segment
from chalicelib.domain.segments import OTHER, marker
from chalicelib.storage.tally import Tallies, Tally


@dataclass(frozen=True)
class SegmentSamples:
    """name: of the segment. whole: all visitors. by_value: those of each value that has any visitor or exclusion, in
    the manifest's order."""

    name: str
    whole: Sample
    by_value: dict[str, Sample]

    @cached_property
    def without(self) -> int:
        """Visitors without any value: an older version of the service counted them."""
        return _visitors(self.whole) - sum(_visitors(sample) for sample in self.by_value.values())

    def pairs(self) -> Iterator[tuple[str, Sample, str]]:
        """Every value with its sample and each variant but the control."""
        for value, sample in self.by_value.items():
            for variant in sample.experiment.variant_keys[1:]:
                yield value, sample, variant


def select_by(experiment: Experiment, segment: Segment, totals: Tallies, tallies: Tallies) -> SegmentSamples:
    """The samples of a segment that the experiment has.

    totals: of the experiment. tallies: by segment; those of other segments are left out."""
    return samples_by(experiment, segment.name, (*segment.values, OTHER), totals, tallies)


def samples_by(
    experiment: Experiment, name: str, values: Iterable[str], totals: Tallies, tallies: Tallies
) -> SegmentSamples:
    """The samples of each of `values`, whose tallies are under the marker of `name` and value."""
    goal = primary_metric(experiment).goal
    whole = _sample(experiment, goal, {cell: tally for cell, tally in totals.items() if cell.span == "total"})
    by_value: dict[str, Sample] = {}
    for value in values:
        wanted = marker(name, value)
        own = {cell: tally for cell, tally in tallies.items() if cell.span == "segment" and cell.when == wanted}
        sample = _sample(experiment, goal, own)
        if any(tally.visitors or +tally.excluded for tally in sample.arms.values()):
            by_value[value] = sample
    return SegmentSamples(name, whole, by_value)


def _sample(experiment: Experiment, goal: str, tallies: Tallies) -> Sample:
    arms: dict[Arm, Tally] = {}
    for cell, tally in tallies.items():
        if cell.variant in experiment.variant_keys:
            arms.setdefault(Arm(cell.phase, cell.variant), Tally()).add(tally)
    return Sample(experiment, goal, arms, {}, {})


def _visitors(sample: Sample) -> int:
    return sum(tally.visitors for tally in sample.arms.values())
