"""What the registry says below ``nodePools.eks``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from multicluster.node_pools.lease import EXPIRES, MANAGED_BY, OWNER
from multicluster.node_pools.profile import Document

RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")]
Subnet = Annotated[str, Field(pattern=r"^subnet-[0-9a-z]+$")]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]


class DeadMan(Document):
    """The switch that scales a pool to nothing when nobody else does. Read here, acted on nowhere yet."""

    scheduler_role_arn: RoleArn
    """The role that EventBridge Scheduler assumes; it may update and delete node groups."""
    group_name: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,64}$")] = "default"


class LaunchTemplate(Document):
    """An EC2 launch template: encrypted disks, reservations, capacity blocks. It then decides about the disk."""

    id: str | None = None
    name: str | None = None
    version: str = "$Default"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.id is None) == (self.name is None):
            raise ValueError("exactly one of id and name is needed")
        return self


class EksNodePoolOptions(Document):
    """What every node group of the cluster gets."""

    node_role_arn: RoleArn
    """The nodes' role; give GPU pools their own: EKS removes it from aws-auth with the last group that uses it."""
    subnets: Annotated[tuple[Subnet, ...], Field(min_length=1)]
    """Where nodes go. GPU capacity is zonal, and one subnet avoids rebalancing between zones."""
    dead_man: DeadMan | None = None
    launch_template: LaunchTemplate | None = None
    tags: Annotated[Mapping[TagKey, TagValue], Field(max_length=40)] = Field(default_factory=dict)
    """Tags beside the lease; they stay on the node group and are not passed on to its instances."""

    @field_validator("tags")
    @classmethod
    def _no_reserved_tags(cls, tags: Mapping[str, str]) -> Mapping[str, str]:
        for key in tags:
            if key in {MANAGED_BY, OWNER, EXPIRES}:
                raise ValueError(f"tag {key!r} is the lease's")
            if key.lower().startswith("aws:"):
                raise ValueError(f"tag {key!r}: the prefix aws: is AWS's own")
        return tags
