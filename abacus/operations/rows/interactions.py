"""`abacus interactions A B`: does the effect of one experiment depend on the variant of another that visitors also see?

The tallies know each experiment alone, so this reads the rows, twice: who saw which variant of B, and then what those
visitors did in A. The variant of B is treated as a segment of A's visitors, with the same statistics.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from abacus.aws.target import at_target
from abacus.results.segment_tables import segment_lines
from chalicelib.analysis.segments.samples import SegmentSamples, samples_by
from chalicelib.counting.contribution import contribution
from chalicelib.domain.clock import now_ms
from chalicelib.domain.manifest import Experiment
from chalicelib.domain.segments import marker
from chalicelib.reporting.queries import known
from chalicelib.reporting.segments.report import segment_report
from chalicelib.runtime.service import from_environment
from chalicelib.storage.event_encoding import Unreadable
from chalicelib.storage.store import ParticipantRow, Store
from chalicelib.storage.tally import Cell, Tallies, Tally

WARNING = (
    "Visitors who count in both, by their variant of {two}. Exploratory: some difference appears by chance, and the "
    "verdict of {one} rests on all its visitors. If its effect differs, decide on both experiments together."
)


def by_other(
    store: Store, experiment: Experiment, other: Experiment, progress: Callable[[], None] = lambda: None
) -> SegmentSamples:
    """Visitors of `experiment` who also count in `other`, by their variant there. Reads every row twice.

    Rows that cannot be read, and visitors who are excluded from either, are left out. `progress`: called for every row
    read."""
    variants = {row.key.visitor: cell.variant for row, cell, _ in _counted(store, other, progress)}
    totals: Tallies = {}
    tallies: Tallies = {}
    for row, cell, tally in _counted(store, experiment, progress):
        variant = variants.get(row.key.visitor)
        if variant is not None:
            totals.setdefault(cell, Tally()).add(tally)
            own = Cell("segment", marker(other.key, variant), cell.phase, cell.variant)
            tallies.setdefault(own, Tally()).add(tally)
    return samples_by(experiment, other.key, other.variant_keys, totals, tallies)


def _counted(
    store: Store, experiment: Experiment, progress: Callable[[], None]
) -> Iterator[tuple[ParticipantRow, Cell, Tally]]:
    """Each row of a visitor who counts, with what it adds to the total of a variant."""
    for row in store.scan():
        progress()
        if row.key.experiment != experiment.key:
            continue
        try:
            cells = contribution(row.counted, row.folded)
        except Unreadable:
            continue
        for cell, tally in cells.items():
            if cell.span == "total" and tally.visitors == 1:
                yield row, cell, tally


@click.command()
@click.argument("experiment")
@click.argument("other")
@at_target
def command(experiment: str, other: str) -> None:
    """Show the results of EXPERIMENT by the variant of OTHER that the same visitors saw.

    It says whether the effect differs. Visitors of one of the two alone are left out. Reads every stored row twice.
    Swap the two to see OTHER's results."""
    if experiment == other:
        raise click.UsageError("name two different experiments")
    service = from_environment()
    manifest = service.catalog.refresh(now_ms())
    one, two = known(manifest, experiment), known(manifest, other)
    if "client" in (one.assignment, two.assignment):
        raise click.UsageError("an experiment with assignment: client has visitors in several variants")
    with click.progressbar(length=max(1, 2 * service.store.rows_about()), label="reading rows", file=sys.stderr) as bar:
        samples = by_other(service.store, one, two, lambda: bar.update(1))
    answer = segment_report(samples, {}, now_ms=now_ms())
    if not answer.visitors:
        click.echo(f"No visitor counts in both {experiment} and {other}.")
        return
    warning = WARNING.format(one=experiment, two=other)
    for line in segment_lines(answer.model_copy(update={"adjusted": (), "warning": warning}).model_dump(mode="json")):
        click.echo(line)
