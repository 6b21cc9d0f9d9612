"""The manifest: which experiments run, in which variants, for whom. Strict, frozen, closed models.

People write YAML (abacus/authoring.py reads it). What is published, and what the Lambda reads, is this, as
JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from .assign import bucket, bucket_ranges, choose, namespace_place

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Status = Literal["draft", "running", "paused", "stopped"]
CLICK = "click"  # the goal every experiment has


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Variant(Model):
    key: Key
    payload: JsonValue = None


class Phase(Model):
    """A stretch with unchanged weights and coverage. Its number is its index; no seed: the experiment's."""

    weights: tuple[float, ...]
    coverage: Annotated[float, Field(ge=0, le=1)] = 1.0
    seed: str | None = None


class Namespace(Model):
    """The experiment runs for visitors whose place in `name` lies in [start, end)."""

    name: str
    start: float
    end: float


class Period(Model):
    """A time in which events are accepted, epoch milliseconds; None: unbounded."""

    start: int | None = None
    end: int | None = None


class Experiment(Model):
    key: Key
    status: Status
    variants: Annotated[tuple[Variant, ...], Field(min_length=2)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    seed: str
    description: str = ""
    hypothesis: str = ""
    namespace: Namespace | None = None
    goals: tuple[Key, ...] = ()
    assignment: Literal["hash", "client"] = "hash"
    minimum_detectable_effect: float | None = None
    winner: Key | None = None
    periods: tuple[Period, ...] = (Period(),)

    @property
    def control(self) -> str:
        return self.variants[0].key

    @property
    def current_phase(self) -> int:
        return len(self.phases) - 1

    @property
    def variant_keys(self) -> tuple[str, ...]:
        return tuple(v.key for v in self.variants)

    def accepts(self, at: int) -> bool:
        """Whether events made at `at` (epoch milliseconds) count. Judged by the event's time, not by now:
        a click made before the stop may arrive after it."""
        return self.status != "draft" and any(
            (p.start is None or p.start <= at) and (p.end is None or at < p.end) for p in self.periods
        )

    def assign(self, visitor: str, phase: int) -> str | None:
        """The variant of `visitor` in `phase` by hash, ranges and namespace alone; None: not enrolled.

        The server can recompute just this much: it knows neither the url nor the attributes."""
        if self.namespace is not None:
            place = namespace_place(self.namespace.name, visitor)
            if not self.namespace.start <= place < self.namespace.end:
                return None
        at = self.phases[phase]
        ranges = bucket_ranges(at.weights, at.coverage)
        index = choose(bucket(at.seed or self.seed, visitor), ranges)
        return None if index is None else self.variants[index].key


class Manifest(Model):
    experiments: tuple[Experiment, ...] = ()
    client_key: str = "abacus"
    digest: str = ""  # of the content, set at publishing; an event can be traced to it

    def experiment(self, key: str) -> Experiment | None:
        return self._by_key.get(key)

    @property
    def _by_key(self) -> dict[str, Experiment]:
        return {e.key: e for e in self.experiments}
