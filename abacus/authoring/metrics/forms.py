"""Goals, their values and guardrails, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from abacus.shares import parse_share
from chalicelib.domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from chalicelib.domain.manifest import Slug

LARGEST_VALUE = 10**9  # of one event, in whole units
_UNITS_MS = {"minute": MINUTE_MS, "hour": HOUR_MS, "day": DAY_MS}
_DURATION = r"^[1-9][0-9]{0,3} (minute|hour|day)s?$"


class MetricForm(BaseModel):
    """Base of these forms: frozen, strict, no unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _duration_ms(value: Any) -> Any:
    match = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a duration: write 7 days, 12 hours or 30 minutes")
    return int(value.split(" ")[0]) * _UNITS_MS[match[1]]


DurationMs = Annotated[
    int, BeforeValidator(_duration_ms), WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["7 days"]})
]


class GoalValueForm(MetricForm):
    """The values that events of a goal carry."""

    unit: Annotated[
        str,
        StringConstraints(pattern=r"^\S{1,16}$"),
        Field(description="What the values count, such as EUR or minutes. Shown beside the numbers."),
    ]
    decimals: Annotated[
        int, Field(ge=0, le=4, description="The most decimal places that a value has; 2 for most currencies.")
    ] = 2
    cap: Annotated[
        int | float,
        Field(
            gt=0,
            le=LARGEST_VALUE,
            description="The most that one visitor's sum counts for, so that no single large order decides.",
        ),
    ]

    @model_validator(mode="after")
    def _cap_has_the_decimals(self) -> GoalValueForm:
        if self.cap_minor != self.cap_minor.to_integral_value():
            raise ValueError(f"cap: {self.cap} has more than {self.decimals} decimals")
        return self

    @property
    def cap_minor(self) -> Decimal:
        """The cap in minor units."""
        return Decimal(str(self.cap)).scaleb(self.decimals)


class GoalForm(MetricForm):
    """A named thing that a visitor can do."""

    value: Annotated[
        GoalValueForm | None, Field(description="Set where each event carries a value, such as an order's amount.")
    ] = None
    better: Annotated[
        Literal["higher", "lower"], Field(description="lower: fewer visitors should reach it, such as an error.")
    ] = "higher"


class GuardrailForm(MetricForm):
    """A metric that must not get worse."""

    metric: Annotated[str, Field(description="A goal, goal.value or goal.count.")]
    worse_by_at_most: Annotated[
        float,
        BeforeValidator(lambda value: parse_share(None if isinstance(value, str) and "%" not in value else value)),
        Field(gt=0, lt=1, description="The largest relative loss that is acceptable, such as 5 %."),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                    {"type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,12})? ?%$"},
                ]
            }
        ),
    ]


def _goal(value: Any) -> Any:
    return {} if value is None else value


GoalsByName = dict[Slug, Annotated[GoalForm, BeforeValidator(_goal, json_schema_input_type=GoalForm | None)]]
# The tags stand in brackets, so that an error message can leave them out of the place.
Goals = Annotated[
    Annotated[list[Slug], Tag("[list]")] | Annotated[GoalsByName, Tag("[mapping]")],
    Discriminator(lambda value: "[mapping]" if isinstance(value, Mapping) else "[list]"),
    Field(
        max_length=20,
        description="Named things a visitor can do, besides click, which always counts. A list of names, or each name "
        "with its settings: {signup: {}, purchase: {value: {unit: EUR, cap: 500}}}.",
    ),
]


def goal_forms(goals: list[str] | dict[str, GoalForm]) -> dict[str, GoalForm]:
    """Every goal with its settings, whichever way it was written."""
    return dict(goals) if isinstance(goals, dict) else {name: GoalForm() for name in goals}
