"""`abacus assign`: which variant a visitor gets in each experiment, and every step of the decision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import click

from abacus.authoring.load import load
from abacus.authoring.problems import did_you_mean, listed
from abacus.aws.errors import report_errors
from abacus.growthbook.evaluation import Context, Result, run
from abacus.growthbook.payload import Json, split, targets
from abacus.options import VISITOR, manifest_option
from chalicelib.domain.manifest import Experiment, Manifest
from chalicelib.targeting.conditions import satisfied
from chalicelib.targeting.url_patterns import matches


@dataclass(frozen=True)
class Decision:
    """variant: what the visitor sees; None: the sender decides. enrolled: takes part and is counted."""

    experiment: str
    variant: str | None
    enrolled: bool
    steps: tuple[str, ...]


def decide(experiment: Experiment, visitor: str, url: str, attributes: Json, now: int) -> Decision:
    """The decision of a client without a stored choice at `now` (epoch milliseconds)."""
    if experiment.assignment == "client":
        steps = ("assignment: client: the sender chooses the variant",)
        return Decision(experiment.key, None, True, steps)
    if experiment.status == "stopped" and experiment.winner:
        return _winner(experiment, visitor, url, attributes)
    closed = _closed(experiment, now)
    if closed:
        return Decision(experiment.key, experiment.control, False, (closed,))
    result = _hashed(experiment, visitor, url, attributes)
    earlier = _earlier(experiment, visitor) if result.enrolled else ()
    return Decision(
        experiment=experiment.key,
        variant=experiment.variant_keys[result.index],
        enrolled=result.enrolled and result.counted,
        steps=(*result.steps, *earlier),
    )


def _winner(experiment: Experiment, visitor: str, url: str, attributes: Json) -> Decision:
    """All visitors but the holdout get it where the experiment ran, whatever its coverage and namespace."""
    assert experiment.winner is not None
    if experiment.holds_out(visitor):
        return Decision(experiment.key, experiment.control, False, ("stopped, and the visitor is in the holdout",))
    on_page = experiment.urls is None or matches(experiment.urls, url)
    in_audience = experiment.condition is None or satisfied(experiment.condition, attributes)
    if on_page and in_audience:
        return Decision(experiment.key, experiment.winner, False, (f"stopped: every visitor gets {experiment.winner}",))
    return Decision(
        experiment.key, experiment.control, False, ("stopped, and it did not run for these visitors or pages",)
    )


def _closed(experiment: Experiment, now: int) -> str | None:
    if experiment.status != "running":
        return {
            "draft": "a draft: it is not published",
            "paused": "paused: every visitor sees the control",
            "stopped": "stopped without a winner: every visitor sees the control",
        }[experiment.status]
    if experiment.start is not None and now < experiment.start:
        return f"starts at {_utc(experiment.start)}"
    if experiment.end is not None and experiment.end <= now:
        return f"ended at {_utc(experiment.end)}"
    return None


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _hashed(experiment: Experiment, visitor: str, url: str, attributes: Json) -> Result:
    rule = split(experiment) | {"variations": experiment.variant_keys}
    if experiment.condition:
        rule["condition"] = experiment.condition
    if experiment.urls is not None:
        rule["urlPatterns"] = targets(experiment.urls)
    return run(rule, Context(attributes=attributes | {"id": visitor}, url=url))


def _earlier(experiment: Experiment, visitor: str) -> tuple[str, ...]:
    """The variant that the visitor may have stored in an earlier phase with the same seed."""
    descriptions = []
    for phase in range(experiment.current_phase):
        if experiment.seed_of(phase) == experiment.seed_of(experiment.current_phase):
            variant = experiment.assign(visitor, phase) or "not enrolled"
            descriptions.append(f"phase {phase}: {variant}; a browser that stored a variant then keeps it")
    return tuple(descriptions)


@click.command()
@click.argument("visitor", type=VISITOR)
@click.option("--experiment", "key", metavar="KEY", default="", help="Only this experiment. Default: all.")
@click.option("--url", default="", metavar="URL", help="The page the visitor is on.")
@click.option("--attributes", default="{}", metavar="JSON", help='Attributes, such as {"country": "CH"}.')
@manifest_option
@report_errors
def command(visitor: str, key: str, url: str, attributes: str, manifest: Path) -> None:
    """Explain which variant VISITOR gets, step by step.

    VISITOR is the visitor's id: the part before ~ in the cookie `abacus`, or the whole cookie's value."""
    known = _attributes(attributes)
    for experiment in _chosen(load(manifest), key):
        decision = decide(experiment, visitor, url, known, round(time() * 1000))
        click.echo(f"{decision.experiment}: {_outcome(decision)}")
        for step in decision.steps:
            click.echo(f"  {step}")


def _outcome(decision: Decision) -> str:
    if decision.variant is None:
        return "the sender decides"
    return decision.variant if decision.enrolled else f"sees {decision.variant}, not counted"


def _attributes(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not JSON: {error}", param_hint="--attributes") from None
    if not isinstance(parsed, dict):
        raise click.BadParameter(
            f'{text!r} is not a JSON object such as {{"country": "CH"}}', param_hint="--attributes"
        )
    return parsed


def _chosen(manifest: Manifest, key: str) -> tuple[Experiment, ...]:
    if not key:
        return manifest.experiments
    experiment = manifest.experiment(key)
    if experiment is None:
        keys = [e.key for e in manifest.experiments]
        hint = did_you_mean(key, keys)
        raise click.BadParameter(f"no experiment {key!r}; there are {listed(keys)}.{hint}", param_hint="--experiment")
    return (experiment,)
