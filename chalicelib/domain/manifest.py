"""The manifest: which experiments run, in which variants, for which visitors.

People write YAML (abacus/authoring/load.py reads it). What is published, and what the Lambda reads, is this, as
JSON: defaults filled in, every time in epoch milliseconds, every share a fraction.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from chalicelib.domain.assignment import Range, bucket, bucket_ranges, choose, namespace_place
from chalicelib.domain.segments import MOST_SEGMENTS, MOST_VALUES, NAME, OTHER, VALUE

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
# Capitals and underscores too: trackers that sites come from call their variants A and B.
VariantKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Status = Literal["draft", "running", "paused", "stopped"]
SCHEMA = 2  # of the published form; raised when older functions cannot read what is published
HOLDOUT = "holdout"  # the namespace, the experiment that compares the holdout with all others, and its control
CLICK = "click"  # the goal every experiment has


class Model(BaseModel):
    """Base of what is parsed: frozen, strict, no unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Part(Model):
    """Base of models that are parsed only as a part of a larger one. Pydantic builds each with the larger one, and by
    itself only at its first use. This saves a twentieth of the cold start."""

    model_config = ConfigDict(defer_build=True)


class Variant(Part):
    """One of the answers that an experiment compares; the first one listed is the control."""

    key: VariantKey
    payload: JsonValue = None


class Phase(Part):
    """A stretch with unchanged weights and coverage. Its number is its index; no seed: the experiment's."""

    weights: tuple[float, ...]
    coverage: Share = 1.0
    seed: str | None = None

    @cached_property
    def ranges(self) -> list[Range]:
        """Each variant's interval of hash buckets, in [0, 1)."""
        return bucket_ranges(self.weights, self.coverage)


class Namespace(Part):
    """The experiment runs for visitors whose place in `name` lies in [start, end)."""

    name: str
    start: Share
    end: Share


class Period(Model):
    """A time in which events are accepted, epoch milliseconds; None: unbounded."""

    start: int | None = None
    end: int | None = None


class Note(Part):
    """A remark about an experiment. `at`: epoch milliseconds; `by`: the author's name, "" if none is given."""

    at: int
    text: str
    by: str = ""


class UrlPattern(Part):
    """simple: `*` is any text; regex: searched in the whole url, and in path and query."""

    type: Literal["simple", "regex"] = "simple"
    pattern: str


class Urls(Part):
    """Where the experiment runs: on a page that no `exclude` matches, and some `include` where there is one."""

    include: tuple[UrlPattern, ...] = ()
    exclude: tuple[UrlPattern, ...] = ()


class GoalValue(Part):
    """The values that a goal's events carry. In minor units: with two decimals, 49.90 is 4990. `cap`: the most that one
    visitor's sum counts for, either way, in minor units."""

    unit: str
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    cap: Annotated[int, Field(gt=0)]


class Segment(Part):
    """A property of a visitor, and its values; each other value counts as `other`. `attribute`: the page says it."""

    name: Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
    values: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=rf"^{VALUE}$")], ...],
        Field(min_length=1, max_length=MOST_VALUES),
    ]
    attribute: bool = False

    def value_of(self, text: str | None) -> str:
        """The value that `text` counts as."""
        return text if text in self.values else OTHER


class Guardrail(Part):
    """A metric that must not get worse by more than `margin`, relative to the control: 0.05 is 5 %."""

    metric: str
    margin: Annotated[float, Field(gt=0, lt=1)]


class Experiment(Part):
    """One experiment as it is published. `start`, `end`: epoch milliseconds; `periods`: when events are accepted;
    `winner`: the variant that everybody gets once it is stopped. `goal_values`: goals whose events carry a value;
    `primary`, `guardrails`: metrics by name, see domain/metrics; `conversion_window_ms`: goal events later than this
    after the first impression do not count; `segments`: what the results are also counted by."""

    key: Slug
    status: Status
    variants: Annotated[tuple[Variant, ...], Field(min_length=2)]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    seed: str
    description: str = ""
    hypothesis: str = ""
    namespace: Namespace | None = None
    urls: Urls | None = None
    condition: dict[str, JsonValue] | None = None
    redirect: dict[VariantKey, str] | None = None
    holdout: Share = 0.0  # the first share of the visitors' places in the namespace `holdout` takes no part
    edge: bool = True  # whether the edge function assigns it too; the snippet always does
    goals: tuple[Slug, ...] = ()
    goal_values: dict[Slug, GoalValue] = {}
    lower_is_better: tuple[Slug, ...] = ()
    primary: str = CLICK
    guardrails: tuple[Guardrail, ...] = ()
    conversion_window_ms: Annotated[int, Field(gt=0)] | None = None
    segments: Annotated[tuple[Segment, ...], Field(max_length=MOST_SEGMENTS)] = ()
    assignment: Literal["hash", "client"] = "hash"
    minimum_detectable_effect: float | None = None
    equivalence_margin: float | None = None
    start: int | None = None
    end: int | None = None
    winner: VariantKey | None = None
    notes: tuple[Note, ...] = ()
    decision: Note | None = None
    periods: tuple[Period, ...] = (Period(),)
    # When it was first published as running, or `start`: epoch milliseconds, set at publishing. None: not yet, or an
    # earlier version published it.
    began: int | None = None

    @property
    def control(self) -> str:
        """The variant that the others are compared with: the first."""
        return self.variants[0].key

    @property
    def current_phase(self) -> int:
        """The index of the newest phase."""
        return len(self.phases) - 1

    @cached_property
    def variant_keys(self) -> tuple[str, ...]:
        """The keys of all variants, the control first."""
        return tuple(v.key for v in self.variants)

    def seed_of(self, phase: int) -> str:
        """The seed that the hash uses in `phase`."""
        return self.phases[phase].seed or self.seed

    def accepts(self, at: int) -> bool:
        """Whether events made at `at` (epoch milliseconds) count. Judged by the event's time, not by now:
        a click made before the stop may arrive after it."""
        return self.status != "draft" and any(
            (p.start is None or p.start <= at) and (p.end is None or at < p.end) for p in self.periods
        )

    def holds_out(self, visitor: str) -> bool:
        """Whether `visitor` is in the site's holdout, and so sees the control of this experiment, its winner's too."""
        return self.holdout > 0 and namespace_place(HOLDOUT, visitor) < self.holdout

    def assign(self, visitor: str, phase: int) -> str | None:
        """The variant of `visitor` in `phase` by hash, ranges and namespace alone; None: not enrolled.

        The server can recompute just this much: it knows neither the url nor the attributes."""
        if self.holds_out(visitor):
            return None
        if self.namespace is not None:
            place = namespace_place(self.namespace.name, visitor)
            if not self.namespace.start <= place < self.namespace.end:
                return None
        index = choose(bucket(self.seed_of(phase), visitor), self.phases[phase].ranges)
        return None if index is None else self.variants[index].key


class Manifest(Model):
    """All experiments of a site."""

    experiments: tuple[Experiment, ...] = ()
    client_key: Slug = "abacus"
    retired: tuple[Slug, ...] = ()  # keys that were removed after they had counted visitors; they are not used again
    digest: str = ""  # of the content, set at publishing; an event can be traced to it

    def experiment(self, key: str) -> Experiment | None:
        """The experiment under `key`, or None."""
        return self._by_key.get(key)

    @cached_property
    def published_keys(self) -> tuple[str, ...]:
        """The keys of the experiments that are no drafts: a draft is not public."""
        return tuple(e.key for e in self.experiments if e.status != "draft")

    @cached_property
    def _by_key(self) -> dict[str, Experiment]:
        return {e.key: e for e in self.experiments}
