"""A local HTTPS server that records, and a cluster that is nothing but an endpoint and a token source."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.token import Finding, Token

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
PODS = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class CountingSource:
    """Mints token-1, token-2, ... each good for ten minutes."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.mints = 0
        self.before_mint: Callable[[], None] = lambda: None
        self.inquire: Callable[[], Finding] | None = None

    def mint(self) -> Token:
        self.before_mint()
        self.mints += 1
        until = self.clock() + dt.timedelta(minutes=10)
        return Token(
            value=f"token-{self.mints}",
            expires_at=until,
            minted_at=self.clock(),
            subject="role airflow",
            inquire=self.inquire,
        )


class FakeAccess:
    """A cluster whose endpoint can move: ``next_endpoint`` is the answer to a fresh question."""

    def __init__(self, endpoint: Endpoint, tokens: CachedTokens | None) -> None:
        self.tokens = tokens
        self.current = endpoint
        self.next_endpoint = endpoint
        self.fresh_questions = 0

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        if fresh:
            self.fresh_questions += 1
            self.current = self.next_endpoint
        return self.current

    def node_pools(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = json.dumps(PODS).encode()
    headers: Mapping[str, str] = field(default_factory=dict)
    unfinished: bool = False
    """Promise more than the body, and never send it."""


SILENCE = Answer(status=0)
"""Accept the request and never answer."""


class CertificateAuthority:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("test CA", self.key.public_key(), ca=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _sign(self, name: str, key: Any, *, ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        names = [x509.DNSName("localhost"), x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """Return certificate and key, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(name, key.public_key(), ca=False).public_bytes(serialization.Encoding.PEM)
        return certificate, key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def server_context(self, folder: Path, *, name: str = "localhost", clients: bool = False) -> ssl.SSLContext:
        certificate, key = self.issue(name)
        path = folder / f"{name}.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pem.decode())
        return context


class RecordingServer(ThreadingHTTPServer):
    """Records each request; ``answer`` decides what it gets."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context = context
        self.recorded: list[Recorded] = []
        self.peers: list[Any] = []
        self.answer: Callable[[Recorded], Answer] = lambda _: Answer()
        self.stopped = threading.Event()
        self.open: list[socket.socket] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"

    def tokens(self) -> list[str]:
        return [recorded.headers.get("authorization", "") for recorded in self.recorded]

    def stop(self) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()

    def drop_connections(self) -> None:
        """End every connection, as a machine does that goes down."""
        for connection in self.open:
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us hangs up; that is no error of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: RecordingServer

    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.server.open.append(self.request)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        recorded = Recorded(self.command, self.path, headers)
        self.server.recorded.append(recorded)
        self.server.peers.append(self.request.getpeercert())
        answer = self.server.answer(recorded)
        if answer is SILENCE:
            self.server.stopped.wait()
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        if answer.unfinished:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        chunk = b"%x\r\n%s\r\n" % (len(answer.body), answer.body) if answer.body else b""
        self.wfile.write(chunk if answer.unfinished else answer.body)
        self.wfile.flush()
        if answer.unfinished:
            self.server.stopped.wait()
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


class BlackHole(socketserver.ThreadingTCPServer):
    """Accepts connections and says nothing, not even TLS."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.stopped = threading.Event()
        self.held: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.held.append(request)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def ca() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RecordingServer]]:
    servers: list[RecordingServer] = []

    def start(authority: CertificateAuthority, **options: Any) -> RecordingServer:
        server = RecordingServer(authority.server_context(tmp_path, **options))
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve: Callable[..., RecordingServer], ca: CertificateAuthority) -> RecordingServer:
    return serve(ca)


@pytest.fixture
def black_hole() -> Iterator[BlackHole]:
    hole = BlackHole()
    threading.Thread(target=hole.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield hole
    hole.shutdown()
    hole.server_close()
    for held in hole.held:
        held.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def source(clock: FakeClock) -> CountingSource:
    return CountingSource(clock)


@pytest.fixture
def tokens(source: CountingSource, clock: FakeClock) -> CachedTokens:
    return CachedTokens(source, clock=clock)


@pytest.fixture
def endpoint(server: RecordingServer, ca: CertificateAuthority) -> Endpoint:
    return Endpoint(server=server.url, ca_pem=ca.pem, connect_timeout=2, read_timeout=2)


@pytest.fixture
def access(endpoint: Endpoint, tokens: CachedTokens) -> FakeAccess:
    return FakeAccess(endpoint, tokens)


@pytest.fixture
def silence() -> Answer:
    return SILENCE


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def make_access() -> type[FakeAccess]:
    return FakeAccess
