"""A small API server that answers what a test writes down, with the certificates of a testbed's home."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from testbed import control_plane, state
from testbed.claims import Claim
from testbed.home import Home

Answers = Callable[[str, str, Any], tuple[int, Any]]
"""Give the status and the body for a method, a path and what was sent."""


def described(home: Home, port: int) -> state.State:
    """Make a home that says that its API server listens on *port*."""
    home.create()
    claim = Claim(number=249, api=port, etcd=1, peer=2, registry=3)
    one = state.State(cluster_name="c", kubernetes="v1.35.4", binaries=home.path / "bin", claim=claim)
    control_plane.certify(home, one)
    state.save(home, one)
    return one


@contextmanager
def serving(home: Home, answers: Answers) -> Iterator[state.State]:
    """Answer until the block ends; give the state that leads here."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, body = answers(self.command, self.path, json.loads(self.rfile.read(length) or "null"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_PATCH = do_DELETE = do_GET  # noqa: N815  -- the library's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    given = described(home, server.server_port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home.pki / "apiserver.crt", home.pki / "apiserver.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield given
    finally:
        server.shutdown()
        server.server_close()
