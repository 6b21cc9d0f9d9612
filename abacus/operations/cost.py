"""`abacus cost`: dollars for a million events and for a month, from measured use and dated list prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from abacus.operations import bill, prices
from abacus.operations.bill import price_line
from abacus.operations.capacity import Workload, measure_all, recorded
from abacus.operations.metering import Use
from abacus.paths import INFRA
from chalicelib.ingestion.rows.writer import MOST_EVENTS

EVENTS = (0.1, 1, 10, 100, 1000, 10_000)  # a second
A_REQUEST = 3  # events; and in a row
KEPT_DAYS = 90


def report(measured: Mapping[Workload, list[Use]], settings: bill.FunctionSettings) -> Iterator[str]:
    """The whole answer, line by line."""
    yield f"AWS list prices of {prices.READ_ON} in {prices.REGION}, without any free tier. Dollars."
    for events in (1, 3, 10):
        yield f"  {price_line(events)}"
    yield "  Busy: 25 visitors' rows are counted together. Quiet: each row is counted alone."
    yield ""
    yield from _million(measured, settings.memory)
    yield ""
    yield from by_segments(measured, settings.memory)
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


def by_segments(measured: Mapping[Workload, list[Use]], memory: int) -> Iterator[str]:
    """What a million events cost in experiments with segments."""
    yield f"With segments, {A_REQUEST} events a request (device, country, visitor, an attribute, in this order):"
    yield f"  {'segments':>10}{'WRU busy':>12}{'quiet':>8}{'a million events: busy':>25}{'quiet':>8}"
    for number in range(5):
        workloads = [Workload(A_REQUEST, together, segments=number) for together in (bill.BUSY, bill.QUIET)]
        busy, quiet = (measured[workload][0].written for workload in workloads)
        dollars = [sum(bill.events(measured[w][0], w, memory).values()) for w in workloads]
        yield f"  {number:10}{busy:12.2f}{quiet:8.2f}{dollars[0]:25.2f}{dollars[1]:8.2f}"
    yield "  Each value of a segment is an item of the tallies, so longer lists and rarer values cost more."


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
        yield (
            f"  {events:10,.1f}{month:16,.0f}{bill.together(events / A_REQUEST, settings.window):10,.0f}{million:11.2f}"
            f"{dollars:12,.2f}{rows.rows:17,.0f}{rows.gb:10,.1f}{stored:11,.2f}{dollars + stored:12,.2f}"
        )
    yield f"  together: rows, where the fold waits {settings.window} s for more (FoldWindowSeconds)."
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
    yield "A month, where they are wanted:"
    for name in ("watch", "firewall"):
        yield f"  {'infra/' + name + '.yaml':38}{bill.stack_at_rest((INFRA / f'{name}.yaml').read_text()):8.2f}"
    yield f"  {'alerts, ten running experiments':38}{bill.alerts(10):8.2f}"
    yield f"  {'custom metrics, while there is traffic':38}{prices.METRIC.of(bill.METRICS):8.2f}"
    yield "  (ten alarms, ten metrics and three dashboards in an account are always free)"


@click.command()
@click.option("--measure", is_flag=True, help="Measure again, on the local emulator.")
def command(measure: bool) -> None:
    """Dollars for a million events and for a month, by AWS's list prices."""
    for line in report(measure_all() if measure else recorded(), bill.FunctionSettings.shipped()):
        click.echo(line)
