"""`abacus erase` as a person calls it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from abacus.aws.target import service_environment
from abacus.cli import main
from abacus.local.emulated_stacks import LocalAws, environment
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.store import RowKey, RowLimit
from tests.support.builders import NOON, an_element

pytestmark = pytest.mark.ministack


@pytest.fixture
def store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> DynamoStore:
    for name, value in (environment(aws.endpoint, {}) | service_environment(aws.names)).items():
        monkeypatch.setenv(name, value)
    return DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])


@pytest.mark.parametrize("argument", ["3f2b8c1e", "3f2b8c1e~cta-color.green.0~", "abacus=3f2b8c1e~"])
def test_the_id_or_the_whole_cookie_names_the_visitor(store: DynamoStore, argument: str) -> None:
    store.add(
        RowKey("3f2b8c1e", "cta-color"),
        [an_element()],
        1,
        version="v",
        expires_at=NOON // 1000,
        limit=RowLimit(100, 100),
    )
    result = CliRunner().invoke(main, ["erase", argument])
    assert (result.output, result.exit_code) == ("Erased visitor 3f2b8c1e from cta-color.\n", 0)
    assert store.rows_of("3f2b8c1e") == []


def test_an_unknown_visitor_ends_with_exit_code_1(store: DynamoStore) -> None:
    result = CliRunner().invoke(main, ["erase", "stranger"])
    assert result.exit_code == 1
    assert "There is no data of visitor 'stranger'. The id is the part before ~" in result.output
