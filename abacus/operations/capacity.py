"""How many of DynamoDB's units a request takes, measured by running requests on the emulator.

`python -m abacus.operations.capacity` writes capacity.json, which `abacus cost` multiplies by prices. A test measures
it again.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from abacus.local.emulated_stacks import LocalAws, data_stack, emulator
from abacus.operations.metering import Use, metered
from abacus.operations.tally_size import SPREAD, full_tally
from chalicelib.counting.fold import Fold
from chalicelib.domain.clock import DAY_MS, utc_day
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, GoalValue, Manifest, Phase, Segment, Variant
from chalicelib.domain.segments import OTHER, VALUES, marker
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.ingestion.sender import Sender
from chalicelib.runtime.service import version
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Booking, RowKey, cell_name, partition
from chalicelib.storage.tally import Cell, Span

FILE = Path(__file__).with_suffix(".json")
NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z, epoch milliseconds; any noon would do
VISITOR, EVENT_ID = 22, 20  # characters of an id, as the snippet makes them
KINDS = ("impression", "click", "goal")


class Workload(NamedTuple):
    """`together` visitors come, each with one request of `events` events spread over `experiments`; then their rows
    are folded in one go. That happens `visits` times. `days`: on how many different days they were first seen.
    `segments`, `values`: how many the experiments have, and how many goals with values beside one without.

    The tallies are those of an experiment with a million visitors: `tally_size.full_tally`."""

    events: int
    together: int
    experiments: int = 1
    days: int = 1
    visits: int = 1
    segments: int = 0
    values: int = 0


SCENARIOS = (
    *(Workload(events, together) for events in (1, 3, 10) for together in (1, 25)),
    *(Workload(3, together) for together in (2, 5, 10)),
    *(Workload(3, together, experiments=3) for together in (1, 25)),
    Workload(3, 25, days=14, visits=34),
    *(Workload(3, together, segments=number) for number in (1, 2, 3, 4) for together in (1, 25)),
    *(Workload(3, together, segments=s, values=v) for s in (0, 1, 3) for v in (1, 3) for together in (1, 25)),
)
# In this order, and what visitors are: mostly at home, half of them on a phone.
SEGMENTS = (
    *(Segment(name=name, values=VALUES[name]) for name in ("device", "country", "visitor")),
    Segment(name="plan", values=("free", "pro"), attribute=True),
)
VALUED = ("purchase", "upgrade", "renewal")  # goals with values, in this order
COUNTRIES = ("CH", "US", "US", "US", "US", "US", "GB", "DE", "FR", "US")
AGENTS = ("(iPhone)", "(Windows NT 10.0)")


class _FixedCatalog:
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def current(self, now_ms: int) -> Manifest:
        return self._manifest

    refresh = current


def an_experiment(
    key: str, *, seed: str = "0", segments: int = 0, values: int = 0, goals: Sequence[str] = ("signup",)
) -> Experiment:
    """Two variants, `goals` without values and so many goals with values, so many segments."""
    valued = VALUED[:values] + tuple(f"purchase-{n}" for n in range(len(VALUED), values))
    return Experiment(
        key=key,
        status="running",
        variants=(Variant(key="blue"), Variant(key="green")),
        phases=(Phase(weights=(0.5, 0.5)),),
        seed=seed,
        goals=(*goals, *valued),
        goal_values={goal: GoalValue(unit="EUR", decimals=2, cap=50_000) for goal in valued},
        segments=SEGMENTS[:segments],
    )


def measure(aws: LocalAws, scenario: Workload) -> list[Use]:
    """What one request takes at the first, second ... visit, its share of the fold included."""
    name = "-".join(map(str, scenario))
    experiments = tuple(
        an_experiment(f"cost-{name}-{i}", seed=str(i), segments=scenario.segments, values=scenario.values)
        for i in range(scenario.experiments)
    )
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    ingest = Ingest(store, _FixedCatalog(Manifest(experiments=experiments)), None, 90, version, lambda *_: None)
    fold = Fold(store, SPREAD, random.randrange, version, Patience())
    _fill(store, experiments, scenario.days)
    visitors = [f"{i:0{VISITOR}d}" for i in range(scenario.together)]
    uses = []
    for visit in range(scenario.visits):
        with metered(aws.dynamodb) as use:
            for i, visitor in enumerate(visitors):
                at = NOON + visit if visit else NOON - i % scenario.days * DAY_MS
                batch = Batch(visitor=visitor, events=_events(visitor, experiments, scenario.events, visit, at))
                sender = Sender(user_agent=AGENTS[i % 2], country=COUNTRIES[i % len(COUNTRIES)])
                request = ParsedRequest(batch, tuple(range(scenario.events)))
                answer = ingest.receive(request, now_ms=at, sender=sender)
                assert answer.accepted == scenario.events, answer
            fold((RowKey(visitor, e.key) for visitor in visitors for e in experiments), now_ms=NOON)
        uses.append(use.shared(scenario.together))
    return uses


def _fill(store: DynamoStore, experiments: Iterable[Experiment], days: int) -> None:
    """Put a full tally into every item of the last `days` days but those by the hour, which hold three numbers."""
    for experiment in experiments:
        tally = full_tally(experiment).numbers()
        whens: list[tuple[Span, str]] = [("total", "")]
        whens += [("day", utc_day(NOON - day * DAY_MS).isoformat()) for day in range(days)]
        whens += [("segment", marker(s.name, v)) for s in experiment.segments for v in (*s.values, OTHER)]
        cells = [Cell(*when, 0, variant) for when in whens for variant in experiment.variant_keys]
        store.book(
            [
                Booking(partition(experiment.key, cell), cell_name(cell, 0, spread), tally)
                for cell in cells
                for spread in range(SPREAD)
            ]
        )


def _events(visitor: str, experiments: tuple[Experiment, ...], count: int, visit: int, at: int) -> tuple[Event, ...]:
    events = []
    for n in range(count):
        experiment = experiments[n % len(experiments)]
        kind = "impression" if len(experiments) > 1 else KINDS[n % len(KINDS)]
        segments = {
            "visitor": "returning" if int(visitor) % 3 == 0 else "new",
            "plan": "pro" if int(visitor) % 5 else "free",
        }
        goal = experiment.goals[-1]
        variant = experiment.assign(visitor, 0)
        assert variant is not None
        events.append(
            Event(
                id=f"{visit * count + n:0{EVENT_ID}d}",
                type=kind,  # type: ignore[arg-type]
                experiment=experiment.key,
                variant=variant,
                at=at,
                goal=goal if kind == "goal" else None,
                value=Decimal("49.90") if kind == "goal" and goal in experiment.goal_values else None,
                segments=segments if kind == "impression" and experiment.segments else {},
            )
        )
    return tuple(events)


def measure_all() -> dict[Workload, list[Use]]:
    """Every scenario, on an emulator of its own."""
    with tempfile.TemporaryDirectory() as home, emulator(Path(home), persist=False) as (_, endpoint):
        aws = data_stack(endpoint)
        return {scenario: measure(aws, scenario) for scenario in SCENARIOS}


def text(measured: Mapping[Workload, list[Use]]) -> str:
    """As the file holds it: a line for each scenario."""
    lines = (
        json.dumps(scenario._asdict() | {"uses": [[round(n, 4) for n in asdict(use).values()] for use in uses]})
        for scenario, uses in measured.items()
    )
    return "[\n" + ",\n".join(lines) + "\n]\n"


def recorded() -> dict[Workload, list[Use]]:
    """The last measurement, from capacity.json."""
    lines = json.loads(FILE.read_text())
    return {
        Workload(**{k: line[k] for k in Workload._fields if k in line}): [Use(*u) for u in line["uses"]]
        for line in lines
    }


if __name__ == "__main__":
    FILE.write_text(text(measure_all()))
