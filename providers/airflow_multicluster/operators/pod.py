"""Run a pod on a cluster of the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, TaskDeferred

from airflow_multicluster.errors import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client import models as k8s

    from airflow_multicluster.hooks.cluster import ClusterHook
    from airflow_multicluster.task_groups.node_pool import NodePoolTaskGroup

GPU_STARTUP_SECONDS = 900
"""How long a pod on a node pool may take to start where neither task nor registry says: CUDA images are large."""
_IDENTITY_KEY = "pod_identifier"
_ELSEWHERE = ("config_file", "cluster_context", "in_cluster", "kubernetes_conn_id")


class ClusterPodOperator(KubernetesPodOperator):
    """KubernetesPodOperator plus ``cluster=`` and ``node_pool=``; every stock parameter keeps its meaning.

    With neither of the two it is the stock operator. The cluster's pod profile in the registry (namespace, service
    account, pull secrets, time-outs) stands where an Airflow connection stands in the stock operator: lowest.

    :param cluster: name of a cluster in the registry (templated).
    :param node_pool: a NodePoolTaskGroup, or what CreateNodePoolOperator returned (templated). Brings the cluster,
        the node selector, tolerations for the pool's taints, one GPU unless ``container_resources`` asks for it
        itself, and annotations that keep autoscalers from evicting the pod.
    """

    kubernetes_conn_id: str | None
    template_fields: Sequence[str] = (*KubernetesPodOperator.template_fields, "cluster", "node_pool")

    def __init__(
        self,
        *,
        cluster: str | None = None,
        node_pool: NodePoolTaskGroup | Mapping[str, str] | None = None,
        startup_timeout_seconds: int | None = None,
        schedule_timeout_seconds: int | None = None,
        **kwargs: Any,
    ) -> None:
        timeouts = {
            "startup_timeout_seconds": startup_timeout_seconds,
            "schedule_timeout_seconds": schedule_timeout_seconds,
        }
        super().__init__(**{name: value for name, value in timeouts.items() if value is not None}, **kwargs)
        self.cluster = cluster
        self.node_pool = getattr(node_pool, "output", node_pool)
        self._named = cluster is not None or node_pool is not None  # once: a template may render to None
        self._own_timeouts = frozenset(name for name, value in timeouts.items() if value is not None)
        if self.named:
            self._refuse_other_ways()

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Take a NodePoolTaskGroup as ``node_pool`` here too."""
        if "node_pool" in kwargs:
            kwargs["node_pool"] = getattr(kwargs["node_pool"], "output", kwargs["node_pool"])
        return super().partial(**kwargs)

    @property
    def named(self) -> bool:
        """Whether the pod goes to a cluster of the registry, rather than where the stock operator would put it."""
        return self._named

    def _refuse_other_ways(self) -> None:
        given = [name for name in _ELSEWHERE if getattr(self, name) is not None]
        if self.kubernetes_conn_id == "kubernetes_default":
            given.remove("kubernetes_conn_id")
        if given:
            raise ValueError(
                f"task {self.task_id!r} names a cluster of the registry and also gives {', '.join(given)}, here or in "
                f"default_args; leave out one of the two (in a task: {given[0]}=None)"
            )
        self.kubernetes_conn_id = None

    @property
    def cluster_name(self) -> str:
        """The cluster's name once templates are rendered."""
        of_pool = self.node_pool.get("cluster") if isinstance(self.node_pool, Mapping) else None
        if not of_pool and (self.node_pool is not None or not self.cluster):
            raise AirflowFailException(
                f"task {self.task_id!r} has no cluster to run on: cluster is {self.cluster!r}, node_pool is "
                f"{self.node_pool!r} once rendered (no pool was made? did its create succeed?)"
            )
        if self.cluster and of_pool and self.cluster != of_pool:
            raise AirflowFailException(
                f"task {self.task_id!r} asks for cluster {self.cluster!r}, but its node pool is on {of_pool!r}; "
                "leave out cluster="
            )
        return str(of_pool or self.cluster or "")

    @cached_property
    def hook(self) -> Any:
        """Reach the named cluster; without a name, what the stock operator reaches."""
        if not self.named:
            return super().hook
        from airflow_multicluster.hooks.cluster import ClusterHook

        return ClusterHook(self.cluster_name)

    def execute(self, context: Context) -> Any:
        """Run the pod. A cordoned cluster takes no new pods."""
        if not self.named:
            return super().execute(context)
        with airflow_errors():
            self.registered.cluster.refuse_if_cordoned(datetime.now(UTC))
            self._take_timeouts()
            result = super().execute(context)
        if self._killed:
            raise AirflowException(f"task {self.task_id!r} was killed and its pod deleted (apache/airflow#73006)")
        return result

    def trigger_reentry(self, context: Context, event: dict[str, Any]) -> Any:
        """Come back from the triggerer."""
        if not self.named:
            return super().trigger_reentry(context, event)
        with airflow_errors():
            self._take_timeouts()
            return super().trigger_reentry(context, event)

    @property
    def registered(self) -> ClusterHook:
        """The hook of a named cluster."""
        hook: ClusterHook = self.hook
        return hook

    def _take_timeouts(self) -> None:
        if "startup_timeout_seconds" in self._own_timeouts:
            return
        seconds = self.registered.cluster.pods.startup_timeout_seconds
        if seconds is None and self.node_pool is not None:
            seconds = GPU_STARTUP_SECONDS
        if seconds is not None:
            self.startup_timeout_seconds = seconds
            if "schedule_timeout_seconds" not in self._own_timeouts:
                self.schedule_timeout_seconds = seconds

    def convert_config_file_to_dict(self) -> None:
        """Read no kubeconfig of the worker, least of all ``$KUBECONFIG``, for the trigger to carry."""
        if self.named:
            self._config_dict = None
        else:
            super().convert_config_file_to_dict()

    def invoke_defer_method(self, last_log_time: Any = None, context: Context | None = None) -> None:
        """Defer as the stock operator does, with the trigger that carries the cluster's name."""
        try:
            super().invoke_defer_method(last_log_time=last_log_time, context=context)
        except TaskDeferred as stock:
            if not self.named:
                raise
            from airflow_multicluster.triggers.pod import ClusterPodTrigger

            trigger = ClusterPodTrigger.instead_of(stock.trigger, cluster=self.cluster_name)
            raise TaskDeferred(
                trigger=trigger, method_name=stock.method_name, kwargs=stock.kwargs, timeout=stock.timeout
            ) from None

    def build_pod_request_obj(self, context: Context | None = None, **options: Any) -> k8s.V1Pod:
        """Build the pod with what registry and node pool bring to it; *options* are what the stock operator has."""
        if not self.named:
            return super().build_pod_request_obj(context, **options)
        from airflow_multicluster.pod_shape import shaped

        with airflow_errors(), shaped(self, self.registered.cluster):
            return super().build_pod_request_obj(context, **options)

    def _get_pod_from_task_state_store(self, context: Context) -> k8s.V1Pod | None:
        stored = self._stored_identity(context)
        if self.named and isinstance(stored, dict) and stored.get("cluster") != self.cluster_name:
            self.log.info("An earlier try ran on cluster %s, this one on %s", stored.get("cluster"), self.cluster_name)
            return None
        return super()._get_pod_from_task_state_store(context)

    def _persist_pod_identity_to_task_state_store(self, context: Context, pod: k8s.V1Pod) -> None:
        super()._persist_pod_identity_to_task_state_store(context, pod)
        stored = self._stored_identity(context)
        if self.named and isinstance(stored, dict):
            store: Any = context["task_state_store"]
            store.set(_IDENTITY_KEY, {**stored, "cluster": self.cluster_name})

    @staticmethod
    def _stored_identity(context: Context) -> Any:
        store: Any = context.get("task_state_store")
        return None if store is None else store.get(_IDENTITY_KEY)
