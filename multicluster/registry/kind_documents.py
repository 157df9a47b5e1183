"""Make the model of a cluster document for each kind: its options under ``auth``, its settings under ``nodePools``."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from pydantic import ConfigDict, Field, create_model

from multicluster.access.kind import KindDefinition
from multicluster.registry.document import AuthDocument, ClusterDocument, NodePoolsDocument


@cache
def cluster_model(kind: KindDefinition | None) -> type[ClusterDocument]:
    """Return the model of clusters of *kind*, or of a kind that is not known; the same one each time.

    None is made before it is asked for: a model takes milliseconds, and each task reads the registry anew.
    """
    if kind is None:
        return _kindless_cluster()
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


def _kindless_cluster() -> type[ClusterDocument]:
    """Make the model of a cluster whose kind is not known: all the rest of it can still be checked."""

    class AnyNodePools(NodePoolsDocument):
        model_config = ConfigDict(extra="ignore")

    class KindlessCluster(ClusterDocument):
        auth: Any
        node_pools: AnyNodePools = AnyNodePools()

    return KindlessCluster
