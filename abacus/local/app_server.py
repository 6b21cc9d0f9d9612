"""The real app on Chalice's local server, as a child process: `python -m abacus.local.app_server SOCKET JOURNAL`."""

from __future__ import annotations

import json
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, CustomLocalChalice, LocalDevServer, ThreadedHTTPServer

from abacus.local.journal import Journal
from abacus.local.processes import HOST, end_with_parent, say_ready


class Handler(ChaliceRequestHandler):
    """Chalice's handler, but fast, and with the error answers of the HTTP API in front of it on AWS."""

    # Chalice writes headers and body separately; Nagle's algorithm then waits 40 ms for the caller's ACK.
    disable_nagle_algorithm = True
    wbufsize = -1

    def _send_error_response(self, error: Any) -> None:
        # Without a route, a REST API answers 403 and an HTTP API this. The CDN would replace a 403 by its error page.
        self._send_http_response(404, {"Content-Type": "application/json"}, b'{"message":"Not Found"}')

    def _send_http_response_with_body(self, code: int, headers: Any, body: Any) -> None:
        if self.command != "HEAD":
            super()._send_http_response_with_body(code, headers, body)
            return
        # The client would read a body as the next answer on this connection.
        self._send_http_response_no_body(code, headers)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in the shape of the API what Python's server would answer as a page."""
        # Python's server answers 501 to an unknown method, and an HTML page to a request that it cannot read.
        status, name = (405, "method-not-allowed") if code == 501 else (code, "malformed")
        body = json.dumps({"error": {"code": name, "message": message or f"HTTP {status}"}}).encode()
        headers = {"Content-Type": "application/json", "Connection": "close"}
        self._send_http_response_with_body(status, headers, body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the app has a log of its own."""


class Server(ThreadedHTTPServer):
    """Uses the listening socket whose descriptor is given in place of a port."""

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        super().__init__(address, handler, bind_and_activate=False)
        self.server_close()
        self.socket: socket.socket = socket.socket(fileno=address[1])
        self.server_address = self.socket.getsockname()


def main(descriptor: int, journal: Path) -> None:
    """Serve the app until SIGTERM. descriptor: of the listening socket. journal: folder for what was taken."""
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    import app

    app.service = replace(app.service, journal=Journal(journal).append)
    app.app.__class__ = CustomLocalChalice  # as `chalice local` does: `current_request` is one per thread
    server = LocalDevServer(app.app, Config(), HOST, descriptor, Handler, Server).server
    say_ready()
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
