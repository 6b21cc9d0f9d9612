"""A table that does nothing, in a process of its own: `python -m bench.support.stub` prints the port it serves.

It answers every DynamoDB call with success and no content, fast enough that the caller is what is measured; every
GET with the body it was given on standard input, for the manifest in the bucket.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


class Table(asyncio.Protocol):
    """As much of HTTP/1.1 as botocore needs: kept alive, bodies with their length."""

    manifest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            _, _, rest = head.partition(b"content-length:")
            length = int(rest.partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            self._transport.write(_answer(self.manifest if head.startswith(b"get ") else b"{}"))


def _answer(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nETag: 1\r\nContent-Length: "
    return head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body


async def _serve() -> None:
    Table.manifest = sys.stdin.buffer.read()
    server = await asyncio.get_running_loop().create_server(Table, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def stub(manifest: str) -> Iterator[str]:
    """The endpoint of a running one."""
    command = [sys.executable, "-m", "bench.support.stub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(manifest)
            process.stdin.close()
            yield f"http://{HOST}:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve())
