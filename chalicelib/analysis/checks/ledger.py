"""Does everything that came in add up, and how much of it was refused?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.analysis.checks.check import POINT, Check
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.wording import count, percent, sentence
from chalicelib.storage.tally import Tallies, Tally


@dataclass(frozen=True)
class Ledger:
    """Where the events of one experiment went: received = accepted + repeated, accepted = counted + excluded.

    Exact over the rows that are folded, except `refused`, whose counters are buffered. `rebuilding`: a rebuild is
    under way, so these totals are about to be replaced.
    """

    received: int
    accepted: int
    counted: int
    excluded: int
    refused: Mapping[str, int]
    rebuilding: bool = False

    @property
    def repeated(self) -> int:
        """Events that were sent again: the tallies hold what was received, not this."""
        return self.received - self.accepted

    @property
    def holds(self) -> bool:
        """Whether every event is accounted for."""
        return self.accepted == self.counted + self.excluded and self.repeated >= 0


def ledger(tallies: Tallies, refused: Mapping[str, int], *, rebuilding: bool = False) -> Ledger:
    """The ledger of an experiment's totals. `refused`: events by outcome."""
    total = Tally()
    for cell, tally in tallies.items():
        if cell.span == "total":
            total.add(tally)
    return Ledger(
        received=total.received,
        accepted=total.events,
        counted=total.impressions + total.clicks + sum(total.goal_events.values()),
        excluded=total.excluded_events,
        refused=refused,
        rebuilding=rebuilding,
    )


def conservation(entries: Ledger | None) -> Check:
    """Whether no more was accepted than received, and accepted = counted + excluded."""
    if entries is None or entries.holds:
        figures = {} if entries is None else _figures(entries)
        return Check("conservation", "ok", "Every event is accounted for.", figures)
    problems = []
    if entries.repeated < 0:
        problems.append(f"{entries.accepted:,} events accepted, but only {entries.received:,} received")
    if entries.accepted != entries.counted + entries.excluded:
        sum_of = f"counted {entries.counted:,} + excluded {entries.excluded:,}"
        problems.append(f"accepted {entries.accepted:,} is not {sum_of}")
    text = sentence(f"{'; '.join(problems)}. Recount: `abacus rebuild`.")
    return Check("conservation", "alarm", text, _figures(entries))


def _figures(entries: Ledger) -> dict[str, Any]:
    return asdict(entries) | {"repeated": entries.repeated, "holds": entries.holds}


def refusals(sample: Sample, refused: Mapping[str, int], entries: Ledger | None) -> Check:
    """Events that were not accepted; approximate, because the counters are buffered. They are those of all days, so
    their share is too, where the ledger is there: the sample may be of some days."""
    accepted = entries.accepted if entries else sum(max(0, tally.events) for tally in sample.totals.values())
    total = sum(refused.values())
    share = total / (total + accepted) if total + accepted else 0.0
    figures = {"refused": dict(refused), "share": share}
    if not total:
        return Check("refused", "ok", "No event was refused.", figures)
    most = max(refused, key=lambda outcome: refused[outcome])
    text = f"About {count(total, 'event')} refused ({percent(share)}), most as {most}."
    return Check("refused", "warning" if share > POINT else "ok", text, figures)
