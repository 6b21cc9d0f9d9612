"""The app behind a port of its own, as `chalice local` serves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from chalice.config import Config
from chalice.local import CustomLocalChalice, LocalDevServer

import app
from abacus.local.app_server import Handler


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serves `app.app` until the block ends; its base url."""
    monkeypatch.setattr(app.app, "__class__", CustomLocalChalice)
    server = LocalDevServer(app.app, Config(), "127.0.0.1", 0, Handler).server
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
