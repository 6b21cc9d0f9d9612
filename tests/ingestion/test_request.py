"""Bytes become a batch, or a sentence that says why not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidInput, TooLarge
from chalicelib.ingestion.request import MAX_BODY, each, parse
from tests.support.builders import NOON


def wire(*events: dict[str, Any], visitor: Any = "v1", **more: Any) -> bytes:
    return json.dumps({"visitor": visitor, "events": events, **more}).encode()


def raw(**fields: Any) -> dict[str, Any]:
    defaults = {"id": "e1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": NOON}
    return defaults | fields


def test_a_batch_is_read_with_each_events_position() -> None:
    batch, positions, malformed = parse(wire(raw(), raw(id="e2", type="goal", goal="signup", phase=1)))
    assert [(e.id, e.type, e.goal, e.phase) for e in batch.events] == [
        ("e1", "impression", None, None),
        ("e2", "goal", "signup", 1),
    ]
    assert (batch.visitor, batch.bot, positions, malformed) == ("v1", False, (0, 1), ())


@pytest.mark.parametrize("at", ["2026-11-21T12:00:00Z", "2026-11-21T13:00:00+01:00", "2026-11-21T12:00:00.000+00:00"])
def test_time_may_be_iso_8601(at: str) -> None:
    assert parse(wire(raw(at=at)))[0].events[0].at == NOON


def test_one_bad_event_does_not_spoil_the_batch() -> None:
    batch, positions, malformed = parse(wire(raw(), raw(id="no spaces"), "nonsense", raw(id="e3")))
    assert ([e.id for e in batch.events], positions, [m.index for m in malformed]) == (["e1", "e3"], (0, 3), [1, 2])


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (raw(id="a b"), "id: 'a b' is not an event id: 1–64 characters of A–Z a–z 0–9 _ . : -"),
        (raw(id="x" * 65), None),
        (raw(type="view"), "type: 'view' is not one of impression, click, goal"),
        (raw(at="noon"), "at: 'noon' is neither epoch milliseconds nor ISO 8601, such as 2026-11-21T10:00:00Z"),
        (raw(at="2026-11-21T12:00:00"), "at: '2026-11-21T12:00:00' has no time zone: end it with Z"),
        (raw(at=1.5), None),
        (raw(at="1795262400000"), None),
        (raw(at=True), None),
        (raw(at=-1), None),
        (raw(extra=1), "extra: is not a field of this message"),
        ({k: v for k, v in raw().items() if k != "id"}, "id: is missing"),
        (raw(type="goal"), "goal: is given for type 'goal', and only for it"),
        (raw(goal="signup"), "goal: is given for type 'goal', and only for it"),
        (raw(experiment=""), None),
        (raw(phase=-1), None),
        (raw(phase="0"), None),
        ([], None),
        (None, None),
    ],
)
def test_a_bad_event_is_told_field_value_and_rule(event: Any, message: str | None) -> None:
    _, _, malformed = parse(wire(event))
    assert len(malformed) == 1
    assert message is None or malformed[0].message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        (b"[]", None),
        (b"\xff", None),
        (wire(visitor="Jo Do"), "visitor: 'Jo Do' is not a visitor id: 1–128 characters of A–Z a–z 0–9 _ . : -"),
        (wire(visitor="v" * 129), None),
        (b'{"visitor": "v1"}', "events: is missing"),
        (b'{"visitor": "v1", "events": {}}', None),
        (wire(surprise=1), "surprise: is not a field of this message"),
    ],
)
def test_an_unreadable_body_is_refused_whole(body: bytes, message: str | None) -> None:
    with pytest.raises(InvalidInput) as error:
        parse(body)
    assert message is None or error.value.message == message


def test_too_much_is_told_how_much_is_taken() -> None:
    with pytest.raises(TooLarge, match=r"body: 65537 bytes; at most 65536 are taken\."):
        parse(b" " * (MAX_BODY + 1))
    with pytest.raises(TooLarge, match=r"events: 101 events; at most 100 are taken at once\."):
        parse(wire(*[raw(id=f"e{n}") for n in range(101)]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
ALMOST = st.fixed_dictionaries(
    {"visitor": st.just("v1") | JSON},
    optional={"events": st.lists(st.dictionaries(st.sampled_from([*raw(), "goal", "phase"]), JSON), max_size=3) | JSON},
)


@given(st.binary(max_size=200) | (JSON | ALMOST).map(lambda value: json.dumps(value).encode()))
def test_no_body_whatever_makes_it_stumble(body: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        batch, positions, malformed = parse(body)
        assert len(batch.events) == len(positions)
        indexes = sorted([*positions, *(m.index for m in malformed)])
        assert indexes == list(range(len(positions) + len(malformed)))


def test_a_body_of_64_kilobytes_is_the_largest_and_a_hundred_events_are_the_most() -> None:
    body = b'{"visitor": "v1", "events": []}'
    assert parse(body + b" " * (64 * 1024 - len(body))).batch.events == ()
    with pytest.raises(TooLarge, match="body: 65537 bytes; at most 65536 are taken"):
        parse(body + b" " * (64 * 1024 + 1 - len(body)))
    assert len(each("v1", [None] * 100).malformed) == 100
    with pytest.raises(TooLarge, match="events: 101 events; at most 100 are taken at once") as refused:
        each("v1", [None] * 101)
    assert refused.value.field == "events"


def test_a_visitor_that_cannot_be_is_named_with_its_field() -> None:
    for read in (lambda: parse(b'{"visitor": "a b", "events": []}'), lambda: each("a b", [])):
        with pytest.raises(InvalidInput, match="visitor: 'a b' is not a visitor id") as refused:
            read()
        assert refused.value.field == "visitor"
