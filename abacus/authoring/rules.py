"""Rules about several fields, or several experiments, together.

Each check names the fields it reads; it is left out when one of them could not be read, so that one mistake
is reported once and the rest are still found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import isclose
from urllib.parse import urlsplit

from abacus.authoring.condition_rules import Finding, check_condition
from abacus.authoring.forms import ExperimentForm
from abacus.authoring.metrics.rules import check_goals, check_guardrails, check_primary, check_window
from abacus.authoring.metrics.segment_forms import check_segments
from abacus.authoring.problems import At, did_you_mean, listed
from abacus.authoring.syntax.reader import Document
from abacus.authoring.syntax.unsafe_names import EXPLODES, explodes, reserved
from abacus.shares import percent
from chalicelib.domain.manifest import HOLDOUT
from chalicelib.targeting.javascript import regex

MOST_HELD_OUT = 0.5


def check(form: ExperimentForm, unread: set[str]) -> list[Finding]:
    """What is wrong with one experiment, but for the fields in `unread`."""
    return [finding for fields, rule in CHECKS if not unread.intersection(fields) for finding in rule(form)]


def _variants_differ(form: ExperimentForm) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, variant in enumerate(form.variants):
        if variant.key in seen:
            yield ("variants", index, "key"), f"{variant.key!r} is the key of another variant too: choose another one"
        seen.add(variant.key)
    given = [v.payload is not None for v in form.variants]
    if any(given) and not all(given):
        index = given.index(False)
        yield (
            ("variants", index),
            f"{form.variants[index].key!r} has no payload, others have: give all one, or none",
        )


def _weights(form: ExperimentForm) -> Iterator[Finding]:
    if form.phases is not None:
        for index, variant in enumerate(form.variants):
            if variant.weight is not None:
                yield ("variants", index, "weight"), "cannot be combined with phases: move it into the first phase"
        return
    given = [v.weight for v in form.variants if v.weight is not None]
    if given and len(given) < len(form.variants):
        missing = listed([v.key for v in form.variants if v.weight is None])
        yield ("variants",), f"{missing} have no weight: give one to all variants or to none"
    elif given:
        yield from _sum(("variants",), given)


def _sum(at: At, weights: Sequence[float]) -> Iterator[Finding]:
    if not isclose(sum(weights), 1, abs_tol=1e-6):
        rest = "; for equal shares leave them out"
        yield at, f"the weights add up to {percent(sum(weights))}: they must add up to 100 %{rest}"


def _phases(form: ExperimentForm) -> Iterator[Finding]:
    if form.phases is None:
        return
    if form.coverage is not None:
        yield ("coverage",), "cannot be combined with phases: move it into the first phase"
    keys = [v.key for v in form.variants]
    for index, phase in enumerate(form.phases):
        if phase.weights is None:
            continue
        at: At = ("phases", index, "weights")
        unknown = [key for key in phase.weights if key not in keys]
        for key in unknown:
            yield (*at, key), f"is not a variant; they are {listed(keys)}.{did_you_mean(key, keys)}"
        missing = [key for key in keys if key not in phase.weights]
        if missing:
            yield at, f"no weight for {listed(missing)}: give every variant one, if need be 0 %"
        if not unknown and not missing:
            yield from _sum(at, list(phase.weights.values()))


def _winner(form: ExperimentForm) -> Iterator[Finding]:
    if form.winner is None:
        return
    keys = [v.key for v in form.variants]
    if form.winner not in keys:
        yield (
            ("winner",),
            f"{form.winner!r} is not a variant; they are {listed(keys)}.{did_you_mean(form.winner, keys)}",
        )
    if form.status != "stopped":
        yield ("winner",), f"a {form.status} experiment has no winner yet: set status: stopped, or leave it out"


def _redirect(form: ExperimentForm) -> Iterator[Finding]:
    if form.redirect is None:
        return
    keys = [v.key for v in form.variants]
    for key, url in form.redirect.items():
        at: At = ("redirect", key)
        if key not in keys:
            yield at, f"is not a variant; they are {listed(keys)}.{did_you_mean(key, keys)}"
        if not _is_web(url):
            yield at, f"{url!r} is not a whole URL: write https://example.com/b"
    if form.urls is None or not form.urls.include:
        yield ("redirect",), "needs urls.include: the pages that redirect"


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _condition(form: ExperimentForm) -> Iterator[Finding]:
    if form.condition is not None:
        yield from check_condition(form.condition, ("condition",))


def _urls(form: ExperimentForm) -> Iterator[Finding]:
    if form.urls is None:
        return
    for side, patterns in (("include", form.urls.include), ("exclude", form.urls.exclude)):
        for index, pattern in enumerate(patterns):
            if pattern.type == "regex" and regex(pattern.pattern) is None:
                rule = f"{pattern.pattern!r} is not a regular expression that browsers and Python both read"
                yield ("urls", side, index), rule
            elif pattern.type == "regex" and (compiled := regex(pattern.pattern)) and explodes(compiled):
                yield ("urls", side, index), f"{pattern.pattern!r} {EXPLODES}"


def _names(form: ExperimentForm) -> Iterator[Finding]:
    if problem := reserved(form.key):
        yield ("key",), problem
    for index, variant in enumerate(form.variants):
        if problem := reserved(variant.key):
            yield ("variants", index, "key"), problem


def _times(form: ExperimentForm) -> Iterator[Finding]:
    if form.start is not None and form.end is not None and form.end <= form.start:
        yield ("end",), "is not after start"


def _namespace(form: ExperimentForm) -> Iterator[Finding]:
    if form.namespace is not None and form.namespace.end <= form.namespace.start:
        yield ("namespace", "end"), "is not after start: no visitor would take part"


def _client(form: ExperimentForm) -> Iterator[Finding]:
    for name in ("namespace", "redirect", "phases"):
        if form.assignment == "client" and getattr(form, name) is not None:
            yield (name,), "has no effect where assignment is client: leave it out"


CHECKS: list[tuple[tuple[str, ...], Callable[[ExperimentForm], Iterator[Finding]]]] = [
    (("key", "variants"), _names),
    (("variants",), _variants_differ),
    (("variants", "phases"), _weights),
    (("variants", "phases", "coverage"), _phases),
    (("variants", "winner", "status"), _winner),
    (("variants", "redirect", "urls"), _redirect),
    (("condition",), _condition),
    (("urls",), _urls),
    (("goals",), check_goals),
    (("goals", "primary"), check_primary),
    (("goals", "primary", "guardrails"), check_guardrails),
    (("conversion_window",), check_window),
    (("segments", "assignment"), check_segments),
    (("start", "end"), _times),
    (("namespace",), _namespace),
    (("assignment", "namespace", "redirect", "phases"), _client),
]


def check_holdout(
    places: Sequence[tuple[Document, At, ExperimentForm]], holdouts: Sequence[tuple[Document, float]]
) -> Iterator[tuple[Document, At, str]]:
    """What is wrong with the site's holdout: the document, the field, the rule."""
    for document, _ in holdouts[1:]:
        yield document, ("holdout",), f"stands in {holdouts[0][0].file} too: once is enough"
    for document, share in holdouts:
        if share > MOST_HELD_OUT:
            rule = f"{percent(share)} is more than {percent(MOST_HELD_OUT)}: such a holdout leaves too few visitors"
            yield document, ("holdout",), f"{rule}. 5 % is usual"
    for document, at, form in places:
        if holdouts and form.key == HOLDOUT:
            yield document, (*at, "key"), "'holdout' is the experiment that `holdout:` makes: choose another key"


def check_together(
    places: Sequence[tuple[Document, At, ExperimentForm]], client_keys: Sequence[tuple[Document, str]]
) -> Iterator[tuple[Document, At, str]]:
    """What is wrong between experiments."""
    for document, key in client_keys[1:]:
        yield document, ("client_key",), f"{key!r} is set in {client_keys[0][0].file} too: remove one of them"
    first: dict[str, tuple[Document, At]] = {}
    for document, at, form in places:
        if form.key in first:
            other, there = first[form.key]
            yield document, (*at, "key"), f"{form.key!r} is taken in {other.file}:{other.line((*there, 'key'))}"
        first.setdefault(form.key, (document, at))
    for (_, _, one), (document, at, two) in combinations(places, 2):
        if one.namespace and two.namespace and one.namespace.name == two.namespace.name:
            start, end = max(one.namespace.start, two.namespace.start), min(one.namespace.end, two.namespace.end)
            if start < end and one.status == two.status == "running":
                yield (
                    document,
                    (*at, "namespace"),
                    f"overlaps with {one.key} from {percent(start)} to {percent(end)}: "
                    "both would get these visitors; move one of the slices",
                )
