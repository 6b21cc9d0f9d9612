"""`abacus new` writes a valid experiment, plans it from live traffic, and says what the page needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from abacus.authoring.load import load
from abacus.authoring.metrics.traffic import Traffic, live_traffic
from abacus.cli import main
from abacus.product_api import ProductApi
from chalicelib.domain.manifest import UrlPattern, Urls

NOTHING_RUNS = ["--home", "/nonexistent"]


@pytest.fixture(autouse=True)
def no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)


def new(folder: Path, *arguments: str, answers: str = "") -> tuple[int, str]:
    command = ["new", *arguments, "--manifest", str(folder), *NOTHING_RUNS]
    result = CliRunner().invoke(main, command, input=answers)
    return result.exit_code, result.output


def test_options_become_an_experiment_and_the_lines_for_the_page(tmp_path: Path) -> None:
    options = ["--variants", "plain, bold", "--page", "/shop/*", "--primary", "signup", "--lift", "20 %"]
    code, output = new(tmp_path, "hero", *options, "--rate", "4 %", "--per-day", "1000")
    assert code == 0, output
    [hero] = load(tmp_path).experiments
    assert (hero.key, hero.status, hero.variant_keys) == ("hero", "running", ("plain", "bold"))
    assert (hero.goals, hero.primary, hero.minimum_detectable_effect) == (("signup",), "signup", 0.2)
    assert hero.urls == Urls(include=(UrlPattern(pattern="/shop/*"),))
    plan = CliRunner().invoke(main, ["plan", "--rate", "4 %", "--lift", "20 %", "--per-day", "1000"]).output
    assert plan in output
    for line in ('<script src="/ab.js"></script>', '<section data-ab="hero">', 'data-ab="goal:signup"'):
        assert line in output


def test_a_new_folder_and_what_goes_live_at_once_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "manifest"
    _, output = new(folder, "hero")
    assert output.startswith(f"made the folder {folder}; `abacus init` prepares a site's whole repository\nwrote ")
    assert "publishes it within two seconds. `status: draft` keeps it back.\n" in output
    assert "made the folder" not in new(folder, "second")[1]


def test_revenue_may_decide_and_guardrails_are_written_with_their_margins(tmp_path: Path) -> None:
    options = [
        "--primary",
        "buy.value",
        "--unit",
        "EUR",
        "--cap",
        "500",
        "--guardrail",
        "error=5 %",
        "--lower",
        "error",
    ]
    code, output = new(tmp_path, "hero", *options)
    assert code == 0, output
    [hero] = load(tmp_path).experiments
    assert (hero.primary, hero.goals, hero.lower_is_better) == ("buy.value", ("buy", "error"), ("error",))
    assert hero.goal_values["buy"].model_dump() == {"unit": "EUR", "decimals": 2, "cap": 50_000}
    assert [(g.metric, g.margin) for g in hero.guardrails] == [("error", 0.05)]
    assert 'abacus.goal("buy", 49.9)' in output
    assert "abacus plan --mean MEAN --spread SPREAD --lift '10 %'" in output


def test_unit_and_cap_are_asked_for_where_values_decide(tmp_path: Path) -> None:
    code, output = new(tmp_path, "--ask", answers="tea\n\n\n\nbuy.value\nCHF\n200\n\n")
    assert code == 0, output
    [tea] = load(tmp_path).experiments
    assert (tea.primary, tea.goal_values["buy"].unit, tea.goal_values["buy"].cap) == ("buy.value", "CHF", 20_000)


def test_questions_are_asked_for_what_is_not_given(tmp_path: Path) -> None:
    code, output = new(tmp_path, "--ask", answers="tea\nIt's better: really\n\nold, new\n\n5 %\n")
    assert code == 0, output
    [tea] = load(tmp_path).experiments
    assert (tea.hypothesis, tea.urls, tea.primary, tea.minimum_detectable_effect) == (
        "It's better: really",
        None,
        "click",
        0.05,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "KEY is missing: write abacus new hero, or add --ask"),
        (("Hero",), "KEY: 'Hero' is not a key: a–z, 0–9 and -, at most 64 characters"),
        (("hero", "--variants", "one"), "--variants: one: an experiment needs two or more"),
        (("hero", "--variants", "a, b!"), "'b!' is not a variant's key"),
        (("hero", "--primary", "buy.value"), "--primary: the values of buy need a unit and a cap"),
        (("hero", "--primary", "buy", "--cap", "9"), "--cap, --unit: buy has no values; write --primary buy.value"),
        (("hero", "--guardrail", "error"), "--guardrail: 'error': '' is not a share"),
        (("taken",), "has an experiment 'taken' already; choose another key"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    taken = tmp_path / "other.yaml"
    taken.write_text("key: taken\nstatus: draft\nvariants: [{key: a}, {key: b}]\n")
    code, output = new(tmp_path, *arguments)
    assert code != 0
    assert message in output
    assert list(tmp_path.iterdir()) == [taken]


def entry(key: str, *visitors: int, **more: Any) -> dict[str, Any]:
    series = [{"at": f"2026-11-{day:02}", "visitors": n, "converted": 0} for day, n in enumerate(visitors, 1)]
    return {"experiment": key, "status": "running", "series": series} | more


ENTRIES = [entry("small", 10, 10, 5), entry("large", 100, 140, 7), entry("demo", 900, 900, simulated=True)]
REPORT = {
    "goals": ["click"],
    "variants": [{"control": True, "rate": 0.08}, {"control": False, "rate": 0.2}],
}


@pytest.fixture
def api() -> Iterator[ProductApi]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer: object = {"experiments": ENTRIES} if urlsplit(self.path).path == "/stats" else REPORT
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield ProductApi(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_traffic_is_that_of_the_busiest_real_experiment_over_its_whole_days(api: ProductApi) -> None:
    assert live_traffic(api, "click") == Traffic(per_day=120.0, rate=0.08, source="large")


def test_a_goal_that_is_not_measured_yet_has_no_rate(api: ProductApi) -> None:
    assert live_traffic(api, "signup") == Traffic(per_day=120.0, rate=None, source="large")
