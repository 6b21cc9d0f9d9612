"""`abacus cost`: dollars for a million events and for a month, from measured use and dated list prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import click

from abacus.operations import bill, prices
from abacus.operations.bill import price_line
from abacus.operations.capacity import Workload, an_experiment, measure_all, recorded
from abacus.operations.metering import Use
from abacus.operations.tally_size import full_bytes, read_units, write_units
from abacus.paths import INFRA
from chalicelib.ingestion.rows.writer import MOST_EVENTS

EVENTS = (0.1, 1, 10, 100, 1000, 10_000)  # a second
A_REQUEST = 3  # events; and in a row
KEPT_DAYS = 90
# Segments, and goals with values.
KINDS = (*product((0, 1, 3), (0, 1, 3)), (4, 0), (0, 20), (3, 20))
READ_DAYS = (1, 7, 14, 28)


def report(measured: Mapping[Workload, list[Use]], settings: bill.FunctionSettings) -> Iterator[str]:
    """The whole answer, line by line."""
    yield f"AWS list prices of {prices.READ_ON} in {prices.REGION}, without any free tier. Dollars."
    for events in (1, 3, 10):
        yield f"  {price_line(events)}"
    yield "  Busy: 25 visitors' rows are counted together. Quiet: each row is counted alone."
    yield ""
    yield from _million(measured, settings.memory)
    yield ""
    yield from by_experiment(measured, settings.memory)
    yield ""
    yield from by_reading()
    yield ""
    yield from by_traffic(measured, settings)
    yield ""
    yield from _returning(measured, settings.memory)
    yield ""
    yield from month()


def _million(measured: Mapping[Workload, list[Use]], memory: int) -> Iterator[str]:
    scenarios = [Workload(n, 25) for n in (1, 3, 10)] + [Workload(3, 25, experiments=3)]
    bills = [bill.events(measured[scenario][0], scenario, memory) for scenario in scenarios]
    yield f"{'A million events, by events a request:':40}{1:>8}{3:>8}{10:>8}{'3 *':>8}"
    for line in bills[0]:
        yield f"  {line:38}" + "".join(f"{each[line]:8.3f}" for each in bills)
    yield f"  {'together':38}" + "".join(f"{sum(each.values()):8.2f}" for each in bills)
    yield "  25 rows folded together. *: each in an experiment of its own, so three rows; else all in one."
    yield "  Not in it: delivery of ab.js and the site, storage, and what is paid by the month (below)."


def use_of(measured: Mapping[Workload, list[Use]], segments: int, size: int, together: int) -> Use:
    """What a request takes where the largest tallies have `size` bytes: as measured with small ones, and two write
    units more for each further kilobyte of each total, cohort and segment that a fold changes."""
    use = measured[Workload(A_REQUEST, together, segments=segments)][0]
    in_request, row, hours = 1, 2, min(together, 2)  # write units, write units, items of one hour: they stay small
    items = (use.written - in_request - row) * together / 2 - hours
    return replace(use, written=use.written + items * (write_units(size) - 2) / together)


def by_experiment(measured: Mapping[Workload, list[Use]], memory: int) -> Iterator[str]:
    """What a million events cost in experiments with segments and with goals that have values."""
    yield f"By segments (device, country, visitor, an attribute) and goals with values, {A_REQUEST} events a request:"
    yield (
        f"  {'segments':>10}{'values':>8}{'a tally, KB':>13}{'WRU busy':>10}{'quiet':>8}"
        f"{'a million events: busy':>24}{'quiet':>8}"
    )
    for segments, values in KINDS:
        size = full_bytes(an_experiment("cta-color", segments=segments, values=values))
        uses = [use_of(measured, segments, size, together) for together in (bill.BUSY, bill.QUIET)]
        workloads = [Workload(A_REQUEST, together, segments=segments) for together in (bill.BUSY, bill.QUIET)]
        busy, quiet = (sum(bill.events(u, w, memory).values()) for u, w in zip(uses, workloads, strict=True))
        yield (
            f"  {segments:10}{values:8}{size / 1024:13.2f}{uses[0].written:10.2f}{uses[1].written:8.2f}"
            f"{busy:24.2f}{quiet:8.2f}"
        )
    yield "  One goal without values besides. A tally: the largest item, after a million visitors of a variant;"
    yield "  DynamoDB bills a write by the whole item."
    yield "  Each value of a segment is an item of the tallies, so longer lists and rarer values cost more."


def by_reading() -> Iterator[str]:
    """Read units of GET /stats/{experiment}."""
    yield "GET /stats/{experiment} without a series, two variants, items of full tallies; RRU:"
    yield f"  {'goals':>10}{'values':>8}" + "".join(f"{f'day {day}':>9}" for day in READ_DAYS)
    for goals, values in ((1, 0), (3, 0), (3, 3)):
        plain = ("signup", "download", "contact")[: max(0, goals - values)]
        experiment = an_experiment("cta-color", goals=plain, values=values)
        yield f"  {goals:10}{values:8}" + "".join(f"{read_units(experiment, day):9.1f}" for day in READ_DAYS)
    yield "  The totals are half a unit, or one with three values; the rest are the cohorts of every day so far."


def by_traffic(measured: Mapping[Workload, list[Use]], settings: bill.FunctionSettings) -> Iterator[str]:
    """What a month costs, from an event in ten seconds to ten thousand a second."""
    yield f"By traffic, {A_REQUEST} events a request and in a row, rows kept {KEPT_DAYS} days; dollars a month:"
    yield (
        f"  {'events/s':>10}{'a month':>16}{'together':>10}{'a million':>11}{'for them':>12}"
        f"{'rows kept':>17}{'GB':>10}{'for them':>11}{'in all':>12}"
    )
    for events in EVENTS:
        million = bill.at_traffic(measured, events / A_REQUEST, settings)
        month = events * bill.MONTH
        dollars = million * month / 1e6
        rows = bill.storage(month, A_REQUEST, KEPT_DAYS)
        stored = sum(rows.dollars.values())
        in_all = dollars + stored + bill.custom_metrics()
        yield (
            f"  {events:10,.1f}{month:16,.0f}{bill.together(events / A_REQUEST, settings.window):10,.0f}{million:11.2f}"
            f"{dollars:12,.2f}{rows.rows:17,.0f}{rows.gb:10,.1f}{stored:11,.2f}{in_all:12,.2f}"
        )
    yield f"  together: rows, where the fold waits {settings.window} s for more (FoldWindowSeconds)."
    yield f"  in all: with {bill.custom_metrics():.2f} for custom metrics, which every stage with visitors sends."
    yield "  rows kept: stored, backed up, and read by reconcile once a day, at most five million of them a day."


def _returning(measured: Mapping[Workload, list[Use]], memory: int) -> Iterator[str]:
    (scenario,) = (s for s in measured if s.visits > 1)
    yield f"By what the row holds already, {scenario.events} events a request, first seen over {scenario.days} days:"
    yield f"  {'events':>12}{'WRU a request':>16}{'RRU':>6}{'a million events':>19}"
    for visit in (0, 1, 5, 11, 17, 24, scenario.visits - 1):
        use = measured[scenario][visit]
        dollars = sum(bill.events(use, scenario, memory).values())
        yield f"  {visit * scenario.events:12}{use.written:16.2f}{use.read:6.2f}{dollars:19.2f}"
    units = bill.refused_write(MOST_EVENTS)
    yield f"  A full row ({MOST_EVENTS} events) refuses a request; DynamoDB bills that by the row's size: {units} WRU,"
    yield f"  ${prices.WRITE_UNIT.of(units * prices.MILLION):.2f} for a million such requests."


def month() -> Iterator[str]:
    """What is paid whether anybody visits or not."""
    yield "A month at rest:"
    for line, dollars in bill.at_rest().items():
        yield f"  {line:38}{dollars:8.2f}"
    yield "  (nothing, where SQS's million free requests a month are not used up by others)"
    yield "A month with visitors, whatever their number:"
    yield f"  {'custom metrics':38}{bill.custom_metrics():8.2f}"
    yield "A month, where they are wanted:"
    for name in ("watch", "firewall"):
        yield f"  {'infra/' + name + '.yaml':38}{bill.stack_at_rest((INFRA / f'{name}.yaml').read_text()):8.2f}"
    yield f"  {'alerts, ten running experiments':38}{bill.alerts(10):8.2f}"
    yield "  (ten alarms, ten metrics and three dashboards in an account are always free)"


@click.command()
@click.option("--measure", is_flag=True, help="Measure again, on the local emulator.")
def command(measure: bool) -> None:
    """Dollars for a million events and for a month, by AWS's list prices."""
    for line in report(measure_all() if measure else recorded(), bill.FunctionSettings.shipped()):
        click.echo(line)
