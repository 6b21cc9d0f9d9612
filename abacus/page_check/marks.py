"""What is right and what is missing about the data-ab marks of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from abacus.authoring.problems import did_you_mean, listed
from abacus.page_check.findings import Finding
from abacus.page_check.page import Page, Tag
from chalicelib.domain.errors import names_in_message
from chalicelib.domain.manifest import UrlPattern, Urls
from chalicelib.targeting.url_patterns import matches


def check_marks(page: Page, experiments: Sequence[Mapping[str, Any]], *, only: str | None = None) -> Iterator[Finding]:
    """The data-ab marks of each running experiment, or of `only` one. `experiments`: of the public manifest."""
    known = {e["key"]: [v["key"] for v in e["variants"]] for e in experiments}
    goals = {goal for e in experiments for goal in e.get("goals", ())}
    words = [(tag, word) for tag in page.marked for word in tag.attributes.get("data-ab", "").split()]
    yield from _unknown_marks(page, words, known, goals)
    unmarked = []  # of experiments for all pages: one may be meant for another page
    for experiment in experiments:
        if experiment["status"] != "running" or only not in (None, experiment["key"]):
            continue
        key = experiment["key"]
        if not matches(_urls(experiment), page.url):
            yield Finding("note", f"{key} does not run on this page (see its urls)")
            continue
        if "redirect" in experiment:
            yield Finding("ok", f"{key}: a redirect, which needs no mark")
            continue
        marks = {word for _, word in words}
        if not marks & {key, f"seen:{key}"}:
            if only is None and not _urls(experiment).include:
                unmarked.append(key)
                continue
            yield Finding(
                "missing",
                f'{key}: no element has data-ab="{key}", so no impression is counted; mark a container whose place '
                "is the same in every variant",
            )
            continue
        lines = listed([str(tag.line) for tag, word in words if word in (key, f"seen:{key}")])
        yield Finding("ok", f"{key}: marked in line {lines}")
        yield from _hidden(key, words)
        if not _changes(page, key):
            yield Finding("note", f"{key}: no element here differs by variant; a script or style sheet must do it")
        for goal in experiment.get("goals", ()):
            if f"goal:{goal}" not in marks:
                yield Finding("note", f'{key}: no data-ab="goal:{goal}" here; it may be on another page or in a script')
    if unmarked:
        yield _unmarked(unmarked)


def _unmarked(keys: Sequence[str]) -> Finding:
    return Finding(
        "note",
        f"not marked on this page: {names_in_message(keys)}; is one meant for it? Mark a container "
        f'(data-ab="{keys[0]}"), or check with --experiment {keys[0]}',
    )


def _unknown_marks(
    page: Page, words: Sequence[tuple[Tag, str]], known: Mapping[str, Sequence[str]], goals: set[str]
) -> Iterator[Finding]:
    for tag, word in words:
        kind, colon, name = word.partition(":")
        if kind == "goal":
            if name not in goals:
                yield Finding(
                    "missing", f"line {tag.line}: no experiment has the goal {name!r}.{did_you_mean(name, goals)}"
                )
        elif colon and kind not in ("seen", "click"):
            yield Finding("missing", f"line {tag.line}: data-ab={word!r} must be a key, seen:, click: or goal:")
        elif (name if colon else kind) not in known:
            key = name if colon else kind
            hint = did_you_mean(key, known)
            yield Finding("missing", f"line {tag.line}: no published experiment is called {key!r}.{hint}")
    for tag in page.marked:
        for key, variant in _pairs(tag):
            if key not in known:
                hint = did_you_mean(key, known)
                yield Finding("missing", f"line {tag.line}: no published experiment is called {key!r}.{hint}")
            elif variant not in known[key]:
                hint = did_you_mean(variant, known[key])
                yield Finding("missing", f"line {tag.line}: {key} has no variant {variant!r}.{hint}")


def _pairs(tag: Tag) -> list[tuple[str, str]]:
    shown = tag.attributes.get("data-ab-show", "").split()
    changed = [part.split()[0] for part in tag.attributes.get("data-ab-set", "").split("|") if part.split()]
    return [(key, variant) for key, _, variant in (pair.partition(":") for pair in [*shown, *changed])]


def _changes(page: Page, key: str) -> bool:
    return f"data-ab-{key}" in page.styles or any(key == pair for tag in page.marked for pair, _ in _pairs(tag))


def _hidden(key: str, words: Sequence[tuple[Tag, str]]) -> Iterator[Finding]:
    for tag, word in words:
        style = tag.attributes.get("style", "").replace(" ", "")
        if word in (key, f"seen:{key}") and ("hidden" in tag.attributes or "display:none" in style):
            yield Finding(
                "missing", f"line {tag.line}: the element of {key} is hidden and never seen; mark its container"
            )


def _urls(experiment: Mapping[str, Any]) -> Urls:
    given = experiment.get("urls") or {}
    include, exclude = (tuple(UrlPattern(**p) for p in given.get(side, ())) for side in ("include", "exclude"))
    return Urls(include=include, exclude=exclude)
