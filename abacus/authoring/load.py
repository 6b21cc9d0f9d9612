"""A folder of YAML and JSON files → a Manifest, or every problem in it, each with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from abacus.authoring.condition_rules import Finding
from abacus.authoring.forms import ExperimentForm, SiteForm, UrlsForm
from abacus.authoring.metrics.forms import goal_forms
from abacus.authoring.metrics.segment_forms import segment
from abacus.authoring.problems import At, Problem, Problems, findings
from abacus.authoring.rules import check, check_holdout, check_together
from abacus.authoring.syntax.reader import Document, read
from chalicelib.domain.holdout import with_holdout
from chalicelib.domain.manifest import (
    CLICK,
    Experiment,
    GoalValue,
    Guardrail,
    Manifest,
    Namespace,
    Note,
    Phase,
    UrlPattern,
    Urls,
    Variant,
)

NO_EXPERIMENTS = (
    "There are no experiments in {folder}. Write the first one with `abacus new`, or by hand: see docs/manifest.md."
)
SCHEMA_FILE = "schema.json"
SUFFIXES = (".yaml", ".yml", ".json")


def load(folder: Path) -> Manifest:
    """The manifest that the files in `folder` (and its sub-folders) describe, experiments in order of key.

    Raises Problems with everything that is wrong, never just the first."""
    problems: list[Problem] = []
    places: list[tuple[Document, At, ExperimentForm]] = []
    client_keys: list[tuple[Document, str]] = []
    holdouts: list[tuple[Document, float]] = []
    for file in manifest_files(folder):
        document, unreadable = read(file, _name(file))
        problems += unreadable
        if document is None:
            continue
        site, forms, form_problems = _forms(document.value)
        problems += (Problem(document.file, document.line(at), at, rule) for at, rule in form_problems)
        places += ((document, at, form) for at, form in forms)
        if site.client_key is not None:
            client_keys.append((document, site.client_key))
        if site.holdout is not None:
            holdouts.append((document, site.holdout))
    if not folder.is_dir():
        problems.append(
            Problem(
                _name(folder),
                1,
                (),
                "is not a folder: create it with `abacus new`, or name another one with --manifest",
            )
        )
    for document, at, rule in (*check_together(places, client_keys), *check_holdout(places, holdouts)):
        problems.append(Problem(document.file, document.line(at), at, rule))
    if problems:
        raise Problems(problems)
    experiments = sorted((experiment(form) for _, _, form in places), key=lambda e: e.key)
    manifest = Manifest(
        experiments=with_holdout(tuple(experiments), holdouts[0][1]) if holdouts else tuple(experiments)
    )
    return manifest.model_copy(update={"client_key": client_keys[0][1]}) if client_keys else manifest


def experiment(form: ExperimentForm) -> Experiment:
    """A form that has passed every check, in the words of the published manifest."""
    keys = [v.key for v in form.variants]
    goals = goal_forms(form.goals)
    return Experiment(
        key=form.key,
        status=form.status,
        variants=tuple(Variant(key=v.key, payload=v.payload) for v in form.variants),
        phases=tuple(_phases(form, keys)),
        seed=form.seed or form.key,
        description=form.description,
        hypothesis=form.hypothesis,
        namespace=Namespace(**form.namespace.model_dump()) if form.namespace else None,
        urls=_urls(form.urls) if form.urls else None,
        condition=form.condition,
        redirect=form.redirect,
        edge=form.edge,
        goals=tuple(goal for goal in goals if goal != CLICK),
        goal_values={
            name: GoalValue(unit=goal.value.unit, decimals=goal.value.decimals, cap=int(goal.value.cap_minor))
            for name, goal in goals.items()
            if goal.value is not None
        },
        lower_is_better=tuple(name for name, goal in goals.items() if goal.better == "lower"),
        primary=form.primary or CLICK,
        guardrails=tuple(Guardrail(metric=g.metric, margin=g.worse_by_at_most) for g in form.guardrails),
        conversion_window_ms=form.conversion_window,
        segments=tuple(map(segment, form.segments)),
        assignment=form.assignment,
        minimum_detectable_effect=form.minimum_detectable_effect,
        equivalence_margin=form.equivalence_margin,
        start=form.start,
        end=form.end,
        winner=form.winner,
        notes=tuple(Note(**note.model_dump()) for note in form.notes),
        decision=Note(**form.decision.model_dump()) if form.decision else None,
    )


def _urls(form: UrlsForm) -> Urls:
    include, exclude = (
        tuple(UrlPattern(type=p.type, pattern=p.pattern) for p in patterns) for patterns in (form.include, form.exclude)
    )
    return Urls(include=include, exclude=exclude)


def _phases(form: ExperimentForm, keys: list[str]) -> Iterator[Phase]:
    equal = tuple(1 / len(keys) for _ in keys)
    if form.phases is None:
        given = tuple(v.weight for v in form.variants if v.weight is not None)
        yield Phase(weights=given or equal, coverage=1.0 if form.coverage is None else form.coverage)
        return
    weights, coverage, seed = equal, 1.0, None
    for phase in form.phases:
        if phase.weights is not None:
            weights = tuple(phase.weights.get(key, 0.0) for key in keys)
        if phase.coverage is not None:
            coverage = phase.coverage
        seed = phase.seed or seed
        yield Phase(weights=weights, coverage=coverage, seed=seed)


def manifest_files(folder: Path) -> list[Path]:
    """The files in `folder` and its sub-folders that hold experiments, in order of name."""
    # Hidden files are left out: macOS writes a `._hero.yaml` beside each file on a foreign disk.
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in SUFFIXES
        and file.name != SCHEMA_FILE
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    )


def _name(file: Path) -> str:
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def _forms(value: Any) -> tuple[SiteForm, list[tuple[At, ExperimentForm]], list[Finding]]:
    """What a file says of the whole site, the experiments that it declares with their places, and what is wrong."""
    if not isinstance(value, dict):
        fault = "is empty" if value is None else "is not a mapping"
        return SiteForm(), [], [((), f"the file {fault}: start with key: and the experiment's name")]
    value = {key: item for key, item in value.items() if key != "$schema"}
    if "key" in value or not value.keys() & SiteForm.model_fields.keys():
        form, problems = _form(value, ())
        return SiteForm(), [((), form)] if form else [], problems
    items = value.get("experiments", [])
    if not isinstance(items, list):
        return SiteForm(), [], [(("experiments",), "is not a list of experiments")]
    site, problems = _site(value)
    forms = []
    for index, item in enumerate(items):
        at: At = ("experiments", index)
        if not isinstance(item, dict):
            problems.append((at, "is not a mapping: start with key: and the experiment's name"))
            continue
        form, more = _form(item, at)
        problems += more
        if form:
            forms.append((at, form))
    return site, forms, problems


def _site(value: dict[str, Any]) -> tuple[SiteForm, list[Finding]]:
    try:
        return SiteForm.model_validate({**value, "experiments": []}), []
    except ValidationError as error:
        return SiteForm(), findings(error, SiteForm)


def _form(value: dict[str, Any], at: At) -> tuple[ExperimentForm | None, list[Finding]]:
    form, invalid_keys, problems = _tolerant(value)
    problems += check(form, invalid_keys)
    return None if problems else form, [((*at, *where), rule) for where, rule in problems]


# Stand in for fields that could not be read, so that the others can still be checked. No check looks at them.
_FILLERS: dict[str, Any] = {"key": "x", "status": "draft", "variants": [{"key": "a"}, {"key": "b"}]}


def _tolerant(value: dict[str, Any]) -> tuple[ExperimentForm, set[str], list[Finding]]:
    """The form without the fields that are wrong, which those are, and what is wrong with them."""
    try:
        return ExperimentForm.model_validate(value), set(), []
    except ValidationError as error:
        problems = findings(error, ExperimentForm)
        invalid_keys = {str(issue["loc"][0]) for issue in error.errors(include_url=False)}
    valid = {key: item for key, item in value.items() if key not in invalid_keys}
    fillers = {key: item for key, item in _FILLERS.items() if key not in valid}
    return ExperimentForm.model_validate({**valid, **fillers}), invalid_keys, problems
