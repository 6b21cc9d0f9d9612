"""A round of alerts: each change is told once, through crashes, repeats and rounds at the same time."""

from __future__ import annotations

import itertools
import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.alerting.alerts import CELL, TRIES, Alerts
from chalicelib.alerting.channels import Channel, MessageRefused, NotTaken
from chalicelib.alerting.messages import Message
from chalicelib.alerting.outbox import MOST_ROUNDS, Outbox
from chalicelib.domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.domain.manifest import Experiment, Guardrail, Manifest, Period
from chalicelib.storage.store import Booking, Stale, cell_name
from chalicelib.storage.tally import Tallies, Tally
from tests.support.builders import a_manifest, an_experiment
from tests.support.memory_store import MemoryStore
from tests.support.tallied import NOW, a_tally, daily

KEY = "cta-color"
DRAW = daily(*[{"blue": (1000, 100), "green": (1000, 100)}] * 14)
WINNER = daily(*[{"blue": (1000, 100), "green": (1000, 150)}] * 14)
BROKEN_SPLIT = daily(*[{"blue": (1000, 100), "green": (1400, 140)}] * 14)


def watched(key: str = KEY, **fields: Any) -> Experiment:
    """Undecided after DRAW, and not hopeless."""
    return an_experiment(key, **({"minimum_detectable_effect": 0.12, "began": NOW - 60 * DAY_MS} | fields))


class Crash(BaseException):
    """The process ends; no `except Exception` sees it."""


@dataclass
class Heard:
    """A channel that keeps what it took. `answers`: what it raises, one for each send; None: takes it."""

    messages: list[Message] = field(default_factory=list)
    answers: list[BaseException | None] = field(default_factory=list)
    crash_after: int = -1
    sends: int = 0

    def send(self, message: Message, *, now_ms: int) -> None:
        self.sends += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.messages.append(message)
        if len(self.messages) == self.crash_after:
            raise Crash

    @property
    def kinds(self) -> list[str]:
        return [f"{m.kind}{' over' if m.over else ''}" for m in self.messages]


@dataclass
class World:
    """A store in memory, one channel, and a clock."""

    store: MemoryStore = field(default_factory=MemoryStore)
    heard: Heard = field(default_factory=Heard)
    manifest: Manifest = field(default_factory=lambda: a_manifest(watched()))
    now: int = NOW
    slept: list[float] = field(default_factory=list)

    def counted(self, tallies: Tallies, key: str = KEY) -> None:
        """Replace the tallies by these."""
        self.store.tallies[key] = {}
        self.store.book([Booking(key, cell_name(cell, 0, 0), t.numbers()) for cell, t in tallies.items()])

    def active(self, hours: range, events: int = 30) -> None:
        """Impressions in each of these hours before now; 1 is the last complete one."""
        for ago in hours:
            cell = cell_of_hour(self.now - ago * HOUR_MS)
            self.store.book([Booking(KEY, cell, Tally(impressions=events).numbers())])

    def alerts(self, **channels: Channel) -> Alerts:
        tokens = itertools.count()
        return Alerts(
            self.store,
            channels or {"webhook": self.heard},
            lambda: f"{id(tokens)}-{next(tokens)}",
            lambda: self.now,
            self.slept.append,
            lambda: 0.5,
        )

    def round(self, hours: float = 0) -> dict[str, int]:
        self.now += int(hours * HOUR_MS)
        return self.alerts().round(self.manifest, seconds_left=lambda: math.inf)

    def status(self, status: str) -> None:
        self.manifest = a_manifest(watched(status=status))


