"""A named template of node pools, as it stands in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Document(BaseModel):
    """A part of the registry document: frozen, camelCase on paper, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True)


class Gpu(Document):
    """The extended resource that a node of this profile offers."""

    resource: str = "nvidia.com/gpu"
    """The resource's name: nvidia.com/gpu, nvidia.com/gpu.shared, nvidia.com/mig-1g.5gb, ..."""
    per_node: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many of it each node must advertise before the pool counts as ready."""
    type: str | None = None
    """The accelerator's name where the cloud asks for it apart from the machine: GKE's nvidia-l4."""
    driver_version: Literal["default", "latest", "disabled"] = "default"
    """GKE only: which driver GKE installs."""


class Taint(Document):
    """A taint that keeps other pods off the nodes."""

    key: str
    value: str = ""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"] = "NoSchedule"


GPU_TAINT = Taint(key="nvidia.com/gpu", value="present")
"""The one taint that NVIDIA's device-plugin manifest tolerates, and that GKE itself sets."""


class NodePoolProfile(Document):
    """A named template of node pools. Sizes are GiB."""

    instance_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    """EKS: instance types in order of preference. GKE: exactly one machine type."""
    gpu: Gpu | None = None
    capacity_type: Literal["on-demand", "spot", "capacity-block", "flex-start"] = "on-demand"
    disk_gib: Annotated[int, Field(ge=10, le=65536, alias="diskGiB")] = 100
    ami_type: str | None = None
    """EKS only; any value is passed on. Default: AL2023_x86_64_NVIDIA with a GPU, AL2023_x86_64_STANDARD without."""
    zones: tuple[str, ...] = ()
    """GKE only: node locations; the first of the cluster's own when empty. Nodes are spread evenly over them."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    taints: tuple[Taint, ...] | None = None
    """Default: the GPU taint for a profile with a GPU, none without."""

    def effective_taints(self) -> tuple[Taint, ...]:
        """Return the taints that the nodes get."""
        if self.taints is not None:
            return self.taints
        return (GPU_TAINT,) if self.gpu else ()
