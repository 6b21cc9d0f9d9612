"""Do visitors arrive as people do? Late events, bursts from a network, missing cookies, impossible speed, shared ids.

Each check names the share of visitors (or events) that it is about. They make forged visitors visible; they do not
prove anything, and none of them excludes a visitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.analysis.checks.check import Check, State
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.wording import count, percent, sentence

MANY = 0.05  # share of visitors worth a warning
MOST = 0.2  # share that could decide the result


def arrivals(sample: Sample, refused: Mapping[str, int]) -> tuple[Check, ...]:
    """Every check on how visitors arrive. `refused`: events by outcome."""
    return (
        late_arrivals(sample),
        bursts(sample),
        missing_cookies(sample),
        impossible_speed(sample),
        shared_ids(sample, refused),
    )


def late_arrivals(sample: Sample) -> Check:
    """Impressions that reached the service more than an hour after the time that their sender gives."""
    what = "had a first impression that arrived more than an hour late"
    hint = "Phones that were offline do that; many of them mean wrong clocks or backdated events."
    return _by_share(sample, "late-arrivals", "late-arrival", what, hint)


def bursts(sample: Sample) -> Check:
    """Visitors who came while their network was sending unusually many new visitors."""
    what = "came in a burst of new visitors from one network"
    return _by_share(sample, "arrival-bursts", "burst", what, "A large office does that, and so does a forger.")


def impossible_speed(sample: Sample) -> Check:
    """Visitors with more events in a second than a person can make."""
    what = "made more events in one second than a person can"
    return _by_share(
        sample, "impossible-speed", "too-fast", what, "Look for a loop in the page, or a robot.", many=0.01
    )


def missing_cookies(sample: Sample) -> Check:
    """Visitors whose first request carried no cookie, on a site where most carry one."""
    name = "missing-cookies"
    share, visitors, figures = _share(sample, "no-cookie")
    text = f"{count(visitors, 'visitor')} ({percent(share)}) came without the visitor cookie"
    if MANY < share < 1 - MANY:
        hint = "A browser of this site sends one; forged visitors often do not."
        return Check(name, "warning", sentence(f"{text}. {hint}"), figures)
    return Check(name, "ok", sentence(f"{text}."), figures)


def shared_ids(sample: Sample, refused: Mapping[str, int]) -> Check:
    """Events under ids that several people share, such as `undefined`: they count as one visitor."""
    ids = sum(max(0, tally.flagged["shared-id"]) for tally in sample.totals.values())
    capped = refused.get("capped", 0)
    events = sum(max(0, tally.flagged_events["shared-id"]) for tally in sample.totals.values()) + capped
    total = sum(max(0, tally.events) for tally in sample.totals.values()) + capped
    share = min(1.0, events / total) if total else 0.0
    figures = {"ids": ids, "events": events, "share": share}
    if not ids:
        return Check("shared-ids", "ok", "No id seems to be shared by several people.", figures)
    text = (
        f"{count(ids, 'visitor id')} seem to be shared by several people, with {percent(share)} of all events. "
        "They count as one visitor each: correct the id that the sender uses."
    )
    return Check("shared-ids", _state(share, 0.01), text, figures)


class _Flagged(NamedTuple):
    share: float
    visitors: int
    figures: dict[str, Any]


def _share(sample: Sample, flag: str) -> _Flagged:
    flagged = {variant: max(0, tally.flagged[flag]) for variant, tally in sample.totals.items()}
    total = sum(max(0, tally.visitors) for tally in sample.totals.values())
    visitors = sum(flagged.values())
    share = visitors / total if total else 0.0
    return _Flagged(share, visitors, {"visitors": visitors, "share": share, "by_variant": flagged})


def _by_share(sample: Sample, name: str, flag: str, what: str, hint: str, many: float = MANY) -> Check:
    share, visitors, figures = _share(sample, flag)
    text = f"{count(visitors, 'visitor')} ({percent(share)}) {what}"
    state = _state(share, many)
    return Check(name, state, sentence(f"{text}." if state == "ok" else f"{text}. {hint}"), figures)


def _state(share: float, many: float) -> State:
    return "alarm" if share > MOST else "warning" if share > many else "ok"
