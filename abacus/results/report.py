"""`abacus results`: verdict, numbers and checks of an experiment in the terminal, or as JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from abacus.aws.target import Product, at_product
from abacus.product_api import ProductApi
from abacus.results.segment_tables import segment_lines
from abacus.results.table import as_interval, as_percent, table
from chalicelib.analysis.wording import count

Json = Mapping[str, Any]
SIMULATED = "Contains simulated visitors (demo data). Remove them with `abacus demo --clear`."
COLUMNS = (
    *("experiment", "status", "goal", "verdict", "variant", "control", "visitors", "converted", "rate", "rate_low"),
    *("rate_high", "lift", "lift_low", "lift_high", "p", "decision", "metric", "mean", "mean_low", "mean_high", "unit"),
)


@click.command("results")
@click.argument("experiment", required=False)
@click.option("--goal", metavar="NAME", default="", help="Another metric: a goal, goal.value or goal.count.")
@click.option("--by", metavar="SEGMENT", default="", help="Show every metric by device, country ... of the visitors.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of GET /stats as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print one line per variant as CSV.")
@click.option("--read-key", metavar="KEY", help="Key of GET /stats, where it needs one. Or set ABACUS_READ_KEY.")
@at_product
def command(
    product: Product, experiment: str | None, as_json: bool, as_csv: bool, read_key: str | None, **question: str
) -> None:
    """Show the results of EXPERIMENT; without one, a line for each experiment."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    goal, by = question["goal"], question["by"]
    if (goal or by) and not experiment:
        raise click.UsageError(f"{'--goal' if goal else '--by'} needs an EXPERIMENT")
    if by and (goal or as_csv):
        raise click.UsageError(f"--by and {'--goal' if goal else '--csv'} exclude each other")
    api = ProductApi(product.base_url, os.environ.get("ABACUS_READ_KEY", "") if read_key is None else read_key)
    answers = [api.experiment(experiment, **question)] if experiment else api.experiments()
    if as_json:
        click.echo(json.dumps(answers[0] if experiment else answers, indent=1, ensure_ascii=False))
    elif as_csv:
        click.echo(as_csv_text(answers), nl=False)
    elif by:
        click.echo("\n".join(segment_lines(answers[0])))
    elif experiment:
        click.echo("\n".join(report_lines(answers[0])))
    else:
        click.echo("\n".join(list_lines(answers)) if answers else "No experiment is published yet.")


def list_lines(entries: Sequence[Json]) -> Iterator[str]:
    """GET /stats as a table, one line per experiment."""
    rows = [
        [
            entry["experiment"] + (" *" if entry.get("simulated") else ""),
            entry["status"],
            f"{entry['visitors']:,}",
            f"{entry['converted']:,}",
            entry["metric"]["name"],
            entry["verdict"]["headline"],
        ]
        for entry in entries
    ]
    head = ["experiment", "status", "visitors", "converted", "metric", "verdict"]
    yield from table(head, rows, left_aligned=(0, 1, 4, 5))
    if any(entry.get("simulated") for entry in entries):
        yield ""
        yield f"* {SIMULATED}"


def report_lines(report: Json) -> Iterator[str]:
    """GET /stats/{experiment}: verdict, variants and checks."""
    visitors = sum(variant["visitors"] for variant in report["variants"])
    yield f"{report['experiment']}: {report['status']}, {count(visitors, 'visitor')}, by {report['metric']['name']}"
    if report.get("shipped"):
        yield f"Every visitor sees {report['shipped']}, the winner in the manifest."
    if report.get("simulated"):
        yield SIMULATED
    verdict = report["verdict"]
    yield ""
    yield verdict["headline"]
    if verdict.get("reason"):
        yield verdict["reason"]
    yield ""
    yield from table(
        ["variant", "visitors", "converted", _subject(report), "95 % interval", "lift", "95 % interval", "p"],
        [_variant_row(report, variant) for variant in report["variants"]],
    )
    yield from _guardrail_lines(report["guardrails"])
    yield ""
    for check in report["health"]["checks"]:
        yield f"{check['state']:8} {check['text']}"


def _guardrail_lines(guardrails: Sequence[Json]) -> Iterator[str]:
    if guardrails:
        yield ""
        rows = [
            [
                f"{guardrail['metric']} of {guardrail['variant']}",
                guardrail["state"],
                as_percent(guardrail["lift"], sign=True),
                as_interval(guardrail["bounds"], sign=True),
                f"at most {as_percent(guardrail['margin'])} worse",
            ]
            for guardrail in guardrails
        ]
        yield from table(["guardrail", "state", "lift", "bounds", "acceptable"], rows, left_aligned=(0, 1, 4))


def _subject(report: Json) -> str:
    """What the column of the estimate holds."""
    metric = report["metric"]
    if metric["kind"] == "rate":
        return "rate"
    return f"{metric['unit'] or metric['goal'] + ' events'} per visitor"


def _estimate(metric: Json, variant: Json) -> tuple[str, str]:
    """The rate or mean of a variant, and its interval."""
    if metric["kind"] == "rate":
        return as_percent(variant["rate"]), as_interval(variant["rate_interval"])
    places = max(2, metric["decimals"])
    ends = variant["mean_interval"]
    return (
        "" if variant["mean"] is None else f"{variant['mean']:.{places}f}",
        f"{ends[0]:.{places}f} to {ends[1]:.{places}f}" if ends else "",
    )


def _variant_row(report: Json, variant: Json) -> list[str]:
    comparison = _comparison(report, variant) or {}
    name = variant["variant"] + (" (control)" if variant["control"] else "")
    return [
        name,
        f"{variant['visitors']:,}",
        f"{variant['converted']:,}",
        *_estimate(report["metric"], variant),
        as_percent(comparison.get("lift"), sign=True),
        as_interval(comparison.get("lift_interval"), sign=True),
        "" if comparison.get("p") is None else f"{comparison['p']:.3g}",
    ]


def _comparison(report: Json, variant: Json) -> Json | None:
    return next((c for c in report["comparisons"] if c["variant"] == variant["variant"]), None)


def as_csv_text(answers: Sequence[Json]) -> str:
    """One line per variant; shares as fractions, open ends and missing numbers empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for report in answers:
        for variant in report["variants"]:
            comparison = _comparison(report, variant) or {}
            low, high = variant["rate_interval"] or (None, None)
            mean_low, mean_high = variant["mean_interval"] or (None, None)
            lift_low, lift_high = comparison.get("lift_interval") or (None, None)
            row = {
                **{name: report[name] for name in ("experiment", "status", "goal")},
                **{name: variant[name] for name in ("variant", "control", "visitors", "converted", "rate")},
                "verdict": report["verdict"]["state"],
                **{"rate_low": low, "rate_high": high, "lift_low": lift_low, "lift_high": lift_high},
                **{name: comparison.get(name) for name in ("lift", "p", "decision")},
                **{"metric": report["metric"]["name"], "unit": report["metric"]["unit"], "mean": variant["mean"]},
                **{"mean_low": mean_low, "mean_high": mean_high},
            }
            writer.writerow(row)
    return text.getvalue()
