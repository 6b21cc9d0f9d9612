"""When events of an experiment are accepted: stamped at publishing, from what its status was and becomes.

An event is judged by its own time, so closing a period refuses nothing that happened before.
"""

from __future__ import annotations

from chalicelib.domain.manifest import Experiment, Manifest, Period

Periods = tuple[Period, ...]


def stamp(live: Manifest | None, wanted: Manifest, now_ms: int) -> Manifest:
    """`wanted` with the periods that follow from what is live. `now_ms`: epoch milliseconds.

    Publishing the same again stamps the same."""
    stamped = []
    for experiment in wanted.experiments:
        before = live.experiment(experiment.key) if live else None
        dates = {"periods": periods(before, experiment, now_ms), "began": began(before, experiment, now_ms)}
        stamped.append(experiment.model_copy(update=dates))
    return wanted.model_copy(update={"experiments": tuple(stamped), "retired": _retired(live, wanted)})


def _retired(live: Manifest | None, wanted: Manifest) -> tuple[str, ...]:
    """Keys that had visitors and are gone: their tallies are still in the tables."""
    if live is None:
        return ()
    used = {experiment.key for experiment in live.experiments if experiment.status != "draft"}
    return tuple(sorted({*live.retired, *(used - {experiment.key for experiment in wanted.experiments})}))


def began(before: Experiment | None, after: Experiment, now_ms: int) -> int | None:
    """When `after` began, epoch milliseconds: at `start`, else at the first publish as running. None: not yet, or an
    earlier version published it without noting the time.

    Anonymous events from before are refused, so that no event can make an experiment look older than it is."""
    known = before.began if before else None
    if after.status != "running":
        return known
    if after.start is not None:
        return after.start
    if known is not None and known <= now_ms:
        return known
    from_earlier_version = before is not None and before.status == "running" and known is None
    return None if from_earlier_version else now_ms


def periods(before: Experiment | None, after: Experiment, now_ms: int) -> Periods:
    """The periods of `after`, published at `now_ms` in the place of `before`.

    Without a `start` the first period of an experiment that was never a draft here has none either: `began` refuses
    what is older. A draft opens when it runs."""
    if after.status == "draft":
        return ()
    if before is None:
        opened = Period(start=after.start, end=after.end)
        return (opened,) if after.status == "running" else _closed((opened,), now_ms)
    if after.status != "running":
        return _closed(before.periods, now_ms)
    return _running(before.periods, after, now_ms)


def _closed(known: Periods, now_ms: int) -> Periods:
    """No period reaches beyond `now_ms`, and one that has not begun is gone."""
    return tuple(
        p if p.end is not None and p.end <= now_ms else Period(start=p.start, end=now_ms)
        for p in known
        if p.start is None or p.start < now_ms
    )


def _running(known: Periods, after: Experiment, now_ms: int) -> Periods:
    past = [p for p in known if p.end is not None and p.end <= now_ms]
    current = [p for p in known if p.end is None or p.end > now_ms]
    ended = after.end is not None and after.end <= now_ms
    if not current:
        opened = Period(start=max(now_ms, after.start or now_ms), end=after.end)
        return (*past,) if ended else (*past, opened)
    begun = current[0].start is None or current[0].start <= now_ms
    start = current[0].start if begun else max(now_ms, after.start or now_ms)
    if ended:  # set to a time that has passed: what was accepted since stays accepted
        return (*past, Period(start=start, end=now_ms)) if begun else (*past,)
    return (*past, Period(start=start, end=after.end))
