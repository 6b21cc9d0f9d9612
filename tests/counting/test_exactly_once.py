"""Every accepted event is counted exactly once, whatever happens on the way.

Hypothesis invents histories: batches of events, some of them sent again or with the same id and other contents; stream
records that are repeated, reordered or lost; folds that run side by side; a crash before or after any call to the
tables; rows that expire; a rebuild in the middle. When everything has settled, the tallies must equal a recount from
scratch (recount.py) of what was accepted.

That this test can fail is tested at the end: what it tests is broken in six ways, and each is found.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import chalicelib.counting.contribution
from abacus.operations.rows.erase import erase
from chalicelib.counting.fold import Fold
from chalicelib.counting.reconcile import reconcile_rows
from chalicelib.domain.event import Event
from chalicelib.domain.manifest import Experiment, GoalValue, Manifest, Segment
from chalicelib.domain.manifest import Phase as Weights
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.request import Batch, ParsedRequest
from chalicelib.ingestion.sender import Sender
from chalicelib.storage.event_encoding import decode
from chalicelib.storage.retry import Patience
from chalicelib.storage.store import Booking, Generations, Move, ParticipantRow, RowKey, Stale, all_cells, tallies_in
from tests.support.builders import HOUR, NOON, a_manifest, an_experiment
from tests.support.memory_store import MemoryStore
from tests.support.recount import Recount, Sent, merge, recount

NOW = NOON + 20 * HOUR

# Phase 0 is all blue, phase 1 all green: both are right for everybody, so a visitor may well be seen in two variants.
CAP, WINDOW_MS = 1500, 2 * HOUR  # cents of a visitor's sum; events of 13 hours later are outside the window
HASHED = an_experiment(
    "hashed",
    phases=(Weights(weights=(1.0, 0.0)), Weights(weights=(0.0, 1.0))),
    goals=("signup", "buy"),
    goal_values={"buy": GoalValue(unit="EUR", cap=CAP)},
    conversion_window_ms=WINDOW_MS,
    segments=(
        Segment(name="device", values=("mobile", "desktop")),
        Segment(name="plan", values=("free", "pro"), attribute=True),
    ),
)
CLIENT = an_experiment("client", assignment="client", goals=("signup",))
MANIFEST = a_manifest(HASHED, CLIENT)


# User agents of three requests, and what each device counts as: the third is in no list.
AGENTS = {"(Windows NT 10.0)": "desktop", "(iPhone)": "mobile", "(iPad)": "other"}


def segments_of(event: Event, agent: str) -> tuple[str, ...]:
    """The segments of an impression, by another route than the service's."""
    if event.type != "impression" or event.experiment != HASHED.key:
        return ()
    plan = event.segments.get("plan", "")
    return (f"device={AGENTS[agent]}", f"plan={plan if plan in ('free', 'pro') else 'other'}")


def cents_of(event: Event) -> int | None:
    """The value of an event in cents, by another route than the service's."""
    return None if event.value is None else round(100 * float(event.value))


def fields_of(event: Event) -> tuple[str, str, str | None, str, int, int]:
    """What an event and its record in a test have in common, in the order of Sent."""
    assert event.phase is not None
    return event.id, event.type, event.goal, event.variant, event.phase, event.at


def recount_of(experiment: str, sent: Sequence[Sent], received: int) -> Recount:
    """The recount of one participant, by the experiment's own cap and window."""
    window_ms = WINDOW_MS if experiment == HASHED.key else None
    return recount(sent, experiment == CLIENT.key, received, cap=CAP, window_ms=window_ms)


class FixedCatalog:
    def current(self, now: int) -> Manifest:
        return MANIFEST

    refresh = current


class Crash(Exception):
    """The process is gone."""


