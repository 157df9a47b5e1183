"""Where an API server is, and how to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from multicluster.access.address import redacted


@dataclass(frozen=True, kw_only=True, repr=False)
class Endpoint:
    """Address and trust of one API server.

    ``ca_pem`` is a PEM bundle; None means the machine's public CAs (GKE's DNS endpoint).
    ``client_certificate_pem`` and ``client_key_pem`` are set for kubeconfig users of that kind only.
    Timeouts are seconds.
    """

    server: str
    ca_pem: bytes | None = None
    tls_server_name: str | None = None
    verify_tls: bool = True
    proxy_url: str | None = None
    connect_timeout: float = 5
    read_timeout: float = 60
    client_certificate_pem: bytes | None = None
    client_key_pem: bytes | None = None
    authorization: str | None = None
    """A whole Authorization header that never changes: a kubeconfig's user name and password."""

    def __repr__(self) -> str:
        return f"<Endpoint {redacted(self.server)!r}>"


Acceptance = Callable[[Endpoint], None]
"""Raises AccessError for an endpoint that must not be connected to; the registry's pins are one. Does no I/O."""


def accept_any(endpoint: Endpoint) -> None:
    """Raise nothing: any endpoint will do."""
