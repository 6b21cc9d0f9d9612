"""A limit on new visitors from one network, kept in the memory of this process.

It makes made-up visitors slow and visible, not impossible. It is approximate: each process counts for itself and
forgets when it ends, so the limit of a deployment is this one times its processes.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton
from threading import Lock

from chalicelib.domain.errors import TooManyRequests

BURST = 2  # minutes' worth of visitors that may come at once
NOTICED = 0.25  # share of the burst from which on arrivals are marked
NETWORKS = 10_000  # remembered at most
VISITORS = 50_000  # remembered at most: they are not new


@dataclass
class _Bucket:
    tokens: float
    filled: float  # seconds


@dataclass
class NetworkLimit:
    """A token bucket for each network: /24 of IPv4, /48 of IPv6. Safe to share between threads.

    per_minute: new visitors in the long run; 0 switches it off. loopback: limit 127.0.0.0/8 and ::1 too. clock:
    seconds, monotonic.
    """

    per_minute: int
    clock: Callable[[], float]
    loopback: bool = False
    _lock: Lock = field(default_factory=Lock)
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    _visitors: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def admit(self, address: str, visitor: str) -> bool:
        """Take a request of `visitor` from `address`. Returns whether its network sends unusually many new visitors.

        Raises TooManyRequests when the network has used up its new visitors."""
        network = self._network(address) if self.per_minute else None
        if network is None:
            return False
        with self._lock:
            if visitor in self._visitors:
                self._visitors.move_to_end(visitor)
                return False
            size = float(self.per_minute * BURST)
            bucket = self._refilled(network, size)
            if bucket.tokens < 1:
                wait = math.ceil((1 - bucket.tokens) * 60 / self.per_minute)
                raise TooManyRequests(
                    f"Too many new visitors from this network; {self.per_minute} a minute are taken. "
                    f"Send the same again in {wait} s.",
                    retry_after=wait,
                )
            bucket.tokens -= 1
            self._visitors[visitor] = None
            if len(self._visitors) > VISITORS:
                self._visitors.popitem(last=False)
            return bucket.tokens < size * (1 - NOTICED)

    def _refilled(self, network: str, size: float) -> _Bucket:
        now = self.clock()
        bucket = self._buckets.setdefault(network, _Bucket(size, now))
        self._buckets.move_to_end(network)
        if len(self._buckets) > NETWORKS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(size, bucket.tokens + max(0.0, now - bucket.filled) * self.per_minute / 60)
        bucket.filled = now
        return bucket

    def _network(self, address: str) -> str | None:
        """The network of an address; None: it is not limited.

        An address that cannot be read shares one bucket with its like."""
        if not address or ((address == "::1" or address.startswith("127.")) and not self.loopback):
            return None
        try:
            if ":" in address:
                return inet_pton(AF_INET6, address)[:6].hex()
            return inet_pton(AF_INET, address)[:3].hex()
        except (OSError, ValueError):
            return "unknown"
