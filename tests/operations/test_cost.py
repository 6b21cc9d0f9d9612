"""The price: measured use that cannot go stale, times prices that can be read."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.local.emulated_stacks import LocalAws
from abacus.operations import bill, prices
from abacus.operations.capacity import Workload, an_experiment, measure, recorded
from abacus.operations.cost import report, use_of
from abacus.operations.metering import Use, item_size, metered, read_units
from abacus.operations.tally_size import BEGAN, SPREAD, full_bytes, full_tally, item_bytes, write_units
from abacus.operations.tally_size import read_units as read_units_of
from abacus.paths import INFRA, PROJECT
from chalicelib.alerting.alerts import Alerts
from chalicelib.alerting.webhook import Webhook, WebhookAddress
from chalicelib.counting.fold import Fold
from chalicelib.domain.clock import HOUR_MS, utc_datetime
from chalicelib.domain.manifest import Manifest
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.event_encoding import Amount, encode
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Booking, RowKey, RowLimit, cell_name, partition
from chalicelib.storage.tally import Cell, Tally
from tests.support.builders import NOON, a_manifest, an_element, an_event
from tests.support.tallied import NOW, daily

MEASURED = recorded()
BUSY = Workload(3, 25)
MEMORY = bill.FunctionSettings.shipped().memory


def dollars(scenario: Workload, visit: int = 0) -> float:
    return sum(bill.events(MEASURED[scenario][visit], scenario, MEMORY).values())


@pytest.mark.ministack
@pytest.mark.parametrize("scenario", MEASURED, ids=lambda s: "-".join(map(str, s)))
def test_a_request_takes_what_the_file_says(aws: LocalAws, scenario: Workload) -> None:
    """If not: `.venv/bin/python -m abacus.operations.capacity` measures again; docs/performance.md quotes it."""
    found = [(use.written, use.read, use.calls) for use in measure(aws, scenario)]
    assert found == [pytest.approx((use.written, use.read, use.calls), abs=1e-4) for use in MEASURED[scenario]]


def test_a_busy_request_takes_what_the_rules_of_dynamodb_say() -> None:
    # One write; two for the row in a transaction; twelve for six items of tallies, shared by 25 rows. One strongly
    # consistent read of the row, and one of the generations by 25 rows. One call, and three of the fold by 25.
    assert MEASURED[BUSY] == [Use(1 + 2 + 12 / 25, 1 + 1 / 25, 1 + 3 / 25)]


@pytest.mark.parametrize("scenario", [s for s in MEASURED if s.values], ids=lambda s: "-".join(map(str, s)))
def test_the_size_of_the_tallies_tells_what_was_measured_with_values(scenario: Workload) -> None:
    experiment = an_experiment("cta-color", segments=scenario.segments, values=scenario.values)
    model = use_of(MEASURED, scenario.segments, full_bytes(experiment), scenario.together)
    (use,) = MEASURED[scenario]
    assert (model.written, model.read, model.calls) == pytest.approx((use.written, use.read, use.calls))


@pytest.mark.ministack
@pytest.mark.parametrize(("segments", "values"), [(0, 20), (2, 6)])
def test_the_size_of_the_tallies_tells_what_an_experiment_takes_that_was_not_measured(
    aws: LocalAws, segments: int, values: int
) -> None:
    size = full_bytes(an_experiment("cta-color", segments=segments, values=values))
    (use,) = measure(aws, Workload(3, 1, segments=segments, values=values))
    assert use == use_of(MEASURED, segments, size, together=1)


@pytest.mark.ministack
def test_an_item_of_the_tallies_has_the_size_that_is_computed(aws: LocalAws) -> None:
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    experiment = an_experiment("sized", segments=3, values=3)
    cells = [Cell("total", "", 0, "green"), Cell("day", "2026-11-01", 0, "green")]
    cells.append(Cell("segment", "device=desktop", 0, "green"))
    tally = full_tally(experiment)
    for cell in cells:
        booking = Booking(partition("sized", cell), cell_name(cell, 0, 0), tally.numbers())
        store.book([booking])
        key = {"experiment": {"S": booking.experiment}, "cell": {"S": booking.cell}}
        item = aws.dynamodb.get_item(TableName=aws.names["TalliesName"], Key=key)["Item"]  # type: ignore[arg-type]
        assert item_size(item) == item_bytes("sized", cell, tally) <= full_bytes(experiment)
        with metered(aws.dynamodb) as use:
            store.commit([], [booking])
        assert use.written == write_units(item_size(item)) == 4


@pytest.mark.parametrize(("together", "values", "most"), [(1, 1, 1.5), (1, 3, 1.5), (25, 1, 1.5), (25, 3, 1.5)])
def test_values_fold_with_at_most_one_and_a_half_times_the_write_units(together: int, values: int, most: float) -> None:
    request = 1  # its write is not the fold's
    found, plain = (MEASURED[Workload(3, together, values=n)][0].written - request for n in (values, 0))
    assert plain <= found <= most * plain


@pytest.mark.parametrize("together", [1, 25])
@pytest.mark.parametrize("values", [0, 1, 3])
def test_three_segments_fold_with_at_most_three_times_the_write_units(together: int, values: int) -> None:
    request = 1  # its write is not the fold's
    with_segments = MEASURED[Workload(3, together, segments=3, values=values)][0].written - request
    without = MEASURED[Workload(3, together)][0].written - request
    assert without < with_segments <= 3 * without


def test_a_million_events_cost_under_two_dollars_at_three_events_a_request() -> None:
    assert dollars(BUSY) < 2.00
    # By hand: the two doors, the table, and some cents of Lambda, logs and bytes.
    assert dollars(BUSY) == pytest.approx((1.00 + 1.00 + 3.48 * 0.625 + 1.04 * 0.125) / 3, abs=0.35)


def test_every_line_of_a_bill_is_use_times_a_price() -> None:
    bill_ = bill.request(Use(written=2, read=4, calls=0), BUSY, MEMORY)
    assert bill_["DynamoDB, writes"] == pytest.approx(1.25)
    assert bill_["DynamoDB, reads"] == pytest.approx(0.50)
    assert bill_["HTTP API"] + bill_["CloudFront, requests"] == pytest.approx(2.00)


def test_the_price_rises_with_the_size_of_the_row_by_three_write_units_a_kilobyte() -> None:
    (returning,) = (scenario for scenario in MEASURED if scenario.visits > 1)
    written = [use.written for use in MEASURED[returning]][1:]
    assert written == sorted(written)
    # 15 of the 25 rows cross a boundary one visit before the others, so only the levels between are exact.
    levels = sorted({round(a, 2) for a, b in pairwise(written) if a == b})
    assert [b - a for a, b in pairwise(levels)] == [3.0, 3.0, 3.0]


def test_memory_and_window_are_those_that_are_deployed() -> None:
    assert bill.FunctionSettings.shipped() == bill.FunctionSettings(memory=1024, window=2)


def test_a_quiet_site_pays_more_for_each_event_and_next_to_nothing_in_all() -> None:
    settings = bill.FunctionSettings.shipped()
    assert bill.at_traffic(MEASURED, 0.1, settings) > bill.at_traffic(MEASURED, 1000, settings) == dollars(BUSY)
    assert bill.together(0.1, 2) == 1
    assert bill.together(40, 2) == 20  # forty a second, for two seconds, in four shards
    assert bill.together(100_000, 2) == bill.BATCH


def test_what_the_templates_cost_by_the_month_is_counted_in_them() -> None:
    template = "Resources:\n  A:\n    Type: AWS::CloudWatch::Alarm\n  B:\n    Type: AWS::CloudWatch::Alarm\n"
    assert bill.stack_at_rest(template) == pytest.approx(0.20)
    assert bill.stack_at_rest((INFRA / "firewall.yaml").read_text()) == 6.00
    for name in ("data", "edge"):
        assert bill.stack_at_rest((INFRA / f"{name}.yaml").read_text()) == 0


@pytest.mark.ministack
def test_units_are_counted_as_the_answers_say(aws: LocalAws) -> None:
    table, client = aws.names["ParticipantsName"], aws.dynamodb
    keys = [{"visitor": {"S": str(i)}, "experiment": {"S": "e"}} for i in range(3)]
    with metered(client) as use:
        client.put_item(TableName=table, Item=keys[0])
        client.put_item(TableName=table, Item=keys[1] | {"pending": {"SS": ["x" * 5000]}})
        client.query(
            TableName=table, KeyConditionExpression="visitor = :v", ExpressionAttributeValues={":v": {"S": "0"}}
        )
        client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    assert use == Use(written=1 + 5, read=0.5 + 1 + 2 + 1, calls=4)
    client.put_item(TableName=table, Item=keys[0])
    assert use.calls == 4


@pytest.mark.ministack
def test_a_refused_write_is_billed_by_the_item_as_it_is(aws: LocalAws) -> None:
    """DynamoDB developer guide, "Capacity unit consumption for write operations"; the emulator says nothing."""
    table, client = aws.names["ParticipantsName"], aws.dynamodb
    key = {"visitor": {"S": "v"}, "experiment": {"S": "e"}}
    client.put_item(TableName=table, Item=key | {"version": {"S": "x" * 2500}})
    wrong = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"S": "other"}}}
    with metered(client) as update, pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.update_item(TableName=table, Key=key, UpdateExpression="SET version = :v", **wrong)  # type: ignore[arg-type]
    assert update == Use(written=3, calls=1)  # 2.5 KB
    absent = key | {"visitor": {"S": "w"}}
    with metered(client) as missing, pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.delete_item(TableName=table, Key=absent, **wrong)  # type: ignore[arg-type]
    assert missing == Use(written=1, calls=1)  # an item that is not there: the least there is
    deletions: Any = [{"Delete": {"TableName": table, "Key": each, **wrong}} for each in (key, absent)]
    with metered(client) as both, pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=deletions)
    assert both == Use(written=2 * 3 + 2 * 1, calls=1)


@pytest.mark.ministack
@pytest.mark.parametrize(("days", "values", "units"), [(1, 0, 1.0), (1, 3, 2.0), (14, 0, 5.5), (14, 3, 9.0)])
def test_reading_an_experiment_takes_the_units_of_its_items(
    aws: LocalAws, days: int, values: int, units: float
) -> None:
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    plain = ("signup", "download", "contact") if values == 0 else ()
    experiment = an_experiment(f"read-{days}-{values}", goals=plain, values=values)
    tally = full_tally(experiment).numbers()
    cells = [Cell("total", "", 0, variant) for variant in experiment.variant_keys]
    for day in range(days):
        when = (BEGAN + timedelta(days=day)).isoformat()
        cells += [Cell("day", when, 0, variant) for variant in experiment.variant_keys]
    store.book([Booking(experiment.key, cell_name(cell, 0, n), tally) for cell in cells for n in range(SPREAD)])
    with metered(aws.dynamodb) as use:
        queries.detail(store, Manifest(experiments=(experiment,)), experiment.key, Question(series="none"), now_ms=NOON)
    assert use == Use(read=units, calls=2)
    assert read_units_of(experiment, days) == units


@pytest.mark.ministack
@pytest.mark.parametrize("values", [0, 3])
def test_a_young_experiment_with_three_goals_is_read_with_one_unit(aws: LocalAws, values: int) -> None:
    """Before anything remarkable has happened, a tally with three values still takes less than a kilobyte."""
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    plain = ("signup", "download", "contact") if values == 0 else ()
    experiment = an_experiment(f"young-{values}", goals=plain, values=values)
    fold = Fold(store, SPREAD, random.Random(1).randrange, version, Patience())
    for n in range(40):
        key, variant = RowKey(f"v{n}", experiment.key), ("blue", "green")[n % 2]
        elements = [an_element(variant=variant), an_element(id="e2", type="click", variant=variant)]
        amount = {"amount": Amount(4990, 50_000)} if values else {}
        elements += [
            encode(an_event(id=f"g{i}", type="goal", goal=goal, variant=variant), phase=0, client=False, **amount)
            for i, goal in enumerate(experiment.goals)
        ]
        store.add(key, elements, 5, version=version(), expires_at=0, limit=RowLimit(200, 200))
        fold([key], now_ms=NOON)  # each for itself, so that every item of the spread is there
    with metered(aws.dynamodb) as use:
        answer = queries.detail(
            store, Manifest(experiments=(experiment,)), experiment.key, Question(series="none"), now_ms=NOON
        )
    assert [variant.visitors for variant in answer.variants] == [20, 20]
    assert use == Use(read=1.0, calls=2)


def test_reads_are_rounded_up_to_four_kilobytes() -> None:
    small, big = {"visitor": {"S": "v"}}, {"visitor": {"S": "v" * 4100}}
    keys = {"t": {"Keys": [{}, {}, {}], "ConsistentRead": True}}  # one of them is not there
    assert read_units("BatchGetItem", {"RequestItems": keys}, {"Responses": {"t": [small, big]}}) == 1 + 2 + 1
    assert read_units("Query", {"ConsistentRead": True}, {"Items": [small] * 300}) == 1  # as a whole: 2,400 bytes
    assert read_units("Scan", {}, {"Items": [big, small]}) == 2 / 2
    assert read_units("Query", {}, {"Items": []}) == 0.5
    assert read_units("UpdateItem", {}, {}) is None


def test_the_page_on_performance_quotes_the_price_as_it_is() -> None:
    page = (PROJECT / "docs" / "performance.md").read_text()
    assert "\n".join(report(MEASURED, bill.FunctionSettings.shipped())) in page


def test_the_command_says_date_total_and_what_is_left_out() -> None:
    said = CliRunner().invoke(main, ["cost"], catch_exceptions=False).output
    total = next(line for line in said.splitlines() if line.startswith("  together"))
    assert f"{dollars(BUSY):.2f}" in total.split()
    assert prices.READ_ON in said
    assert "Not in it: delivery of ab.js" in said
    assert f"{sum(bill.at_rest().values()):.2f}" in said


@pytest.mark.ministack
def test_a_look_for_alerts_takes_what_the_price_is_made_of(aws: LocalAws) -> None:
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    tallies = daily(*[{"blue": (1000, 100), "green": (1000, 100)}] * 21)
    hours = [Cell("hour", utc_datetime(NOW - ago * HOUR_MS).strftime("%Y-%m-%dT%H"), 0, "green") for ago in range(264)]
    for hour in hours:
        tallies |= {hour._replace(variant=variant): Tally(impressions=40, clicks=4) for variant in ("blue", "green")}
    # Each tally is spread over two items.
    store.book([Booking("cta-color", cell_name(c, 0, n), t.numbers()) for c, t in tallies.items() for n in (0, 1)])
    alerts = Alerts(store, {"webhook": Webhook(WebhookAddress("https://example.com/"), link="")}, version, lambda: NOW)
    alerts.round(a_manifest(), seconds_left=lambda: math.inf)
    with metered(aws.dynamodb) as use:
        done = alerts.round(a_manifest(), seconds_left=lambda: math.inf)
    assert (use.written, use.read, done["Failed"]) == (0, bill.ALERT_READS, 0)
    assert bill.alerts(10) == pytest.approx(
        720 * 10 * bill.ALERT_READS * 0.125e-6 + 720 * 0.6e-6 + 720 * 10 * bill.ALERT_SECONDS * 13.3334e-6
    )