@st.composite
def events(draw: st.DrawFn) -> Event:
    experiment = draw(st.sampled_from(["hashed", "client"]))
    kind = draw(st.sampled_from(["impression", "impression", "click", "goal"]))
    phase = draw(st.integers(0, 1)) if experiment == "hashed" else 0
    variant = ("blue", "green")[phase] if experiment == "hashed" else draw(st.sampled_from(["blue", "green"]))
    goal = (
        draw(st.sampled_from(["signup", "buy"] if experiment == "hashed" else ["signup"])) if kind == "goal" else None
    )
    return Event(
        id=draw(st.sampled_from(["a", "b", "c", "d", "e", "f"])),
        type=kind,
        goal=goal,
        value=draw(st.sampled_from([Decimal(v) for v in ("9.99", "12.5", "-4", "0", "99")])) if goal == "buy" else None,
        experiment=experiment,
        variant=variant,
        phase=phase,
        at=NOON + draw(st.sampled_from([0, 1, 7, HOUR, 13 * HOUR])),
        segments=draw(st.sampled_from([{}, {"plan": "pro"}, {"plan": "x"}])) if kind == "impression" else {},
    )


VISITORS = st.sampled_from(["v1", "v2", "v3"])
SEND = st.tuples(
    st.just("send"), VISITORS, st.lists(events(), min_size=1, max_size=4), st.booleans(), st.sampled_from(list(AGENTS))
)
DELIVER = st.tuples(st.just("deliver"), st.randoms(use_true_random=False), st.booleans())
EXPIRE = st.tuples(st.just("expire"), VISITORS)
REBUILD = st.tuples(st.just("rebuild"), st.sampled_from(["hashed", "client"]), st.integers(0, 3))
ABANDON = st.tuples(st.just("abandon"))
CRASH = st.tuples(st.just("crash"), st.integers(0, 12))
INTERRUPTION = st.tuples(
    st.just("beside"), st.sampled_from(["read", "commit"]), st.sampled_from(["fold", "erase", "rebuild"])
)
ERASE = st.tuples(st.just("erase"), VISITORS)
HISTORIES = st.lists(
    st.one_of(SEND, SEND, SEND, DELIVER, DELIVER, CRASH, INTERRUPTION, ERASE, EXPIRE, REBUILD, ABANDON), max_size=14
)


