"""docs/alerts.md: its receiver accepts what the webhook sends and nothing else, and its kinds are the code's."""

from __future__ import annotations

import json
import re
import time
from typing import Any, get_args

import pytest

from abacus.paths import PROJECT
from chalicelib.alerting import alerts, outbox, traffic
from chalicelib.alerting.messages import Kind
from tests.alerting.test_webhook import WINNER, Receiver, receiver, webhook

PAGE = (PROJECT / "docs" / "alerts.md").read_text()
__all__ = ["receiver"]  # the fixture


@pytest.fixture
def is_ours() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "alerts.md", "exec"), names)
    return names["is_ours"]


@pytest.mark.parametrize(
    ("secret", "late_s", "expected"), [("hush", 0, True), ("other", 0, False), ("hush", 400, False)]
)
def test_the_receiver_on_the_page_accepts_what_is_ours_and_fresh(
    receiver: Receiver, is_ours: Any, secret: str, late_s: int, expected: bool
) -> None:
    webhook(receiver.url, "hush").send(WINNER, now_ms=round((time.time() - late_s) * 1000))
    ((_, headers, body),) = receiver.requests
    named = {name: headers[name.lower()] for name in ("X-Timestamp", "X-Signature")}
    assert is_ours(secret, named, body) is expected
    assert not is_ours(secret, named, body + b" ")


def test_the_message_on_the_page_has_the_fields_of_a_message(receiver: Receiver) -> None:
    webhook(receiver.url).send(WINNER, now_ms=0)
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    assert json.loads(example).keys() == json.loads(receiver.requests[0][2]).keys()


def test_every_kind_is_explained() -> None:
    rows = PAGE.partition("| Kind |")[2].partition("\n\n")[0].splitlines()[2:]
    assert {kind for row in rows for kind in re.findall(r"`([\w-]+)`", row.split("|")[1])} == {*get_args(Kind)} - {
        "test"
    }


def test_the_limits_on_the_page_are_the_codes() -> None:
    words = " ".join(PAGE.split())
    assert (traffic.QUIET_HOURS, traffic.LOOK_BACK_DAYS) == (3, 11)
    assert "at least three complete hours" in words
    assert "last eleven days" in words
    assert f"{traffic.USUAL_EVENTS} events are usual" in words
    assert f"silent for {traffic.YOUNG_QUIET_HOURS} hours" in words
    assert f"waits {outbox.QUIET_MS // 3_600_000} hours" in words
    assert (alerts.TRIES, outbox.MOST_ROUNDS) == (4, 24)
    assert "four times within a round" in words
