"""Everything that the verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.analysis.checks.check import Check
from chalicelib.analysis.comparison import Comparison
from chalicelib.analysis.duration.age import Age
from chalicelib.analysis.duration.planning import DurationPlan
from chalicelib.analysis.posterior import Posterior
from chalicelib.analysis.sample import Sample
from chalicelib.analysis.wording import outcome

DOUBTS = ("srm", "twyman", "novelty")  # a warning of these is a doubt; an alarm of any check is


@dataclass(frozen=True)
class Findings:
    """Everything that the verdict rests on. `gate`: the primary metric, if this is another one and it is not
    decided."""

    sample: Sample
    comparisons: Sequence[Comparison]
    checks: Sequence[Check]
    duration: DurationPlan
    age: Age
    beliefs: Posterior = field(default_factory=Posterior)
    gate: str | None = None

    @property
    def control(self) -> str:
        """The variant that the others are compared with."""
        return self.sample.experiment.control

    @property
    def shipped(self) -> str | None:
        """The variant that every visitor gets, once the experiment is stopped; None before."""
        experiment = self.sample.experiment
        return (experiment.winner or experiment.control) if experiment.status == "stopped" else None

    @property
    def continuation(self) -> str:
        """How a sentence begins that advises to collect more."""
        return "Resume it" if self.sample.experiment.status == "paused" else "Keep running"

    @property
    def wait(self) -> str:
        """The headline while nothing is decided."""
        if not any(tally.visitors > 0 for tally in self.sample.totals.values()):
            return "Waiting for visitors"
        return "Paused: nothing decided yet" if self.sample.experiment.status == "paused" else "Keep running"

    @property
    def doubts(self) -> list[Check]:
        """Checks that do not void the result, but that a decision should survive."""
        return [c for c in self.checks if c.state == "alarm" or (c.state == "warning" and c.name in DOUBTS)]

    @property
    def decided(self) -> list[str]:
        """The comparisons that are decided, in words."""
        return [outcome(c, self.beliefs) for c in self.comparisons if c.decision in ("winner", "loser")]

    @property
    def caveat(self) -> str:
        """The warning that a result from less than a full week deserves."""
        return "" if self.age.full_week else " It ran for less than a full week, so weekdays may matter."
