"""Refuse, while the DAG file is read, parameters that contradict the cluster's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

ELSEWHERE = ("config_file", "cluster_context", "in_cluster", "kubernetes_conn_id")
"""Parameters of the stock operator that say where a pod goes."""


def refuse_other_ways(task_id: str, given: Mapping[str, Any]) -> None:
    """Raise ValueError when *given*, by parameter, says where the pod goes by another means than the registry.

    The stock operator's default connection is nobody's wish, whether it stands there by default or was written down.
    """
    others = [name for name in ELSEWHERE if given.get(name) is not None]
    if given.get("kubernetes_conn_id") == KubernetesHook.default_conn_name:
        others.remove("kubernetes_conn_id")
    if others:
        raise ValueError(
            f"task {task_id!r} names a cluster of the registry and also gives {', '.join(others)}, here or in "
            f"default_args; leave out one of the two (in a task: {others[0]}=None)"
        )


def refuse_a_switch_that_is_gone(task_id: str, *, is_delete_operator_pod: bool | None, on_finish_action: Any) -> None:
    """Raise ValueError for ``is_delete_operator_pod=False``, which the stock operator takes and does not heed."""
    if is_delete_operator_pod is False and on_finish_action == "delete_pod":
        raise ValueError(
            f"task {task_id!r} gives is_delete_operator_pod=False, which the provider has not heeded since 10.0: its "
            "pod would be deleted; give on_finish_action='keep_pod'"
        )


POLICIES = ("fail", "recreate")


def refuse_unknown_policy(task_id: str, on_pool_lost: Any) -> str:
    """Return what is to be done where the node pool is lost. Raises ValueError for anything else than POLICIES."""
    if on_pool_lost not in POLICIES:
        raise ValueError(f"task {task_id!r} gives on_pool_lost={on_pool_lost!r}; it is 'fail' or 'recreate'")
    return str(on_pool_lost)


def refuse_less_than_none(task_id: str, infrastructure_retries: int) -> int:
    """Return the number. Raises ValueError where it is less than 0."""
    if infrastructure_retries < 0:
        raise ValueError(f"task {task_id!r} gives infrastructure_retries={infrastructure_retries}; 0 is none at all")
    return infrastructure_retries
