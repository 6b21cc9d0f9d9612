"""`abacus new`: write the file of a new experiment, estimate how long it takes, and say what the page needs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from abacus.authoring.load import load
from abacus.authoring.metrics.draft import DraftMetrics, draft_metrics
from abacus.authoring.metrics.traffic import Wanted, duration
from abacus.authoring.plan import POSITIVE
from abacus.authoring.problems import KEY_RULE
from abacus.authoring.syntax.writer import flow, scalar
from abacus.aws.errors import report_errors
from abacus.aws.target import NoTarget, address
from abacus.options import CHANGE, SHARE, home_option, manifest_option, region_option, stage_option, use_region
from abacus.shares import percent
from chalicelib.domain.errors import AbacusError
from chalicelib.domain.manifest import CLICK

USUAL_LIFT = "10 %"


class CannotCreate(AbacusError):
    """The experiment cannot be written; the message says why."""


@dataclass(frozen=True)
class Draft:
    """The answers about a new experiment. `page`: a url pattern, "" for all pages."""

    key: str
    hypothesis: str
    page: str
    variants: Sequence[str]
    metrics: DraftMetrics
    lift: float

    def yaml(self, *, schema: bool) -> str:
        """The file. `schema`: whether schema.json is in its folder, for editors."""
        lines = ["# yaml-language-server: $schema=schema.json"] if schema else []
        lines.append(f"key: {scalar(self.key)}")
        if self.hypothesis:
            lines.append(f"hypothesis: {scalar(self.hypothesis)}")
        lines.append("status: running")
        lines.append("variants: # the first one is the control; no weights: equal shares")
        lines += [f"  - key: {scalar(variant)}" for variant in self.variants]
        if self.page:
            lines += ["urls:", f"  include: {flow([self.page])}"]
        lines += self.metrics.yaml_lines()
        lines.append(f"minimum_detectable_effect: {percent(abs(self.lift))} # relative")
        return "\n".join(lines) + "\n"

    def page_lines(self, base_url: str) -> list[str]:
        """What the page needs, as HTML with a comment each."""
        changed = self.variants[1]
        lines = [
            f'<script src="{base_url}/ab.js"></script>   <!-- in the head of every page -->',
            f'<section data-ab="{self.key}">   <!-- around what changes; same place in every variant -->',
            f'  <h1 data-ab-set="{self.key}:{changed} text=The text of {changed}">The text of {self.variants[0]}</h1>',
            "</section>",
        ]
        return [*lines, *self.metrics.page_lines()]


@click.command("new")
@click.argument("key", required=False)
@click.option("--hypothesis", metavar="TEXT", help="What you expect, and why.")
@click.option("--page", metavar="PATTERN", help="The pages it runs on, such as '/shop/*'. Default: all.")
@click.option("--variants", metavar="KEYS", help="Two or more, the control first: 'plain, bold'.")
@click.option("--primary", metavar="METRIC", help="What decides: click, signup, buy.value, buy.count. Default: click.")
@click.option("--unit", metavar="NAME", default="", help="Of the values that decide, such as EUR.")
@click.option("--cap", type=click.FloatRange(0, min_open=True), help="The most that one visitor's values count for.")
@click.option(
    "--guardrail", "guardrails", multiple=True, metavar="METRIC=SHARE", help="May get so much worse: 'error=5 %'."
)
@click.option("--lower", multiple=True, metavar="GOAL", help="A goal that fewer visitors should reach, such as error.")
@click.option("--lift", type=CHANGE, help=f"The smallest relative change worth finding. Default: {USUAL_LIFT}.")
@click.option("--rate", type=SHARE, help="Share of visitors who convert today. Default: measured, or 5 %.")
@click.option("--per-day", type=click.FloatRange(0, min_open=True), help="Visitors per day. Default: measured.")
@click.option("--ask/--no-ask", default=None, help="Ask for what is not given. Default: in a terminal.")
@manifest_option
@stage_option
@region_option
@home_option
@report_errors
def command(
    manifest: Path,
    stage: str | None,
    region: str | None,
    home: Path,
    rate: float | None,
    per_day: float | None,
    **answers: Any,
) -> None:
    """Write a new experiment to a file of its own, named KEY.

    Estimates the duration from the traffic of a running product, and prints what to put into the page. Nothing goes
    live before the next `abacus publish`; a product that runs here publishes the file by itself."""
    use_region(region)
    draft = _draft(Answers(**answers))
    began = not manifest.exists()
    file = create(draft, manifest)
    if began:
        click.echo(f"made the folder {manifest.absolute()}; `abacus init` prepares a site's whole repository")
    click.echo(f"wrote {file}")
    click.echo(
        "Its status is running: a product that runs here publishes it within two seconds. `status: draft` keeps it "
        "back.\n"
    )
    try:
        base_url = address(stage, home, os.environ)
    except NoTarget:
        base_url = ""
    wanted = Wanted(draft.metrics.primary, draft.lift, len(draft.variants))
    for line in duration(wanted, rate, per_day, base_url):
        click.echo(line)
    click.echo("\nPut into the page:")
    for line in draft.page_lines(base_url):
        click.echo(f"  {line}")
    where = f" --stage {stage}" if stage else ""
    click.echo(f"\nThen check it:  abacus check URL --experiment {draft.key}{where}")


@dataclass(frozen=True)
class Answers:
    """What the command line says about the experiment. None: not given, so the command asks or takes the default.
    `ask`: whether it asks; None: in a terminal it does."""

    key: str | None
    hypothesis: str | None
    page: str | None
    variants: str | None
    primary: str | None
    unit: str
    cap: float | None
    guardrails: tuple[str, ...]
    lower: tuple[str, ...]
    lift: float | None
    ask: bool | None


def _draft(given: Answers) -> Draft:
    asking = sys.stdin.isatty() if given.ask is None else given.ask

    def answer(value: Any, question: str, default: str, kind: Any = str) -> Any:
        if value is not None:
            return value
        return click.prompt(question, default=default, type=kind, show_default=bool(default)) if asking else default

    if not (given.key or asking):
        raise click.UsageError("KEY is missing: write abacus new hero, or add --ask")
    names = answer(given.key, "Key of the experiment (a-z, 0-9, -)", "")
    why = answer(given.hypothesis, "Hypothesis: what do you expect, and why?", "")
    pattern = answer(given.page, "Pages it runs on (such as /shop/*; empty: all)", "")
    keys = answer(given.variants, "Variants, the control first", "control, treatment")
    metric = answer(given.primary, "What decides: click, or a goal such as signup or purchase.value", CLICK)
    unit, cap = given.unit, given.cap
    if metric.endswith(".value") and asking:
        unit = unit or answer(None, "Unit of the values", "EUR")
        cap = cap or answer(None, "The most that one visitor's values count for", "500", POSITIVE)
    smallest = answer(given.lift, "Smallest relative change worth finding", USUAL_LIFT, CHANGE)
    return Draft(
        key=names,
        hypothesis=why,
        page=pattern,
        variants=[v.strip() for v in keys.split(",") if v.strip()],
        metrics=draft_metrics(metric, unit, cap, given.guardrails, given.lower),
        lift=CHANGE.convert(smallest, None, None),
    )


def create(draft: Draft, folder: Path) -> Path:
    """Write the draft to a new file in `folder` and check it; the file.

    Raises CannotCreate if the name is taken, or Problems, and leaves no file, if the result is not valid."""
    if len(draft.variants) < 2:
        raise CannotCreate(f"--variants: {', '.join(draft.variants) or 'none'}: an experiment needs two or more")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", draft.key):
        raise CannotCreate(f"KEY: {draft.key!r} {KEY_RULE}")
    folder.mkdir(parents=True, exist_ok=True)
    if load(folder).experiment(draft.key):
        raise CannotCreate(f"{folder} has an experiment {draft.key!r} already; choose another key")
    file = folder / f"{draft.key}.yaml"
    if file.exists():
        raise CannotCreate(f"{file} exists already; choose another key")
    file.write_text(draft.yaml(schema=(folder / "schema.json").exists()), encoding="utf-8")
    try:
        load(folder)
    except AbacusError:
        file.unlink()
        raise
    return file
