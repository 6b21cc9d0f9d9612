"""What was done to an experiment, and when: its periods, its phases, the notes and the decision of its manifest. Who
published each change: `abacus history`."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.analysis.sample import Arm, Sample
from chalicelib.analysis.wording import percent, split
from chalicelib.domain.clock import DAY_MS, iso, utc_day
from chalicelib.domain.manifest import Experiment
from chalicelib.reporting.answers import Happening, HistoryEntry, LiveAnswer
from chalicelib.reporting.models import PhaseAnswer, PhaseVariantAnswer
from chalicelib.storage.tally import Tallies


def history(experiment: Experiment, tallies: Tallies) -> tuple[HistoryEntry, ...]:
    """The changes of an experiment, oldest first; some may lie in the future."""
    entries = [*_periods(experiment), *_phases(experiment, tallies), *_notes(experiment)]
    return tuple(sorted(entries, key=lambda entry: entry.at))


def live(experiment: Experiment) -> LiveAnswer | None:
    """What visitors get now that the experiment is stopped, since when and by whose decision; None while it is not."""
    if experiment.status != "stopped":
        return None
    ended_ms = experiment.periods[-1].end
    decision = experiment.decision
    return LiveAnswer(
        variant=experiment.winner or experiment.control,
        since=None if ended_ms is None else iso(ended_ms),
        by=decision.by if decision else "",
        why=decision.text if decision else "",
    )


def _notes(experiment: Experiment) -> Iterator[HistoryEntry]:
    for note in experiment.notes:
        yield HistoryEntry(at=_day_or_moment(note.at), what="note", text=note.text, by=note.by)
    if (decision := experiment.decision) is not None:
        yield HistoryEntry(at=_day_or_moment(decision.at), what="decision", text=decision.text, by=decision.by)


def _day_or_moment(at_ms: int) -> str:
    """A note of midnight is one of the day."""
    return utc_day(at_ms).isoformat() if at_ms % DAY_MS == 0 else iso(at_ms)


def _entry(at: str, what: Happening, text: str) -> HistoryEntry:
    return HistoryEntry(at=at, what=what, text=text)


def _periods(experiment: Experiment) -> Iterator[HistoryEntry]:
    for number, period in enumerate(experiment.periods):
        if period.start is not None:
            yield _entry(iso(period.start), "running", "Events count from here on." if number == 0 else "Resumed.")
        if period.end is not None:
            last = number == len(experiment.periods) - 1
            yield _entry(iso(period.end), *(_end(experiment) if last else PAUSED))


PAUSED: tuple[Happening, str] = ("paused", "Paused.")


def _end(experiment: Experiment) -> tuple[Happening, str]:
    if experiment.status == "running":
        return "end", "Events from here on do not count."
    if experiment.status == "paused":
        return PAUSED
    return "stopped", f"Stopped; everyone gets {experiment.winner}." if experiment.winner else "Stopped."


def _phases(experiment: Experiment, tallies: Tallies) -> Iterator[HistoryEntry]:
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


def phases(sample: Sample) -> tuple[PhaseAnswer, ...]:
    """One for each phase of the manifest. first, last: UTC days on which visitors first came in it, where days are
    known; the numbers are this phase's alone."""
    experiment = sample.experiment
    answers = []
    for number, phase in enumerate(experiment.phases):
        days = sorted(day for day, arms in sample.days.items() if any(arm.phase == number for arm in arms))
        answers.append(
            PhaseAnswer(
                phase=number,
                weights=dict(zip(experiment.variant_keys, phase.weights, strict=True)),
                coverage=phase.coverage,
                seen=number in sample.phases,
                first=days[0] if days else None,
                last=days[-1] if days else None,
                variants=tuple(_phase_variant(sample, number, key) for key in experiment.variant_keys),
            )
        )
    return tuple(answers)


def _phase_variant(sample: Sample, phase: int, variant: str) -> PhaseVariantAnswer:
    counts = sample.counted(sample.arms.get(Arm(phase, variant)))
    rate = counts.converted / counts.visitors if counts.visitors > 0 else None
    return PhaseVariantAnswer(variant=variant, visitors=counts.visitors, converted=counts.converted, rate=rate)
