"""A kind of cluster from another wheel: found by its entry point, nothing in multicluster knows it."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.node_pools.profile import Document


class ToyOptions(Document):
    """Where the toy is."""

    server: str = "http://127.0.0.1:1"
    ca_pem: str | None = None
    verify_tls: bool = True
    tokenless: bool = False


KIND = KindDefinition(name="toy", options=ToyOptions, access="toy_kind.access:ToyAccess", extra="toy")
