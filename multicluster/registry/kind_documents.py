"""Make the model of a cluster document for each kind: its options under ``auth``, its settings under ``nodePools``."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from pydantic import ConfigDict, Field, create_model

from multicluster.access.kind import KindDefinition
from multicluster.registry.document import AuthDocument, ClusterDocument, NodePoolsDocument


@cache
def cluster_model(kind: KindDefinition) -> type[ClusterDocument]:
    """Return the model of clusters of *kind*; the same one each time."""
    title = kind.name[0].upper() + kind.name[1:]
    block = Field(alias=kind.name)
    fields: dict[str, Any] = {
        "auth": create_model(f"{title}Auth", __base__=AuthDocument, block=(kind.options, block)),
    }
    if kind.node_pool_options:
        optional: Any = (kind.node_pool_options | None, Field(default=None, alias=kind.name))
        pools = create_model(f"{title}NodePools", __base__=NodePoolsDocument, block=optional)
        fields["node_pools"] = (pools, Field(default_factory=pools))
    return cast("type[ClusterDocument]", create_model(f"{title}Cluster", __base__=ClusterDocument, **fields))


class _AnyNodePools(NodePoolsDocument):
    """Node pools of a cluster whose kind is not known."""

    model_config = ConfigDict(extra="ignore")


class KindlessCluster(ClusterDocument):
    """A cluster whose kind is not known: all the rest of it can still be checked."""

    auth: Any
    node_pools: _AnyNodePools = _AnyNodePools()
