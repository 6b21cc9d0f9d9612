"""The hourly round: look at every experiment, decide what is new, write it down, send it.

report ─→ situation ─→ outbox (one conditional write) ─→ channels ─→ outbox
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from chalicelib.alerting.channels import Channel, MessageRefused, NotTaken
from chalicelib.alerting.messages import Message, Situation
from chalicelib.alerting.outbox import Outbox, Outgoing
from chalicelib.alerting.situation import situation_of
from chalicelib.alerting.traffic import first_hour, stopped_traffic
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.reporting import queries
from chalicelib.reporting.report import Question
from chalicelib.storage.store import Stale, Store, StoredText

CELL = "alerts"  # of an experiment's tallies
TRIES = 4  # of a message in one round
FIRST_WAIT, LONGEST_WAIT = 1.0, 20.0  # seconds between two tries, before jitter
SPARE_S = 60.0  # what is left of a round when it begins no further delivery, at least
CLASHES = 10  # changes of one outbox by others, while it is being changed

log = logging.getLogger("abacus")


@dataclass(frozen=True)
class Alerts:
    """Tells what changed.

    store: the tables. channels: by name. version(): a random string. clock_ms(): now, epoch milliseconds. sleep:
    takes seconds. jitter(): a random number in [0, 1)."""

    store: Store
    channels: Mapping[str, Channel]
    version: Callable[[], str]
    clock_ms: Callable[[], int]
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def round(self, manifest: Manifest, *, seconds_left: Callable[[], float]) -> dict[str, int]:
        """Look at every experiment and send what is new, and what could not be sent before.

        An experiment that cannot be read does not keep the others from it. Returns what was done, by name. Without a
        channel nothing is looked at, so that the first one hears everything."""
        done: Counter[str] = Counter(Told=0, Sent=0, Undelivered=0, Failed=0)
        if not self.channels:
            return done
        waiting = []
        for experiment in manifest.experiments:
            if experiment.status == "draft":
                continue
            try:
                outbox = self._decide(manifest, experiment, done)
            except Exception:
                done["Failed"] += 1
                log.exception("the alerts of %s cannot be decided", experiment.key)
                continue
            if outbox.sending:
                waiting.append(experiment.key)
        silent: set[str] = set()  # channels that did not answer in this round
        for key in waiting:
            self._deliver(key, done, silent, seconds_left)
        return done

    def test(self) -> dict[str, str]:
        """Send a message to every channel, once. Returns by channel "sent", or why it was not."""
        now = self.clock_ms()
        message = Message(
            id=f"ab_test_{self.version()}", experiment="", kind="test", text="ABacus: this is a test.", at=now
        )
        results = {}
        for name, channel in self.channels.items():
            try:
                channel.send(message, now_ms=now)
                results[name] = "sent"
            except (NotTaken, MessageRefused) as error:
                results[name] = str(error)
        return results

    def outbox(self, key: str) -> Outbox:
        """What was told of an experiment, and what is still to be sent."""
        return Outbox.of(self.store.document(key, CELL).text)

    def retry(self, key: str) -> int:
        """Put everything that was given up back among what is to be sent. Returns how much it was."""
        count = len(self.outbox(key).undelivered)
        if count:
            self._change(key, Outbox.retried)
        return count

    def _decide(self, manifest: Manifest, experiment: Experiment, done: Counter[str]) -> Outbox:
        for _ in range(CLASHES):
            document = self.store.document(experiment.key, CELL)
            before, now = Outbox.of(document.text), self.clock_ms()
            if experiment.status == "stopped" and before.has_ended:
                return before
            situation = self._situation(manifest, experiment, now)
            first = document.text is None
            after = before.decided(experiment.key, situation, list(self.channels), first=first, now_ms=now)
            if after == before and not first:
                return before
            try:
                self._write(experiment.key, document, after)
            except Stale:
                continue  # another round decided meanwhile
            done["Told"] += len(after.sending) - len(before.sending)
            return after
        raise Stale(experiment.key)

    def _situation(self, manifest: Manifest, experiment: Experiment, now_ms: int) -> Situation:
        key = experiment.key
        report = queries.detail(self.store, manifest, key, Question(series="none"), now_ms=now_ms)
        quiet = None
        if experiment.status == "running":
            by_hour = queries.events_by_hour(self.store, key, first_hour(now_ms))
            began, resumed = experiment.began or experiment.periods[0].start, experiment.periods[-1].start
            quiet = stopped_traffic(by_hour, began_ms=began, resumed_ms=resumed, now_ms=now_ms)
        return situation_of(report, quiet)

    def _deliver(self, key: str, done: Counter[str], silent: set[str], seconds_left: Callable[[], float]) -> None:
        now = self.clock_ms()
        document = self.store.document(key, CELL)
        outbox = Outbox.of(document.text)
        if outbox.leased_until > now:
            return  # another round is sending these
        try:
            self._write(key, document, outbox.leased(now))
        except Stale:
            return
        for out in outbox.sending:
            if out.channel in silent or seconds_left() < SPARE_S:
                continue
            failure = self._attempt(out, seconds_left)
            if failure is None:
                self._change(key, partial(Outbox.sent, out=out))
                done["Sent"] += 1
                continue
            final = isinstance(failure, MessageRefused)
            if not final:
                silent.add(out.channel)
            after = self._change(key, partial(Outbox.failed, out=out, error=str(failure), final=final))
            given_up = any(out.is_same(other) for other in after.undelivered)
            done["Undelivered"] += given_up
            log.warning("an alert of %s was not taken by %s%s", key, out.channel, "; given up" if given_up else "")
        self._change(key, Outbox.released)

    def _attempt(self, out: Outgoing, seconds_left: Callable[[], float]) -> NotTaken | MessageRefused | None:
        """Try to send, a few times; None where it was taken. Full jitter: Exponential Backoff And Jitter, AWS
        Architecture Blog 2015."""
        channel = self.channels.get(out.channel)
        if channel is None:
            return NotTaken("this channel is not set up any more")
        wait = FIRST_WAIT
        for left in reversed(range(TRIES)):
            try:
                channel.send(out.message, now_ms=self.clock_ms())
                return None
            except MessageRefused as error:
                return error
            except NotTaken as error:
                pause = self.jitter() * min(wait, LONGEST_WAIT) if error.wait is None else float(error.wait)
                if not left or seconds_left() < SPARE_S + pause:
                    return error
            self.sleep(pause)
            wait *= 4
        return None

    def _change(self, key: str, change: Callable[[Outbox], Outbox]) -> Outbox:
        """Change an outbox, whatever else changes it meanwhile. Raises Stale if that never ends."""
        for _ in range(CLASHES):
            document = self.store.document(key, CELL)
            after = change(Outbox.of(document.text))
            try:
                self._write(key, document, after)
            except Stale:
                continue
            return after
        raise Stale(key)

    def _write(self, key: str, was: StoredText, outbox: Outbox) -> None:
        self.store.replace_document(key, CELL, outbox.model_dump_json(), was=was, version=self.version())
