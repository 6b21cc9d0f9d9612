"""`abacus link` prints an address that opens the results until it expires."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from abacus.cli import main
from abacus.product_api import ProductApi
from chalicelib.api.read_links import check_reader
from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.errors import NotFound, Unauthorized

KEY, NOW = "open sesame", 1_795_262_400_000


@pytest.fixture
def product(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product with one experiment and a read key, whose clock stands."""

    def answer(api: ProductApi, path: str, **query: str) -> Any:
        if path == "/health":
            return {"status": "ok", "stage": "prod"}
        if api.read_key not in ("", KEY):
            raise Unauthorized("wrong")
        if path not in ("/stats", "/stats/hero"):
            raise NotFound("No such experiment")
        return {"experiments": []}

    monkeypatch.setattr(ProductApi, "get", answer)
    monkeypatch.setattr("time.time", lambda: NOW / 1000)


def link(*arguments: str, key: str = KEY) -> Result:
    command = ["link", *arguments, "--base-url", "https://ab.example.com/", "--read-key", key]
    return CliRunner().invoke(main, command)


def sent(result: Result) -> tuple[str, str]:
    address, _, token = result.output.strip().partition("?link=")
    return address, token


@pytest.mark.usefixtures("product")
def test_the_link_opens_one_experiment_for_a_week_and_its_token_stays_behind_the_hash() -> None:
    address, token = sent(link("hero"))
    assert address == "https://ab.example.com/results/#/hero"
    check_reader(token, KEY, "prod", experiment="hero", now_ms=NOW + 7 * DAY_MS - 1)
    with pytest.raises(Unauthorized, match="expired"):
        check_reader(token, KEY, "prod", experiment="hero", now_ms=NOW + 7 * DAY_MS)
    with pytest.raises(Unauthorized, match="alone"):
        check_reader(token, KEY, "prod", experiment=None, now_ms=NOW)


@pytest.mark.usefixtures("product")
def test_without_an_experiment_it_opens_all_and_days_are_chosen() -> None:
    address, token = sent(link("--days", "30"))
    assert address == "https://ab.example.com/results/#/"
    check_reader(token, KEY, "prod", experiment=None, now_ms=NOW + 30 * DAY_MS - 1)
    assert sent(link("hero", "--card"))[0] == "https://ab.example.com/results/card.html#/hero"


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    ("arguments", "key", "message"),
    [
        (("hreo",), KEY, "No such experiment"),
        (("hero",), "guess", "wrong"),
        (("hero",), "", "This product has no read key"),
        (("hero", "--days", "91"), KEY, "91 is not in the range 1<=x<=90"),
        (("--card",), KEY, "--card needs an EXPERIMENT"),
    ],
)
def test_what_would_open_nothing_is_not_printed(arguments: tuple[str, ...], key: str, message: str) -> None:
    result = link(*arguments, key=key)
    assert result.exit_code != 0
    assert message in result.output
    assert "ab1." not in result.output
