"""The environment, read once; a wrong value is named."""

from __future__ import annotations

import pytest

from chalicelib.runtime.service import from_environment
from chalicelib.runtime.settings import Settings


def test_without_an_environment_there_are_defaults_that_chalice_can_package() -> None:
    assert Settings.of({}) == Settings()


def test_everything_can_be_set() -> None:
    found = Settings.of(
        {
            "ABACUS_PARTICIPANTS": "p",
            "ABACUS_TALLIES": "t",
            "ABACUS_RETENTION_DAYS": "30",
            "ABACUS_SPREAD": "8",
            "ABACUS_ORIGIN_SECRETS": "new,old",
            "ABACUS_SENDER_KEYS": '{"shop": "s"}',
        }
    )
    assert (found.participants, found.tallies, found.retention_days, found.spread) == ("p", "t", 30, 8)
    assert (found.origin_secrets, found.sender_keys) == (("new", "old"), {"shop": "s"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ABACUS_SPREAD", "0", "ABACUS_SPREAD: '0' is not a whole number of at least 1"),
        ("ABACUS_SPREAD", "many", "ABACUS_SPREAD: 'many' is not a whole number of at least 1"),
        ("ABACUS_RETENTION_DAYS", "14", "ABACUS_RETENTION_DAYS: '14' is not a whole number of at least 15"),
        ("ABACUS_SENDER_KEYS", "shop=s", 'ABACUS_SENDER_KEYS must be a JSON object such as {"shop": "a long secret"}'),
        ("ABACUS_SENDER_KEYS", '{"shop": ""}', None),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, message: str | None) -> None:
    with pytest.raises(ValueError, match=name) as error:
        Settings.of({name: value})
    assert message is None or str(error.value) == message


def test_a_command_waits_longer_for_an_answer_than_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DEFAULT_REGION": "eu-central-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    services = from_environment(), from_environment(seconds=60.0)
    assert [service.client("dynamodb").meta.config.read_timeout for service in services] == [2.0, 60.0]
