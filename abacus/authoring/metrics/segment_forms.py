"""Segments, as people write them, and the rules for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema

from abacus.authoring.metrics.forms import MetricForm
from abacus.authoring.syntax.unsafe_names import reserved
from chalicelib.domain.manifest import Segment
from chalicelib.domain.segments import MOST_SEGMENTS, MOST_VALUES, NAME, OTHER, VALUE, VALUE_LENGTH, VALUES, BuiltIn

if TYPE_CHECKING:
    from abacus.authoring.condition_rules import Finding
    from abacus.authoring.forms import ExperimentForm


def _is(pattern: str, rule: str) -> AfterValidator:
    """Text that `pattern` matches; `rule` says what other text is not."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"is not {rule}")
        return text

    return AfterValidator(check)


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


_LENGTH = f"at most {VALUE_LENGTH} characters"
_COUNTRY = "[A-Z]{2}"
AttributeName = Annotated[
    str, _is(NAME, f"the name of an attribute: a letter, then letters, 0–9 and _, {_LENGTH}"), _schema(NAME)
]
SegmentValue = Annotated[
    str, _is(VALUE, f"a value of a segment: letters, 0–9, and inside it _, - and ., {_LENGTH}"), _schema(VALUE)
]
Country = Annotated[str, _is(_COUNTRY, "a country: write the two capitals of ISO 3166, such as CH"), _schema(_COUNTRY)]


class CountrySegmentForm(MetricForm):
    """The visitor's country, with the site's own list."""

    country: Annotated[
        list[Country],
        Field(
            min_length=1,
            max_length=MOST_VALUES,
            description="ISO 3166 codes, such as [CH, DE]; the others are `other`.",
        ),
    ]


class AttributeSegmentForm(MetricForm):
    """Something that the page says of the visitor."""

    attribute: Annotated[
        AttributeName,
        Field(description="An attribute that the page gives to the snippet, such as plan for data-plan."),
    ]
    values: Annotated[
        list[SegmentValue],
        Field(min_length=1, max_length=MOST_VALUES, description="What it can be; anything else counts as `other`."),
    ]


def _tag(value: Any) -> str:
    if isinstance(value, Mapping):
        return "[attribute]" if "attribute" in value or "values" in value else "[country]"
    return "[name]" if not isinstance(value, MetricForm) else f"[{next(iter(type(value).model_fields))}]"


# The tags stand in brackets, so that an error message can leave them out of the place.
SegmentForm = Annotated[
    Annotated[BuiltIn, Tag("[name]")]
    | Annotated[CountrySegmentForm, Tag("[country]")]
    | Annotated[AttributeSegmentForm, Tag("[attribute]")],
    Discriminator(_tag),
]
SegmentForms = Annotated[
    list[SegmentForm],
    Field(
        max_length=MOST_SEGMENTS,
        description="What the results are also shown by: device, browser, country, visitor (new or returning), "
        "{country: [CH, DE]}, or {attribute: plan, values: [free, pro]}. Fixed while it runs.",
    ),
]


def segment(form: BuiltIn | CountrySegmentForm | AttributeSegmentForm) -> Segment:
    """The segment in the words of the published manifest."""
    if isinstance(form, AttributeSegmentForm):
        return Segment(name=form.attribute, values=tuple(form.values), attribute=True)
    if isinstance(form, CountrySegmentForm):
        return Segment(name="country", values=tuple(form.country))
    return Segment(name=form, values=VALUES[form])


def check_segments(form: ExperimentForm) -> Iterator[Finding]:
    """Each segment once, each value once, and only where a visitor counts in one variant."""
    if form.segments and form.assignment == "client":
        yield ("segments",), "cannot be combined with assignment: client: a visitor then counts in several variants"
    seen: set[str] = set()
    for index, each in enumerate(form.segments):
        read = segment(each)
        at = ("segments", index)
        if read.name in seen:
            yield at, f"{read.name!r} is listed twice"
        seen.add(read.name)
        if read.attribute and read.name in VALUES:
            yield (*at, "attribute"), f"{read.name!r} is built in: write `- {read.name}`, or rename the attribute"
        if read.attribute and (problem := reserved(read.name)):
            yield (*at, "attribute"), problem
        field = "values" if read.attribute else "country"
        for place, value in enumerate(read.values):
            if value in read.values[:place]:
                yield (*at, field, place), f"{value!r} is listed twice"
            if value == OTHER:
                yield (*at, field, place), f"{OTHER!r} is what all values outside of the list count as: remove it"
