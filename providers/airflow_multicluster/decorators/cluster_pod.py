"""``@task.cluster_pod``: run a Python function in a pod on a cluster of the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow.providers.cncf.kubernetes.decorators.kubernetes import _KubernetesDecoratedOperator
from airflow.providers.common.compat.sdk import TaskDecorator, task_decorator_factory

from airflow_multicluster.operators.pod import ClusterPodOperator
from airflow_multicluster.operators.refusals import refuse_other_ways


class ClusterPodDecoratedOperator(ClusterPodOperator, _KubernetesDecoratedOperator):
    """The operator behind ``@task.cluster_pod``: the stock ``@task.kubernetes``, on a named cluster."""

    custom_operator_name = "@task.cluster_pod"
    template_fields: Sequence[str] = tuple(
        sorted({*_KubernetesDecoratedOperator.template_fields, "cluster", "node_pool"})
    )


def cluster_pod_task(
    python_callable: Callable[..., Any] | None = None, *, multiple_outputs: bool | None = None, **kwargs: Any
) -> TaskDecorator:
    """Make a function a task that runs in a pod; its image needs ``bash`` and ``python``.

    :param python_callable: the function; its source travels, so it imports what it needs.
    :param multiple_outputs: a returned dict becomes one XCom per key.
    :param kwargs: what ClusterPodOperator takes, and what ``@task.kubernetes`` adds (``use_dill``).
    """
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=ClusterPodDecoratedOperator,
        **checked(kwargs, decorator="@task.cluster_pod"),
    )


def checked(kwargs: dict[str, Any], *, decorator: str) -> dict[str, Any]:
    """Return *kwargs* with what a NodePoolTaskGroup hands on instead of the group, which a mapped task cannot keep.

    Raises ValueError for another way to a cluster beside a name.
    """
    if kwargs.get("cluster") is not None or kwargs.get("node_pool") is not None:
        refuse_other_ways(str(kwargs.get("task_id", decorator)), kwargs)
    if "node_pool" not in kwargs:
        return kwargs
    return {**kwargs, "node_pool": getattr(kwargs["node_pool"], "output", kwargs["node_pool"])}
