"""`abacus rebalance`: proposes new weights for a running experiment, as a new phase, and says why."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from abacus.authoring.problems import At
from abacus.authoring.status import CannotChange, change_text, find_experiment
from abacus.authoring.syntax.editor import with_phase
from abacus.aws.target import Product, at_product
from abacus.options import SHARE, manifest_option
from abacus.product_api import ProductApi
from abacus.publishing.yaml_lines import first_phase, weights_phase
from abacus.rebalancing.proposal import Proposal, propose
from abacus.rebalancing.weights import FLOOR
from abacus.shares import percent
from chalicelib.domain.manifest import HOLDOUT, Experiment


@click.command("rebalance")
@click.argument("key", metavar="EXPERIMENT")
@click.option("--apply", is_flag=True, help="Add the phase to the experiment's file. Publish it afterwards.")
@click.option("--floor", type=SHARE, default=FLOOR, help="Least share of each variant. Default: 5 %.")
@click.option("--read-key", metavar="KEY", help="Key of GET /stats, where it needs one. Or set ABACUS_READ_KEY.")
@manifest_option
@at_product
def command(product: Product, key: str, apply: bool, floor: float, read_key: str | None, manifest: Path) -> None:
    """Propose new weights for the running EXPERIMENT, from its live results.

    Promising variants get more visitors, every variant keeps the floor, and a share changes by at most 20 points. The
    exit code is 0 also where nothing is to change, so that a weekly job can run `abacus rebalance --apply` and
    `abacus publish`."""
    experiment = find_experiment(manifest, key)
    api = ProductApi(product.base_url, os.environ.get("ABACUS_READ_KEY", "") if read_key is None else read_key)
    proposal = proposal_for(experiment, api.experiment(key), floor)
    if proposal.weights is None:
        click.echo("\n".join([f"{key} keeps its weights, {_split(experiment, None)}.", *proposal.why]))
        return
    new = proposal.weights
    click.echo(f"{key}: {_split(experiment, None)} → {_split(experiment, new)}")
    click.echo("\n".join(proposal.why))
    if not apply:
        click.echo("Nothing is changed yet. Add it to the file with --apply, or write this at the end of `phases`:")
        click.echo(f"  - {weights_phase(experiment, new)}")
        return
    click.echo(add_phase(manifest, experiment, new), nl=False)
    click.echo("Visitors keep their variant; new ones get the new weights after `abacus publish`.")


def proposal_for(experiment: Experiment, report: Mapping[str, Any], floor: float = FLOOR) -> Proposal:
    """The proposal for an experiment of the files, from the live `report`. Raises CannotChange where weights decide
    nothing, or where the files are not what is live."""
    key, number = experiment.key, len(experiment.variants)
    if key == HOLDOUT:
        raise CannotChange("holdout: its weights are the share of the site's holdout; they stay as they are")
    if experiment.assignment == "client":
        raise CannotChange(f"{key} has `assignment: client`: the sender chooses the variants, weights do nothing")
    if experiment.status != "running" or report["status"] != "running":
        live = f"{experiment.status} in your files and {report['status']} live"
        raise CannotChange(f"{key} is {live}; only a running experiment can be rebalanced")
    if floor * number > 1:
        raise CannotChange(f"--floor: {percent(floor)} for each of {number} variants is more than 100 %")
    published = [list(phase["weights"].values()) for phase in report["phases"]]
    if published != [list(phase.weights) for phase in experiment.phases]:
        raise CannotChange(f"{key} has other phases in your files than live: publish them first")
    return propose(report, floor)


def add_phase(manifest: Path, experiment: Experiment, weights: tuple[float, ...]) -> str:
    """Add a phase to the experiment's file. Returns the difference; raises Problems, with the file as it was."""
    first, new = first_phase(experiment), weights_phase(experiment, weights)

    def change(text: str, at: At) -> str:
        return with_phase(text, at, first, new)

    return change_text(manifest, experiment.key, change).diff()


def _split(experiment: Experiment, weights: tuple[float, ...] | None) -> str:
    shares = experiment.phases[-1].weights if weights is None else weights
    return ", ".join(f"{key} {percent(share)}" for key, share in zip(experiment.variant_keys, shares, strict=True))
