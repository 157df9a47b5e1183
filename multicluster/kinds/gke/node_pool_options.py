"""What the registry says below ``nodePools.gke``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from multicluster.node_pools.profile import Document

LabelKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,63}$")]
NetworkTag = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]


class GkeNodePoolOptions(Document):
    """What every node pool of the cluster gets; all of it may be left out."""

    service_account: Annotated[str, Field(pattern=r"^\S+@\S+$")] | None = None
    """The nodes' service account; Compute Engine's default one when absent."""
    network_tags: tuple[NetworkTag, ...] = ()
    """Tags that firewall rules go by."""
    disk_type: str = "pd-balanced"
    workload_metadata: Literal["GKE_METADATA", "GCE_METADATA"] | None = None
    """GKE_METADATA needs Workload Identity on the cluster; GKE decides when absent."""
    resource_labels: Annotated[Mapping[LabelKey, LabelValue], Field(max_length=40)] = Field(default_factory=dict)
    """Labels beside the lease, on the pool and on its machines, as billing shows them."""

    @field_validator("resource_labels")
    @classmethod
    def _no_reserved_labels(cls, labels: Mapping[str, str]) -> Mapping[str, str]:
        for key in labels:
            if key.startswith("multicluster-"):
                raise ValueError(f"label {key!r}: the prefix multicluster- is the lease's")
            if key.startswith("goog-"):
                raise ValueError(f"label {key!r}: the prefix goog- is Google's own")
        return labels
