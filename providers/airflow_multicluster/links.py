"""Lead from a task to its node pool in the cloud's console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperatorLink

from multicluster.errors import MulticlusterError

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.sdk import BaseOperator

    from multicluster.registry.cluster import Cluster


class NodePoolConsoleLink(BaseOperatorLink):
    """The page of a bracket's node pool; of a pod's, where the pod runs in one. Empty where there is none.

    The worker makes it when the task ends, from names alone; the cloud is not asked.
    """

    name: ClassVar[str] = "Node pool in the cloud's console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address for the task *ti_key*; empty for a cluster that the registry does not know."""
        from airflow_multicluster.hooks.cluster import find_cluster

        cluster, pool = _names(operator, ti_key)
        if not cluster or not pool:
            return ""
        try:
            return find_cluster(cluster).console_url(pool) or ""
        except MulticlusterError:
            return ""  # the task has told it


def at_console(cluster: Cluster, pool: str) -> str:
    """Return the end of a log's line that says where a person looks at *pool*; empty where nobody knows."""
    url = cluster.console_url(pool)
    return f"; {url}" if url else ""


def _names(operator: Any, ti_key: Any) -> tuple[str | None, str | None]:
    bracket = getattr(operator, "bracket", None)
    if bracket is None:
        given: object = getattr(operator, "node_pool", None)
        return (given.get("cluster"), given.get("name")) if isinstance(given, Mapping) else (None, None)
    from airflow_multicluster.owner import bracket_pool

    context: Any = {"ti": ti_key}
    return operator.cluster, bracket_pool(context, bracket)[0]