def cell_of_hour(at_ms: int) -> str:
    from chalicelib.alerting.traffic import _name
    from chalicelib.storage.tally import Cell

    return cell_name(Cell("hour", _name(at_ms // HOUR_MS), 0, "green"), 0, 0)


@pytest.fixture
def world() -> World:
    world = World()
    world.counted(DRAW)
    return world


def test_an_undecided_experiment_has_nothing_to_tell(world: World) -> None:
    assert world.round()["Told"] == 0
    assert world.heard.messages == []


def test_a_winner_is_told_once_however_often_one_looks(world: World) -> None:
    world.round()
    world.counted(WINNER)
    for _ in range(5):
        world.round(hours=1)
    (message,) = world.heard.messages
    assert (message.experiment, message.kind, message.over) == (KEY, "winner", False)
    assert message.text.startswith("Ship green: expect ")


def test_a_broken_split_is_told_and_so_is_its_end(world: World) -> None:
    world.counted(BROKEN_SPLIT)
    world.round()
    world.counted(DRAW)
    world.round(hours=25)
    world.round(hours=25)
    assert world.heard.kinds == ["split", "split over"]


def test_a_condition_that_flips_every_hour_is_told_once_a_day_at_most(world: World) -> None:
    for hour in range(48):
        world.counted(WINNER if hour % 2 else DRAW)
        world.round(hours=1)
    assert world.heard.kinds == ["winner", "winner over"]
    assert [m.at - world.heard.messages[0].at for m in world.heard.messages[1:]] == [25 * HOUR_MS]


def test_a_broken_guardrail_is_told_by_metric_and_variant(world: World) -> None:
    experiment = watched(
        goals=("error",), lower_is_better=("error",), guardrails=(Guardrail(metric="error", margin=0.05),)
    )
    world.manifest = a_manifest(experiment)
    tallies: Tallies = {}
    for cell, tally in DRAW.items():
        errors = round(tally.visitors * (0.05 if cell.variant == "blue" else 0.15))
        events = tally.visitors + tally.converted["click"] + errors
        goals = {"goals": {"error": errors}, "goal_events": {"error": errors}}
        tallies[cell] = a_tally(tally.visitors, tally.converted["click"], **goals, received=events, events=events)
    world.counted(tallies)
    world.round()
    assert world.heard.kinds == ["guardrail"]
    assert world.heard.messages[0].text == "error of green got worse by 200 %, and at most 5 % is acceptable."


def test_the_end_of_an_experiment_is_told_once_and_then_nothing(world: World) -> None:
    world.round()
    world.status("stopped")
    for _ in range(3):
        world.round(hours=30)
    world.counted(BROKEN_SPLIT)
    world.round(hours=30)
    assert world.heard.kinds == ["ended"]


def test_an_experiment_that_had_ended_before_there_were_alerts_is_no_news(world: World) -> None:
    world.status("stopped")
    world.round()
    assert world.heard.messages == []


def test_an_experiment_that_runs_again_is_watched_again(world: World) -> None:
    world.round()
    world.status("stopped")
    world.round(hours=1)
    world.status("running")
    world.counted(WINNER)
    world.round(hours=25)
    world.status("stopped")
    world.round(hours=25)
    assert world.heard.kinds == ["ended", "winner", "ended"]


def test_without_a_channel_nothing_is_recorded_so_that_the_first_one_hears_everything(world: World) -> None:
    world.counted(WINNER)
    silent = Alerts(world.store, {}, lambda: "v", lambda: world.now)
    assert silent.round(world.manifest, seconds_left=lambda: math.inf)["Told"] == 0
    assert world.round()["Sent"] == 1


def test_traffic_that_stops_is_told_and_so_is_its_return(world: World) -> None:
    world.active(range(1, 12 * 24))
    world.round()
    world.now += 5 * HOUR_MS
    world.round()
    world.round(hours=1)
    assert world.heard.kinds == ["traffic"]
    assert world.heard.messages[0].text.startswith("No event for 5 hours, in which about 150 events are usual.")
    world.now += DAY_MS
    world.active(range(0, 3))
    world.round()
    assert world.heard.kinds == ["traffic", "traffic over"]


def test_of_a_paused_experiment_silence_is_no_news(world: World) -> None:
    world.active(range(1, 12 * 24))
    world.round()
    world.status("paused")
    world.round(hours=20)
    world.manifest = a_manifest(watched(periods=(Period(end=NOW), Period(start=world.now))))
    world.round(hours=1)
    assert world.heard.messages == []


# ---------------------------------------------------------------- exactly once


def changes(world: World) -> Counter[str]:
    return Counter(m.id for m in world.heard.messages)


def test_a_crash_at_any_write_loses_no_message_and_repeats_one_only_with_its_id() -> None:
    """The first round ends at the nth operation of the store. Later rounds tell the rest."""
    repeated = 0
    for moment in itertools.count():
        world = World()
        world.counted(BROKEN_SPLIT)
        operations = itertools.count()

        def fault(name: str, *, operations: itertools.count[int] = operations, moment: int = moment) -> None:
            if next(operations) == moment:
                raise Crash

        world.store.fault = fault
        crashed = False
        try:
            world.round()
        except Crash:
            crashed = True
        world.store.fault = lambda name: None
        for _ in range(3):
            world.round(hours=1)
        told = changes(world)
        assert set(world.heard.kinds) == {"split"}
        assert len(told) == 1
        assert sum(told.values()) <= 2
        repeated += sum(told.values()) - 1
        if not crashed:
            break
    assert moment >= 6  # it was interrupted before and after each write: decide, lease, sent, release
    assert repeated == 1  # only between the sending and its record


def test_a_crash_right_after_sending_repeats_the_message_with_the_same_id(world: World) -> None:
    world.counted(WINNER)
    world.heard.crash_after = 1
    with pytest.raises(Crash):
        world.round()
    world.round(hours=1)
    assert [*changes(world).values()] == [2]


def test_two_rounds_at_the_same_time_send_each_message_once() -> None:
    for _ in range(30):
        world = World()
        world.counted(BROKEN_SPLIT)
        start = threading.Barrier(3)
        rounds = [world.alerts() for _ in range(3)]

        def run(alerts: Alerts, start: threading.Barrier = start, world: World = world) -> None:
            start.wait()
            alerts.round(world.manifest, seconds_left=lambda: math.inf)

        threads = [threading.Thread(target=run, args=(alerts,)) for alerts in rounds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert world.heard.kinds == ["split"]


def test_a_round_that_died_while_sending_holds_the_others_up_for_its_lease_only(world: World) -> None:
    world.counted(WINNER)
    world.heard.answers = [Crash()]
    with pytest.raises(Crash):
        world.round()
    world.now += MINUTE_MS
    world.round()
    assert world.heard.messages == []
    world.round(hours=1)
    assert world.heard.kinds == ["winner"]


# ---------------------------------------------------------------- retries and dead letters


def test_a_busy_receiver_is_asked_again_within_the_round_with_growing_pauses(world: World) -> None:
    world.counted(WINNER)
    world.heard.answers = [NotTaken("HTTP 503"), NotTaken("HTTP 503"), NotTaken("HTTP 429", 7)]
    assert world.round()["Sent"] == 1
    assert world.slept == [0.5, 2.0, 7.0]  # half of 1 and 4 s, for the jitter is 0.5; and what the receiver asked for


def test_a_receiver_that_stays_away_for_a_day_leaves_a_dead_letter_that_can_be_sent_again(world: World) -> None:
    world.counted(WINNER)
    world.heard.answers = [NotTaken("no answer: TimeoutError")] * TRIES * MOST_ROUNDS
    given_up = [world.round(hours=1)["Undelivered"] for _ in range(MOST_ROUNDS)]
    assert given_up == [0] * (MOST_ROUNDS - 1) + [1]
    box = world.alerts().outbox(KEY)
    assert [(o.error, o.rounds) for o in box.undelivered] == [("no answer: TimeoutError", MOST_ROUNDS)]
    assert world.round(hours=1)["Sent"] == 0
    assert world.alerts().retry(KEY) == 1
    world.round(hours=1)
    assert world.heard.kinds == ["winner"]
    assert world.alerts().outbox(KEY).undelivered == ()


def test_a_refusal_is_a_dead_letter_at_once(world: World) -> None:
    world.counted(WINNER)
    world.heard.answers = [MessageRefused("HTTP 404")]
    done = world.round()
    assert (done["Undelivered"], world.heard.sends) == (1, 1)
    assert [o.error for o in world.alerts().outbox(KEY).undelivered] == ["HTTP 404"]


def test_one_channel_that_is_silent_does_not_keep_the_other_from_its_messages(world: World) -> None:
    world.manifest = a_manifest(watched(), watched("hero"))
    world.counted(WINNER)
    world.counted(WINNER, "hero")
    silent, heard = Heard(answers=[NotTaken("no answer")] * 99), Heard()
    world.alerts(webhook=silent, email=heard).round(world.manifest, seconds_left=lambda: math.inf)
    assert [m.experiment for m in heard.messages] == [KEY, "hero"]
    assert silent.sends == TRIES  # not again for the second experiment in this round


def test_one_experiment_that_cannot_be_read_does_not_keep_the_others_from_theirs(world: World) -> None:
    world.manifest = a_manifest(watched("hero"), watched())
    world.counted(WINNER)

    def fault(name: str) -> None:
        world.store.fault = lambda name: None
        raise Stale("the first write fails")

    world.store.fault = fault
    world.counted({}, "hero")
    assert world.round()["Sent"] == 1


def test_what_is_left_of_the_time_decides_whether_a_delivery_begins(world: World) -> None:
    world.counted(WINNER)
    world.alerts().round(world.manifest, seconds_left=lambda: 30.0)
    assert world.heard.messages == []
    assert world.round(hours=1)["Sent"] == 1


def test_an_item_that_cannot_be_read_begins_anew(world: World) -> None:
    world.store.replace_document(KEY, CELL, "not JSON", was=world.store.document(KEY, CELL), version="v")
    world.counted(WINNER)
    assert world.round()["Sent"] == 1
    assert Outbox.of(world.store.document(KEY, CELL).text).told["verdict"].state == "winner:green:ship"


def test_a_test_goes_to_every_channel_once_and_says_what_failed(world: World) -> None:
    heard, away = Heard(), Heard(answers=[NotTaken("HTTP 503")])
    assert world.alerts(webhook=heard, email=away).test() == {"webhook": "sent", "email": "HTTP 503"}
    assert heard.kinds == ["test"]
