"""What was done to an experiment, and when, out of its periods and its phases. Who did it: `abacus history`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.analysis.sample import Arm, Sample
from chalicelib.analysis.wording import percent, split
from chalicelib.domain.manifest import Experiment
from chalicelib.storage.tally import Tallies, Tally


def history(experiment: Experiment, tallies: Tallies) -> list[dict[str, Any]]:
    """Oldest first: {"at": a UTC moment, or a day where only that is known, "what", "text"}. Some may lie ahead."""
    return sorted([*_periods(experiment), *_phases(experiment, tallies)], key=lambda entry: str(entry["at"]))


def _entry(at: str, what: str, text: str) -> dict[str, Any]:
    return {"at": at, "what": what, "text": text}


def _periods(experiment: Experiment) -> Iterator[dict[str, Any]]:
    for number, period in enumerate(experiment.periods):
        if period.start is not None:
            yield _entry(_moment(period.start), "running", "Events count from here on." if number == 0 else "Resumed.")
        if period.end is not None:
            last = number == len(experiment.periods) - 1
            yield _entry(_moment(period.end), *(_end(experiment) if last else PAUSED))


PAUSED = ("paused", "Paused.")


def _end(experiment: Experiment) -> tuple[str, str]:
    if experiment.status == "running":
        return "end", "Events from here on do not count."
    if experiment.status == "paused":
        return PAUSED
    return "stopped", f"Stopped; {experiment.winner} goes to everybody." if experiment.winner else "Stopped."


def _phases(experiment: Experiment, tallies: Tallies) -> Iterator[dict[str, Any]]:
    for number, phase in enumerate(experiment.phases):
        days = [cell.when for cell, tally in tallies.items() if cell.span == "day" and cell.phase == number]
        if not days:
            continue
        covered = f" of {percent(phase.coverage)} of visitors" if phase.coverage < 1 else ""
        shares = f"{split(phase.weights)}{covered}"
        if number == 0:
            yield _entry(min(days), "first", f"The first visitor came. Split {shares}.")
        else:
            yield _entry(min(days), "phase", f"Phase {number}: split {shares}.")


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def phases(sample: Sample) -> list[dict[str, Any]]:
    """One for each phase of the manifest. first, last: UTC days on which visitors first came in it, where days are
    at hand; numbers are this phase's alone."""
    keys = sample.experiment.variant_keys
    answer = []
    for number, phase in enumerate(sample.experiment.phases):
        days = sorted(day for day, arms in sample.days.items() if any(arm.phase == number for arm in arms))
        tallies = {key: sample.arms.get(Arm(number, key)) or Tally() for key in keys}
        answer.append(
            {
                "phase": number,
                "weights": dict(zip(keys, phase.weights, strict=True)),
                "coverage": phase.coverage,
                "seen": number in sample.phases,
                "first": days[0] if days else None,
                "last": days[-1] if days else None,
                "variants": [
                    {"variant": key, "visitors": (c := sample.counted(tally)).visitors, "converted": c.converted}
                    | {"rate": c.converted / c.visitors if c.visitors > 0 else None}
                    for key, tally in tallies.items()
                ],
            }
        )
    return answer
