"""The limit on new visitors from one network."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import TooManyRequests
from chalicelib.ingestion.network_limit import NetworkLimit
from chalicelib.ingestion.sender import address_of


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_network_gets_a_burst_and_then_its_share_a_minute() -> None:
    clock = Clock()
    limit = NetworkLimit(10, clock)
    for n in range(20):
        limit.admit(f"192.0.2.{n}", f"v{n}")  # one /24
    with pytest.raises(TooManyRequests) as refused:
        limit.admit("192.0.2.99", "another")
    assert (refused.value.status, refused.value.retry_after) == (429, 6)
    assert not limit.admit("192.0.3.1", "elsewhere")
    clock.seconds = 6.0
    limit.admit("192.0.2.99", "another")


def test_a_visitor_who_is_known_is_not_limited() -> None:
    limit = NetworkLimit(1, Clock())
    limit.admit("2001:db8:1::1", "v1")
    limit.admit("2001:db8:1::2", "v2")
    assert not limit.admit("2001:db8:1:ffff::3", "v1")
    with pytest.raises(TooManyRequests):
        limit.admit("2001:db8:1:ffff::3", "v3")


def test_arrivals_are_marked_once_a_quarter_of_the_burst_is_used() -> None:
    limit = NetworkLimit(10, Clock())
    assert [limit.admit("192.0.2.1", f"v{n}") for n in range(7)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", ""])
def test_this_machine_is_limited_only_where_that_is_switched_on(address: str) -> None:
    limit = NetworkLimit(1, Clock())
    assert not any(limit.admit(address, f"v{n}") for n in range(9))
    if address:
        switched_on = NetworkLimit(1, Clock(), loopback=True)
        for n in range(2):
            switched_on.admit(address, f"v{n}")
        with pytest.raises(TooManyRequests):
            switched_on.admit(address, "v9")


def test_no_limit_where_it_is_zero() -> None:
    assert not any(NetworkLimit(0, Clock()).admit("192.0.2.1", f"v{n}") for n in range(1000))


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [("192.0.2.7", "192.0.2.7"), ("forged, 192.0.2.7, 198.51.100.9", "192.0.2.7"), ("", "198.51.100.9")],
)
def test_only_what_the_cdn_added_is_believed(forwarded: str, expected: str) -> None:
    assert address_of({"x-forwarded-for": forwarded}, "198.51.100.9") == expected
