"""What was told and what is still to be sent, of one experiment: one item beside its tallies, changed as a whole.

A change is decided once: the new state and its message are written together, only if the item is still what was read.
Sending comes after that. So a crash loses no message; it may repeat one, with the same id.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.alerting.messages import Kind, Message, Situation, message_id
from chalicelib.domain.clock import DAY_MS, MINUTE_MS

QUIET_MS = DAY_MS  # a condition that was told waits that long before its next change is: evidence near a limit flips
LEASE_MS = 10 * MINUTE_MS  # a sender has the outbox for itself so long; longer than the function may run
MOST_ROUNDS = 24  # hourly rounds after which a message that no one takes is given up
MOST_UNDELIVERED = 50  # of an experiment that are kept


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Told(_Stored):
    """The last state of a topic that was told. `at`: epoch milliseconds."""

    state: str
    kind: Kind
    at: int


class Outgoing(_Stored):
    """A message that `channel` still has to take. `rounds`: how often it was tried; `error`: why it was not taken."""

    message: Message
    channel: str
    rounds: int = 0
    error: str = ""

    def is_same(self, other: Outgoing) -> bool:
        """Whether both are the same message to the same channel."""
        return (self.message.id, self.channel) == (other.message.id, other.channel)


class Outbox(_Stored):
    """One experiment's alerts. `told`: by topic. `sending`: to be sent, oldest first. `undelivered`: given up, the
    newest last. `leased_until`: epoch milliseconds; until then one sender works on `sending`."""

    told: dict[str, Told] = {}
    sending: tuple[Outgoing, ...] = ()
    undelivered: tuple[Outgoing, ...] = ()
    leased_until: int = 0

    @classmethod
    def of(cls, text: str | None) -> Outbox:
        """From the stored JSON; empty where there is none, or where it cannot be read."""
        if text is None:
            return cls()
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()

    @property
    def has_ended(self) -> bool:
        """Whether the end of the experiment was told, so that there is nothing more to look at."""
        return "ended" in self.told and self.told["ended"].state != ""

    def decided(
        self, experiment: str, situation: Situation, channels: Sequence[str], *, first: bool, now_ms: int
    ) -> Outbox:
        """With a message for each change of `situation` against what was told.

        Args:
            channels: the names of those that are to take each message.
            first: nothing was ever told of this experiment. If it has ended already, that is no news.
            now_ms: epoch milliseconds."""
        told, sending = dict(self.told), list(self.sending)
        for topic in told.keys() - situation.keys():
            del told[topic]  # such as a guardrail that is none any more
        for topic, condition in situation.items():
            before = told.get(topic)
            if condition.state == (before.state if before else "") or (before and now_ms - before.at < QUIET_MS):
                continue
            over = condition.state == ""
            kind = before.kind if over and before else condition.kind
            told[topic] = Told(state=condition.state, kind=kind, at=now_ms)
            if topic == "ended" and (first or over):
                continue  # no news: it had ended before anything was told, or it runs again
            message = Message(
                id=message_id(experiment, topic, condition.state, now_ms),
                experiment=experiment,
                kind=kind,
                text=condition.text,
                at=now_ms,
                over=over,
            )
            sending += [Outgoing(message=message, channel=channel) for channel in channels]
        return self.model_copy(update={"told": told, "sending": tuple(sending)})

    def leased(self, now_ms: int) -> Outbox:
        """Taken by one sender, until the lease ends."""
        return self.model_copy(update={"leased_until": now_ms + LEASE_MS})

    def released(self) -> Outbox:
        """Free for the next sender."""
        return self.model_copy(update={"leased_until": 0})

    def sent(self, out: Outgoing) -> Outbox:
        """Without a message that its channel has taken."""
        return self.model_copy(update={"sending": tuple(o for o in self.sending if not o.is_same(out))})

    def failed(self, out: Outgoing, error: str, *, final: bool) -> Outbox:
        """With one more failed round. After MOST_ROUNDS of them, or where the failure is `final`, it is given up."""
        tried = out.model_copy(update={"rounds": out.rounds + 1, "error": error})
        if final or tried.rounds >= MOST_ROUNDS:
            undelivered = (*self.undelivered, tried)[-MOST_UNDELIVERED:]
            return self.sent(out).model_copy(update={"undelivered": undelivered})
        return self.model_copy(update={"sending": tuple(tried if o.is_same(out) else o for o in self.sending)})

    def retried(self) -> Outbox:
        """With everything that was given up back in `sending`."""
        again = tuple(out.model_copy(update={"rounds": 0, "error": ""}) for out in self.undelivered)
        return self.model_copy(update={"sending": (*self.sending, *again), "undelivered": ()})
