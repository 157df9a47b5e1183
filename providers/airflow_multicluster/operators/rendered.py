"""Work out what an operator's parameters mean once templates are rendered and the registry is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

if TYPE_CHECKING:
    from airflow_multicluster.operators.named_pod import NamedPodOperator
    from airflow_multicluster.operators.pod import ClusterPodOperator

GPU_STARTUP_SECONDS = 900
"""How long a pod on a node pool may take to start where neither task nor registry says: CUDA images are large."""


def cluster_name(operator: NamedPodOperator) -> str:
    """Return the name of the cluster that the operator, or its node pool, names; raises AirflowFailException."""
    pool, cluster = operator.node_pool, operator.cluster
    of_pool = pool.get("cluster") if isinstance(pool, Mapping) else None
    if not of_pool and (pool is not None or not cluster):
        raise AirflowFailException(
            f"task {operator.task_id!r} has no cluster to run on: cluster is {cluster!r}, node_pool is {pool!r} once "
            "rendered (no pool was made? did its create succeed?)"
        )
    if cluster and of_pool and cluster != of_pool:
        raise AirflowFailException(
            f"task {operator.task_id!r} asks for cluster {cluster!r}, but its node pool is on {of_pool!r}; leave out "
            "cluster="
        )
    return str(of_pool or cluster or "")


def pool_to_be(pool: Any) -> Any:
    """Return the names of a pool whose create has not run, with a name in the place of its own; *pool* where it has."""
    from airflow_multicluster.operators.node_pool import CreateNodePoolOperator
    from multicluster.node_pools.naming import pool_name

    creator = getattr(pool, "operator", None)
    if not isinstance(creator, CreateNodePoolOperator):
        return pool
    name = pool_name("of-this-run", hint=creator.bracket)
    return {"cluster": creator.cluster, "name": name, "profile": creator.profile}


def take_timeouts(operator: ClusterPodOperator) -> None:
    """Give the operator the cluster's time-outs where the task has none of its own."""
    if "startup_timeout_seconds" in operator.own_timeouts:
        return
    seconds = operator.registered.cluster.pods.startup_timeout_seconds
    if seconds is None and operator.node_pool is not None:
        seconds = GPU_STARTUP_SECONDS
    if seconds is not None:
        operator.startup_timeout_seconds = seconds
        if "schedule_timeout_seconds" not in operator.own_timeouts:
            operator.schedule_timeout_seconds = seconds
