"""Does everything that came in add up, and how much of it was refused?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

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
    repeated: int
    counted: int
    excluded: int
    refused: Mapping[str, int]
    rebuilding: bool = False

    @property
    def holds(self) -> bool:
        """Whether every event is accounted for."""
        return self.accepted == self.counted + self.excluded and self.received >= self.accepted


def ledger(tallies: Tallies, refused: Mapping[str, int], *, rebuilding: bool = False) -> Ledger:
    """The ledger of an experiment's totals. `refused`: events by outcome."""
    total = Tally()
    for cell, tally in tallies.items():
        if cell.span == "total":
            total.add(tally)
    return Ledger(
        received=total.received,
        accepted=total.events,
        repeated=total.received - total.events,
        counted=total.impressions + total.clicks + sum(total.goal_events.values()),
        excluded=total.excluded_events,
        refused=refused,
        rebuilding=rebuilding,
    )


def conservation(entries: Ledger | None) -> Check:
    """Whether received = accepted + repeated and accepted = counted + excluded."""
    if entries is None:
        return Check("conservation", "ok", "Every event is accounted for.", {})
    figures = asdict(entries) | {"holds": entries.holds}
    problems = []
    if entries.received != entries.accepted + entries.repeated:
        problems.append(
            _unequal("received", entries.received, "accepted", entries.accepted, "repeated", entries.repeated)
        )
    if entries.accepted != entries.counted + entries.excluded:
        problems.append(
            _unequal("accepted", entries.accepted, "counted", entries.counted, "excluded", entries.excluded)
        )
    if not problems and not entries.holds:  # repeated is a difference, so it shows as a number below zero
        problems.append(f"{entries.accepted:,} events accepted, but only {entries.received:,} received")
    if problems:
        return Check("conservation", "alarm", sentence(f"{'; '.join(problems)}. Recount: `abacus rebuild`."), figures)
    return Check("conservation", "ok", "Every event is accounted for.", figures)


def _unequal(total: str, expected: int, first: str, n: int, second: str, m: int) -> str:
    return f"{total} {expected:,} is not {first} {n:,} + {second} {m:,}"


def refusals(sample: Sample, refused: Mapping[str, int]) -> Check:
    """Events that were not accepted; approximate, because the counters are buffered."""
    accepted = sum(max(0, tally.events) for tally in sample.totals.values())
    total = sum(refused.values())
    share = total / (total + accepted) if total + accepted else 0.0
    figures = {"refused": dict(refused), "share": share}
    if not total:
        return Check("refused", "ok", "No event was refused.", figures)
    most = max(refused, key=lambda outcome: refused[outcome])
    text = f"About {count(total, 'event')} refused ({percent(share)}), most as {most}."
    return Check("refused", "warning" if share > POINT else "ok", text, figures)
