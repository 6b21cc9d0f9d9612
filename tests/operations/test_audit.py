"""`abacus audit` and `abacus reconcile` as a person calls them: the sums, the problems, and the exit code."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from abacus.aws.target import service_environment
from abacus.cli import main
from abacus.local.emulated_stacks import LocalAws, environment
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.store import RowKey, RowLimit
from tests.support.builders import an_element

pytestmark = pytest.mark.ministack


@pytest.fixture
def store(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> DynamoStore:
    for name, value in (environment(aws.endpoint, {}) | service_environment(aws.names)).items():
        monkeypatch.setenv(name, value)
    store = DynamoStore(aws.dynamodb, aws.names["ParticipantsName"], aws.names["TalliesName"])
    write(store, "v1", an_element(), an_element())
    return store


def write(store: DynamoStore, visitor: str, *elements: str) -> None:
    key, limit = RowKey(visitor, "cta-color"), RowLimit(100, 100)
    store.add(key, set(elements), len(elements), version="v", expires_at=0, limit=limit)


def test_rows_that_add_up_end_with_exit_code_0(store: DynamoStore) -> None:
    result = CliRunner().invoke(main, ["audit"])
    assert (result.output, result.exit_code) == (
        "1 rows: received 2 = accepted 1 + repeated 1\n        accepted 1 = counted 0 + pending 1\n",
        0,
    )
    result = CliRunner().invoke(main, ["reconcile"])
    assert (result.output, result.exit_code) == ("1 rows read; 1 events were pending and are counted now.\n", 0)


@pytest.mark.parametrize("command", ["audit", "reconcile"])
def test_a_row_that_cannot_be_read_ends_with_exit_code_1(store: DynamoStore, command: str) -> None:
    write(store, "v2", "nonsense")
    result = CliRunner().invoke(main, [command])
    assert (result.exit_code, "PROBLEM 1 " in result.stderr) == (1, True)
