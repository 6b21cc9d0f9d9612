"""Where the manifest comes from, and the one that a request is judged by."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from chalicelib.domain.manifest import Manifest


class Catalog(Protocol):
    """Where the manifest comes from. `now_ms`: epoch milliseconds."""

    def current(self, now_ms: int) -> Manifest: ...
    def refresh(self, now_ms: int) -> Manifest: ...


class FreshManifest:
    """The manifest of one request: read again at most once, however many visitors the request speaks for."""

    def __init__(self, catalog: Catalog, now_ms: int) -> None:
        self._catalog = catalog
        self._now_ms = now_ms
        self.manifest = catalog.current(now_ms)

    @cached_property
    def _refreshed(self) -> Manifest:
        return self._catalog.refresh(self._now_ms)

    def refresh(self) -> Manifest:
        """The manifest as it is now."""
        self.manifest = self._refreshed
        return self.manifest
