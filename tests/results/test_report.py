"""`abacus results` shows what GET /stats answers."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from click.testing import CliRunner

from abacus.cli import main
from abacus.results.report import list_lines, report_lines
from tests.support.product import Product, a_visit, until

VERDICT = {"state": "winner", "headline": "Ship green.", "reason": "It is better.", "later_field": 1}
REPORT: dict[str, Any] = {
    "experiment": "cta-color",
    "status": "running",
    "goal": "click",
    "metric": {"name": "click", "kind": "rate", "goal": "click", "unit": None, "decimals": 0},
    "guardrails": [],
    "verdict": VERDICT,
    "simulated": True,
    "variants": [
        {"variant": "blue", "control": True, "visitors": 1200, "converted": 120, "rate": 0.1}
        | {"rate_interval": [0.08, 0.12]},
        {"variant": "green", "control": False, "visitors": 1180, "converted": 177, "rate": 0.15}
        | {"rate_interval": None},
    ],
    "comparisons": [
        {"variant": "green", "control": "blue", "lift": 0.5, "lift_interval": [0.2, None], "p": 0.00123}
        | {"decision": "winner"}
    ],
    "health": {"checks": [{"state": "ok", "text": "The split is as configured.", "name": "srm"}]},
}  # fmt: skip


def test_a_report_is_verdict_table_and_checks() -> None:
    assert list(report_lines(REPORT)) == [
        "cta-color: running, 2,380 visitors, by click",
        "Contains simulated visitors (demo data). Remove them with `abacus demo --clear`.",
        "",
        "Ship green.",
        "It is better.",
        "",
        "variant         visitors  converted     rate      95 % interval      lift  95 % interval        p",
        "blue (control)     1,200        120  10.00 %  8.00 % to 12.00 %",
        "green              1,180        177  15.00 %                     +50.00 %  +20.00 % to ∞  0.00123",
        "",
        "ok       The split is as configured.",
    ]


def test_a_mean_is_shown_with_its_unit_and_guardrails_with_their_state() -> None:
    means = {"blue": (2.4, [2.1, 2.7]), "green": (None, None)}
    variants = [
        row | {"mean": mean, "mean_interval": interval}
        for row in REPORT["variants"]
        for mean, interval in [means[row["variant"]]]
    ]
    by_value = {"name": "buy.value", "kind": "value", "goal": "buy", "unit": "EUR", "decimals": 2}
    guardrail = {"metric": "error", "variant": "green", "state": "broken", "lift": 0.2, "bounds": [0.1, None]}
    report = REPORT | {"metric": by_value, "variants": variants, "guardrails": [guardrail | {"margin": 0.05}]}
    assert list(report_lines(report))[6:12] == [
        "variant         visitors  converted  EUR per visitor  95 % interval      lift  95 % interval        p",
        "blue (control)     1,200        120             2.40   2.10 to 2.70",
        "green              1,180        177                                  +50.00 %  +20.00 % to ∞  0.00123",
        "",
        "guardrail       state       lift         bounds  acceptable",
        "error of green  broken  +20.00 %  +10.00 % to ∞  at most 5.00 % worse",
    ]


def test_the_list_marks_demo_data() -> None:
    entry = REPORT | {"visitors": 2380, "converted": 297}
    assert list(list_lines([entry])) == [
        "experiment   status   visitors  converted  metric  verdict",
        "cta-color *  running     2,380        297  click   Ship green.",
        "",
        "* Contains simulated visitors (demo data). Remove them with `abacus demo --clear`.",
    ]


@pytest.fixture
def counted(product: Product) -> Product:
    before = product.variants("cta-color")["blue"][0]
    assert product.ask("/events", a_visit("v2", "blue", "impression", "click")).status == 202
    until(lambda: product.variants("cta-color")["blue"][0] >= max(before, 1))
    return product


def run(product: Product, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["results", *arguments, "--home", str(product.home)])
    return result.exit_code, result.output


@pytest.mark.ministack
def test_the_running_product_is_read(counted: Product) -> None:
    answer = counted.ask("/stats/cta-color?series=none").json()
    code, text = run(counted, "cta-color")
    assert (code, answer["verdict"]["headline"] in text) == (0, True)
    code, text = run(counted, "cta-color", "--json")
    assert (code, json.loads(text)["variants"]) == (0, answer["variants"])
    code, text = run(counted, "cta-color", "--csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["variant"], int(row["visitors"])) for row in rows] == [
        (variant["variant"], variant["visitors"]) for variant in answer["variants"]
    ]
    code, text = run(counted)
    keys = {line.split()[0] for line in text.splitlines()[1:]}
    assert keys == {entry["experiment"] for entry in counted.ask("/stats").json()["experiments"]}


@pytest.mark.ministack
def test_an_unknown_experiment_is_named(product: Product) -> None:
    code, text = run(product, "cta-colour")
    assert code == 1
    assert "Error: No experiment 'cta-colour'" in text


def test_an_address_where_nothing_runs_is_a_sentence() -> None:
    result = CliRunner().invoke(main, ["results", "--base-url", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/stats does not answer with JSON" in result.output