@dataclass
class World:
    """The service on a store in memory, with a client that sends again until it is answered."""

    store: MemoryStore
    fold: Fold = field(init=False)
    sent: dict[RowKey, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    received: Counter[RowKey] = field(default_factory=Counter)
    expired: list[tuple[str, Recount]] = field(default_factory=list)  # what rows had counted when they expired
    stream: list[RowKey] = field(default_factory=list)
    fuse: int | None = None  # calls until the next crash
    interruption: tuple[str, str] = ("", "")  # before which call something gets in between, and what
    erased: set[str] = field(default_factory=set)  # experiments whose hours hold visitors who are gone
    abandoned: bool = False

    def __post_init__(self) -> None:
        versions = iter(range(10**9))
        self.version = lambda: f"v{next(versions)}"
        rng = random.Random(1)
        patience = Patience(5.0, clock=lambda: 0.0, sleep=lambda _: None)
        # Two rows a transaction, so that a fold of a few rows is several and something can happen between them.
        self.fold = Fold(self.store, 2, rng.randrange, self.version, patience, rows=2)
        self.ingest = Ingest(self.store, FixedCatalog(), None, 90, self.version, lambda *_: None)
        self.store.fault = self.fault

    def fault(self, moment: str) -> None:
        when, interruption = self.interruption
        if moment == f"before {when}":
            self.interruption = ("", "")
            if interruption == "fold":
                self.fold(list(self.store.rows), now_ms=NOW)
            elif interruption == "erase":
                self.erase("v1")
            else:
                self.rebuild("hashed", 3)
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Crash(moment)

    def send(self, visitor: str, events: list[Event], bot: bool, agent: str) -> None:
        batch = Batch(visitor=visitor, events=tuple(events))
        while True:
            before = {key: row.received for key, row in self.store.rows.items()}
            try:
                answer = self.ingest.receive(
                    ParsedRequest(batch, tuple(range(len(events)))),
                    now_ms=NOW,
                    sender=Sender(bot=bot, user_agent=agent),
                )
            except Crash:
                answer = None
            for key, row in self.store.rows.items():
                self.received[key] += row.received - before.get(key, 0)
            if answer is not None:
                break
        assert (answer.accepted + answer.repeated, answer.refused) == (len(events), ())
        for event in events:
            key = RowKey(visitor, event.experiment)
            assert event.phase is not None
            late = event.at < NOW - HOUR
            segments = segments_of(event, agent)
            self.sent[key].append(Sent(*key, *fields_of(event), bot, late, cents_of(event), segments))
            self.stream.append(key)

    def deliver(self, order: random.Random, lose: bool) -> None:
        """Some of the stream's records, in any order, some of them to be delivered again."""
        batch = order.choices(self.stream, k=order.randint(0, 6)) if self.stream else []
        self.try_to(lambda: self.fold(batch, now_ms=NOW))
        if lose:
            self.stream = [key for key in self.stream if key not in batch]

    def expire(self, visitor: str) -> None:
        for row in self.store.rows_of(visitor):
            # A rebuild is done in days, not in the weeks that a row lives: what expires is in the live tallies.
            if not row.needs_fold and self.store.generations(row.key.experiment) == (row.generation, None):
                self.expired.append((row.key.experiment, self.expected(row.key)))
                del self.store.rows[row.key], self.sent[row.key], self.received[row.key]

    def erase(self, visitor: str) -> None:
        with contextlib.suppress(Crash):
            erase(self.store, visitor, now_ms=NOW, spread=2, random_below=lambda n: 0)
        erase(
            self.store, visitor, now_ms=NOW, spread=2, random_below=lambda n: 0
        )  # after a crash the caller repeats the request
        for key in [key for key in self.sent if key.visitor == visitor]:
            self.erased.add(key.experiment)
            del self.sent[key], self.received[key]

    def rebuild(self, experiment: str, rows: int) -> None:
        """Open a generation, move some of the rows by hand; the rest is left to reconcile. Swaps at once."""
        if any(key.experiment == experiment for key, _ in self.gone_keys()):
            return  # `abacus rebuild` refuses what is older than the retention, too
        now = self.store.generations(experiment)
        filling = Generations(now.live, max(now.live, now.fill or 0) + 1)
        self.store.open_generation(experiment, now, filling)
        for row in [r for r in self.store.rows.values() if r.key.experiment == experiment][:rows]:
            if row.generation is not None:
                self.try_to(lambda row=row: self.store.reopen(row, filling.for_new_rows, self.version()))
        if not self.abandoned:
            self.store.open_generation(experiment, filling, Generations(filling.for_new_rows))

    def abandon(self) -> None:
        """From now on rebuilds die before they swap. The last one is finished when all has settled."""
        self.abandoned = True

    def gone_keys(self) -> list[tuple[RowKey, Recount]]:
        return [(RowKey("", experiment), counts) for experiment, counts in self.expired]

    def try_to(self, act: Callable[[], Any]) -> None:
        with contextlib.suppress(Crash, Stale):
            act()

    def settle_down(self) -> None:
        self.fuse, self.interruption, self.abandoned = None, ("", ""), False
        reconcile_rows(self.store, self.fold, now_ms=NOW)
        for experiment in ("hashed", "client"):
            if self.store.generations(experiment).fill is not None:
                self.rebuild(experiment, 0)
        reconcile_rows(self.store, self.fold, now_ms=NOW)

    def expected(self, key: RowKey) -> Recount:
        return recount_of(key.experiment, self.sent[key], self.received[key])

    def check(self) -> None:
        for experiment in ("hashed", "client"):
            cells = all_cells(self.store, experiment)
            found = {
                tuple(cell): tally.numbers()
                for cell, tally in tallies_in(cells, self.store.generations(experiment).live).items()
                if tally.numbers() and not (cell.span == "hour" and experiment in self.erased)
            }
            counts_sent = [self.expected(key) for key in self.sent if key.experiment == experiment]
            expected = merge(counts_sent + [counts for name, counts in self.expired if name == experiment])
            if experiment in self.erased:  # activity is never taken back, not even with an erased visitor
                expected = {place: numbers for place, numbers in expected.items() if place[0] != "hour"}
            assert found == expected
        assert not any(row.needs_fold for row in self.store.rows.values())


def live_through(history: Sequence[tuple[Any, ...]], store: MemoryStore) -> None:
    world = World(store)
    for act, *arguments in history:
        if act == "crash":
            world.fuse = arguments[0]
        elif act == "beside":
            world.interruption = (arguments[0], arguments[1])
        else:
            world.try_to(lambda act=act, arguments=arguments: getattr(world, act)(*arguments))
    world.settle_down()
    world.check()


@settings(max_examples=4 * settings().max_examples, suppress_health_check=list(HealthCheck))
@given(HISTORIES)
def test_tallies_equal_a_recount_of_everything_accepted(history: list[tuple[Any, ...]]) -> None:
    live_through(history, MemoryStore())


# ---------------------------------------------------------------- it can fail


SAMPLE = 3000  # histories searched for a fault; without one, all of them must pass


def histories_that_break(make: Callable[[], MemoryStore]) -> bool:
    """Whether some history shows the store of `make` to be wrong."""

    @settings(
        max_examples=SAMPLE,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(HISTORIES)
    def search(history: list[tuple[Any, ...]]) -> None:
        live_through(history, make())

    try:
        search()
    except (AssertionError, ExceptionGroup):
        return True
    return False


class OrNotExists(MemoryStore):
    """Broken: a row that is gone counts as unchanged, so a fold that read it before brings it back."""

    def _unchanged(self, row: ParticipantRow) -> ParticipantRow:
        return super()._unchanged(row) if row.key in self.rows else self.rows.setdefault(row.key, row)


class NoCondition(MemoryStore):
    """Broken: a commit does not look at the version."""

    def _unchanged(self, row: ParticipantRow) -> ParticipantRow:
        if row.key not in self.rows:
            raise Stale(row.key)
        return self.rows[row.key]


class TalliesFirst(MemoryStore):
    """Broken: tallies and rows are two writes, with room for a crash between them."""

    def commit(self, moves: Sequence[Move], bookings: Sequence[Booking]) -> None:
        self.book(bookings)
        super().commit(moves, [])


def _as_of_a_bot(element: str) -> str:
    fields = element.split("|")
    fields += [""] * (6 - len(fields))
    fields[5] = "b" + fields[5].removeprefix("b")
    return "|".join(fields)


class FlagAsAttribute(MemoryStore):
    """Broken: "is a bot" is an attribute of the row and not an element, so before and after a fold look the same."""

    def read(self, keys: Sequence[RowKey]) -> list[ParticipantRow]:
        return [self._flagged(row) for row in super().read(keys)]

    def _flagged(self, row: ParticipantRow) -> ParticipantRow:
        newest = max(row.pending | row.counted, key=lambda e: decode(e)[:2], default="")
        if not newest or not decode(newest).bot:
            return row
        return replace(row, counted=frozenset(map(_as_of_a_bot, row.counted)))


class StaleGenerations(MemoryStore):
    """Broken: a fold never reads the generations a second time."""

    def generations(self, experiment: str) -> Generations:
        believed: dict[str, Generations] = self.__dict__.setdefault("believed", {})
        return believed.setdefault(experiment, super().generations(experiment))

    def open_generation(self, experiment: str, now: Generations, then: Generations) -> None:
        super().open_generation(experiment, super().generations(experiment), then)


@pytest.mark.parametrize("broken", [OrNotExists, NoCondition, TalliesFirst, FlagAsAttribute, StaleGenerations])
def test_a_broken_store_is_found_out(broken: type[MemoryStore]) -> None:
    assert histories_that_break(broken)


def test_an_id_with_two_contents_counted_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chalicelib.counting.contribution, "distinct", lambda elements: sorted(map(decode, elements)))
    assert histories_that_break(MemoryStore)


def test_the_search_finds_nothing_where_nothing_is_broken() -> None:
    assert not histories_that_break(MemoryStore)


def test_the_experiments_of_this_test_allow_two_variants() -> None:
    both: list[Experiment] = [HASHED, CLIENT]
    assert [e.assign("v1", 0) for e in both[:1]] == ["blue"]
    assert HASHED.assign("v1", 1) == "green"
