"""Airflow on many clusters: operators, sensors and task groups that take a cluster by its registry name.

Every public name can be imported from here; each is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_multicluster.hooks.cluster import ClusterHook
    from airflow_multicluster.operators.job import ClusterJobOperator
    from airflow_multicluster.operators.node_pool import CreateNodePoolOperator, DeleteNodePoolOperator
    from airflow_multicluster.operators.pod import ClusterPodOperator
    from airflow_multicluster.registry import airflow_registry
    from airflow_multicluster.sensors.node_pool import NodePoolGoneSensor, NodePoolReadySensor
    from airflow_multicluster.task_groups.node_pool import NodePoolTaskGroup

_HOMES = {
    "ClusterHook": "hooks.cluster",
    "ClusterJobOperator": "operators.job",
    "ClusterPodOperator": "operators.pod",
    "CreateNodePoolOperator": "operators.node_pool",
    "DeleteNodePoolOperator": "operators.node_pool",
    "NodePoolGoneSensor": "sensors.node_pool",
    "NodePoolReadySensor": "sensors.node_pool",
    "NodePoolTaskGroup": "task_groups.node_pool",
    "airflow_registry": "registry",
}

__all__ = [
    "ClusterHook",
    "ClusterJobOperator",
    "ClusterPodOperator",
    "CreateNodePoolOperator",
    "DeleteNodePoolOperator",
    "NodePoolGoneSensor",
    "NodePoolReadySensor",
    "NodePoolTaskGroup",
    "airflow_registry",
]


def __getattr__(name: str) -> Any:
    """Load a public name from the module where it lives; raises MissingExtraError where Airflow is not installed."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "airflow":
            raise
        from multicluster.errors import MissingExtraError

        raise MissingExtraError(f"{name} needs {error.name}: pip install 'airflow-multicluster[airflow]'") from error
    return getattr(home, name)
