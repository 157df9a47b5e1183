"""What the registry says below ``nodePools.eks``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from multicluster.node_pools.profile import Document

RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")]
Subnet = Annotated[str, Field(pattern=r"^subnet-[0-9a-z]+$")]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]
TagValue = Annotated[str, Field(max_length=256)]
UNDECIDED = (
    "is not decided, and no node pool is made before: who ends it when nobody of ours is alive? Give it a "
    "schedulerRoleArn (a role with infra/iam/aws/dead-man.json), or write deadMan: off to do without"
)


class DeadMan(Document):
    """The switch that deletes a pool when nobody else does: a schedule that AWS itself fires."""

    scheduler_role_arn: RoleArn
    """The role that EventBridge Scheduler assumes; it may delete node groups."""
    group_name: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,64}$")] = "default"


def _which(value: Any) -> str:
    return "[off]" if value in ("off", False) else "[switch]"


Off = Annotated[Literal["off", False], AfterValidator(lambda _: "off")]
"""The word that does without; an unquoted one is False to some readers of YAML."""


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
    dead_man: (
        Annotated[Annotated[DeadMan, Tag("[switch]")] | Annotated[Off, Tag("[off]")], Discriminator(_which)] | None
    ) = None
    """What ends a pool when nobody of ours is alive. No pool is made before this is decided: set it, or ``off``."""
    launch_template: LaunchTemplate | None = None
    tags: Annotated[Mapping[TagKey, TagValue], Field(max_length=33)] = Field(default_factory=dict)
    """Tags beside the lease, its names and a person's ``multicluster-keep``; EKS allows 50 in all.

    They stay on the node group and are not passed on to its instances.
    """

    def doubts(self) -> Iterator[tuple[tuple[str], str]]:
        """Yield what must be decided before a pool can be made; clusters that only run pods need not."""
        if self.dead_man is None:
            yield ("deadMan",), UNDECIDED

    @field_validator("tags")
    @classmethod
    def _no_reserved_tags(cls, tags: Mapping[str, str]) -> Mapping[str, str]:
        for key in tags:
            if key.startswith("multicluster-"):
                raise ValueError(f"tag {key!r}: the prefix multicluster- is the lease's")
            if key.lower().startswith("aws:"):
                raise ValueError(f"tag {key!r}: the prefix aws: is AWS's own")
        return tags
