"""What there is to tell about an experiment: conditions, and the messages about their changes."""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "winner", "loser", "no-difference", "undecided", "guardrail", "split", "check", "traffic", "ended", "test"
]


class Condition(NamedTuple):
    """One thing to watch. state: "" while there is nothing to tell; a new state is told once. kind: what a change to
    this state, or back to "", is about. text: sentences for people."""

    kind: Kind
    state: str
    text: str


Situation = dict[str, Condition]
"""The conditions of one experiment by topic, such as `verdict`, `check:srm` or `guardrail:error:green`."""


class Message(BaseModel):
    """One change to tell. `id`: the same at every delivery; `at`: epoch milliseconds; `over`: the condition has ended.
    `text`: what it is about; the experiment's key is not in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    experiment: str
    kind: Kind
    text: str
    at: int
    over: bool = False


def message_id(experiment: str, topic: str, state: str, at_ms: int) -> str:
    """The id of a message: made from what it tells, so that a repetition of the same decision has the same id.

    >>> message_id("hero", "verdict", "winner:bold:ship", 1795262400000)
    'ab_93353aeefe0b07b2023f'
    """
    content = "\n".join((experiment, topic, state, str(at_ms)))
    return "ab_" + hashlib.sha256(content.encode()).hexdigest()[:20]
