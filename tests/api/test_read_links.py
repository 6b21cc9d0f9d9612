"""Links in place of the read key: what opens them, and everything that must not."""

from __future__ import annotations

import json

import pytest

from abacus.paths import PROJECT
from chalicelib.api.read_links import EVERYTHING, LONGEST_DAYS, check_reader, sign_link
from chalicelib.domain.clock import DAY_MS
from chalicelib.domain.errors import Unauthorized

KEY, STAGE, NOW = "open sesame", "prod", 1_795_262_400_000  # 2026-11-21T12:00:00Z
EXPIRES = NOW // 1000 + 7 * 86_400
# Made with `openssl dgst -sha256 -mac HMAC`; the page's script is held to the same file.
CASES = json.loads((PROJECT / "tests" / "fixtures" / "read_links.json").read_text())


def refusal(sent: str, *, experiment: str | None = "cta-color", now_ms: int = NOW, stage: str = STAGE) -> str | None:
    try:
        check_reader(sent, KEY, stage, experiment=experiment, now_ms=now_ms)
    except Unauthorized as error:
        return error.message
    return None


def token(scope: str = "cta-color", expires: int = EXPIRES, key: str = KEY, stage: str = STAGE) -> str:
    return sign_link(key, stage, scope, expires)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['stage']}-{case['scope']}")
def test_a_token_is_what_another_implementation_of_hmac_makes(case: dict[str, object]) -> None:
    assert sign_link(case["read_key"], case["stage"], case["scope"], case["expires"]) == case["token"]  # type: ignore[arg-type]


def test_a_link_opens_its_experiment_and_a_link_to_everything_opens_all() -> None:
    assert refusal(token()) is None
    assert refusal(token(EVERYTHING)) is None
    assert refusal(token(EVERYTHING), experiment=None) is None
    assert refusal(KEY, experiment=None) is None


def test_a_link_ends_at_its_second() -> None:
    assert refusal(token(), now_ms=EXPIRES * 1000 - 1) is None
    expected = "X-Read-Key: this link expired at 2026-11-28T12:00:00Z. Ask for a new one."
    assert refusal(token(), now_ms=EXPIRES * 1000) == expected


def test_a_link_to_one_experiment_opens_no_other_and_no_list() -> None:
    assert refusal(token("hero")) == "X-Read-Key: this link opens hero alone."
    assert refusal(token(), experiment=None) == "X-Read-Key: this link opens cta-color alone."


def test_a_link_lives_at_most_ninety_days_whoever_signed_it() -> None:
    most = NOW // 1000 + LONGEST_DAYS * DAY_MS // 1000
    assert refusal(token(expires=most)) is None
    assert "at most 90 days" in (refusal(token(expires=most + 1)) or "")


FORGED = {
    "a later expiry": token().replace(str(EXPIRES), str(EXPIRES + 86_400)),
    "another experiment": token("hero").replace("hero", "cta-color"),
    "everything": token().replace("cta-color", EVERYTHING),
    "another stage": token(stage="staging"),
    "another read key": token(key="open sesam"),
    "a byte less": token()[:-1],
    "a byte more": token() + "0",
    "another last byte": token()[:-1] + ("0" if token()[-1] != "0" else "1"),
    "capitals": token().upper(),
    "the read key as its own signature": f"ab1.cta-color.{EXPIRES}.{KEY}",
    "no signature": f"ab1.cta-color.{EXPIRES}.",
    "a newline behind it": token() + "\n",
    "other digits": token().replace(str(EXPIRES), str(EXPIRES).translate({48 + n: 0x660 + n for n in range(10)})),
    "nothing": "",
    "not ASCII": "ab1.é",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_what_is_forged_opens_nothing_and_says_nothing_of_the_key(forged: str) -> None:
    message = refusal(forged)
    assert message is not None
    assert ("missing or wrong" in message) or ("not one of this product's" in message)
    assert KEY not in message


def test_a_token_says_nothing_of_the_key_it_was_signed_with() -> None:
    assert KEY not in token()
    assert token(key="a") != token(key="b")
    # An empty read key opens everything to all, so nothing is ever signed with it by `abacus link`.
    check_reader("anything", "", STAGE, experiment=None, now_ms=NOW)
