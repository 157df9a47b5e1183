"""What stands in a registry document, kinds' own options apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, model_validator

from multicluster.access.kind import Network
from multicluster.node_pools.profile import Document, NodePoolProfile

API_VERSION = "multicluster/v1alpha1"
KIND = "ClusterRegistry"
LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
PROXY_PATTERN = r"^https?://([^\s/@:?#\[\]]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/?$"

Label = Annotated[str, Field(pattern=LABEL_PATTERN, max_length=63)]
"""An RFC 1123 label: names of clusters, namespaces and profiles."""
ObjectName = Annotated[str, Field(pattern=SUBDOMAIN_PATTERN, max_length=253)]
"""An RFC 1123 subdomain: names of most Kubernetes objects."""
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _uid(value: str) -> str:
    if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        raise ValueError("must be a UUID in lower case: metadata.uid of the namespace kube-system")
    return value


def _several(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class NetworkDocument(Document):
    """How to reach the API server. Seconds."""

    proxy_url: Annotated[str, Field(pattern=PROXY_PATTERN)] | None = None
    connect_timeout_seconds: Seconds = 5
    read_timeout_seconds: Seconds = 60

    def network(self) -> Network:
        """Return the value that a kind's access takes."""
        return Network(
            proxy_url=self.proxy_url,
            connect_timeout=self.connect_timeout_seconds,
            read_timeout=self.read_timeout_seconds,
        )


class PodProfile(Document):
    """What pods on this cluster get unless a task says otherwise."""

    namespace: Label | None = None
    service_account_name: ObjectName | None = None
    image_pull_secrets: tuple[ObjectName, ...] = ()
    startup_timeout_seconds: Annotated[int, Field(ge=1)] | None = None


class Limits(Document):
    """How much may be made on this cluster by us; None is no limit."""

    pools: Annotated[int, Field(ge=0)] | None = None
    nodes: Annotated[int, Field(ge=0)] | None = None
    max_lifetime_seconds: Annotated[int, Field(ge=60)] | None = None


class IdentityPins(Document):
    """What the API server must prove to be before anything destructive; None is not checked."""

    kube_system_uid: Annotated[str, AfterValidator(_uid)] | None = None
    ca_sha256: Annotated[
        tuple[Annotated[str, Field(pattern=SHA256_PATTERN)], ...],
        BeforeValidator(_several, json_schema_input_type=str | list[str] | None),
    ] = Field(default=(), alias="caSha256")
    """SHA-256 of the DER of each CA certificate, hex; a single text on paper, or a list while a CA is being rotated."""


class Cordon(Document):
    """Why and how long the cluster is out of use. Times carry their offset."""

    reason: Annotated[str, Field(min_length=1)]
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Cordon:
        if self.since and self.until and self.until <= self.since:
            raise ValueError("until must be after since")
        return self


class AuthDocument(Document):
    """The one kind under ``auth``; each kind has its own subclass, whose field ``block`` is named like the kind."""

    @property
    def options(self) -> BaseModel:
        """The kind's own options."""
        options: BaseModel = getattr(self, "block")  # noqa: B009 - declared by the kind's subclass only
        return options


class NodePoolsDocument(Document):
    """Node pools of one cluster; a kind that has some adds ``block``, its own settings."""

    profiles: Mapping[Label, NodePoolProfile] = Field(default_factory=dict)
    limits: Limits = Limits()

    @property
    def options(self) -> BaseModel | None:
        """The kind's own settings, if there are any."""
        return getattr(self, "block", None)


class ClusterDocument(Document):
    """One cluster, defaults merged in."""

    name: Label
    display_name: str | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    auth: AuthDocument
    network: NetworkDocument = NetworkDocument()
    pods: PodProfile = PodProfile()
    node_pools: NodePoolsDocument = NodePoolsDocument()
    identity: IdentityPins = IdentityPins()
    cordoned: Cordon | None = None
