"""``@task.cluster_pod_cmd``: run the command that a Python function returns, on a cluster of the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow.providers.cncf.kubernetes.decorators.kubernetes_cmd import _KubernetesCmdDecoratedOperator
from airflow.providers.common.compat.sdk import TaskDecorator, task_decorator_factory

from airflow_multicluster.decorators.cluster_pod import checked
from airflow_multicluster.operators.pod import ClusterPodOperator


class ClusterPodCmdDecoratedOperator(ClusterPodOperator, _KubernetesCmdDecoratedOperator):
    """The operator behind ``@task.cluster_pod_cmd``: the stock ``@task.kubernetes_cmd``, on a named cluster."""

    custom_operator_name = "@task.cluster_pod_cmd"
    template_fields: Sequence[str] = tuple(
        sorted({*_KubernetesCmdDecoratedOperator.template_fields, "cluster", "node_pool"})
    )


def cluster_pod_cmd_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> TaskDecorator:
    """Make a function a task that runs, in a pod, the command the function returns as a list of texts.

    :param python_callable: the function; it runs in the worker.
    :param kwargs: what ClusterPodOperator takes, and ``args_only=True`` for arguments of the image's own command.
    """
    return task_decorator_factory(
        python_callable=python_callable,
        decorated_operator_class=ClusterPodCmdDecoratedOperator,
        **checked(kwargs, decorator="@task.cluster_pod_cmd"),
    )
