"""The limit on new visitors from one network."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import TooManyRequests
from chalicelib.ingestion import network_limit
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


def refused(limit: NetworkLimit, visitor: str, address: str = "192.0.2.1") -> int | None:
    """Seconds after which the visitor is told to come again; None: taken."""
    try:
        limit.admit(address, visitor)
    except TooManyRequests as error:
        return error.retry_after
    return None


def test_parts_of_a_visitor_add_up_and_a_long_pause_brings_no_more_than_a_burst() -> None:
    clock = Clock()
    limit = NetworkLimit(10, clock)
    assert [refused(limit, f"v{n}") for n in range(21)] == [None] * 20 + [6]
    waits = []
    for clock.seconds in (1.5, 3.0, 4.5, 6.0, 6.0):  # a fourth of a visitor each, refused or not
        waits.append(refused(limit, f"at {clock.seconds} {len(waits)}"))
    assert waits == [5, 3, 2, None, 6]
    clock.seconds = 3_600.0
    assert [refused(limit, f"later{n}") for n in range(21)] == [None] * 20 + [6]


def test_a_clock_set_back_neither_adds_nor_takes_visitors() -> None:
    clock = Clock()
    clock.seconds = 100.0
    limit = NetworkLimit(10, clock)
    for n in range(20):
        limit.admit("192.0.2.1", f"v{n}")
    clock.seconds = 40.0
    assert refused(limit, "early") == 6
    clock.seconds = 46.0
    assert refused(limit, "six seconds on") is None


def test_the_sender_is_told_the_limit_and_when_to_come_again() -> None:
    limit = NetworkLimit(10, Clock())
    for n in range(20):
        limit.admit("192.0.2.1", f"v{n}")
    with pytest.raises(TooManyRequests) as error:
        limit.admit("192.0.2.1", "v20")
    assert str(error.value) == (
        "Too many new visitors from this network; 10 a minute are taken. Send the same again in 6 s."
    )


def test_a_network_is_three_bytes_of_ipv4_or_six_of_ipv6_and_all_others_are_one() -> None:
    limit = NetworkLimit(1, Clock())
    addresses = ("192.0.2.1", "192.0.3.1", "2001:db8:1::", "2001:db8:2::", "not an address", "\0:")
    visitors = [refused(limit, f"{address} {n}", address) for address in addresses for n in range(2)]
    assert visitors == [None] * 10 + [60] * 2
    same = ("192.0.2.255", "192.0.3.255", "2001:db8:1:ffff::", "2001:db8:2:ffff::", "256.0.0.1")
    assert [refused(limit, address, address) for address in same] == [60] * 5


def test_the_networks_that_were_silent_longest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert network_limit.NETWORKS == 10_000
    monkeypatch.setattr(network_limit, "NETWORKS", 300)
    limit = NetworkLimit(1, Clock())
    networks = [f"10.{n // 256}.{n % 256}.1" for n in range(301)]
    bursts = [0, 0, 1, 1, *range(2, 300)]  # two use up their burst, the others half of theirs
    assert not any(refused(limit, f"v{i}", networks[nth]) for i, nth in enumerate(bursts))
    assert refused(limit, "again", networks[0]) == 60  # which makes it the latest
    assert refused(limit, "one more", networks[300]) is None
    assert [refused(limit, f"now {nth}", networks[nth]) for nth in (0, 1)] == [60, None]


def test_the_visitors_who_were_silent_longest_are_new_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert network_limit.VISITORS == 50_000
    monkeypatch.setattr(network_limit, "VISITORS", 60)
    limit = NetworkLimit(31, Clock())  # room for two more than are remembered
    for visitor in (*(f"v{n}" for n in range(60)), "v0", "one more"):
        limit.admit("192.0.2.1", visitor)
    assert [refused(limit, visitor) for visitor in ("v0", "v2", "v1", "another")] == [None, None, None, 2]


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
