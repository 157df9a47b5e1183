"""Say by names of the registry where a pod goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

from airflow_multicluster.links import NodePoolConsoleLink
from airflow_multicluster.operators import refusals, rendered

if TYPE_CHECKING:
    from airflow_multicluster.hooks.cluster import ClusterHook
    from airflow_multicluster.task_groups.node_pool import NodePoolTaskGroup


class NamedPodOperator(KubernetesPodOperator):
    """The stock operator, on the cluster that ``cluster=`` or ``node_pool=`` names; see ClusterPodOperator."""

    kubernetes_conn_id: str | None
    template_fields: Sequence[str] = (*KubernetesPodOperator.template_fields, "cluster", "node_pool")
    operator_extra_links = (NodePoolConsoleLink(),)

    def __init__(
        self,
        *,
        cluster: str | None = None,
        node_pool: NodePoolTaskGroup | Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.node_pool = getattr(node_pool, "output", node_pool)
        self._named = cluster is not None or node_pool is not None  # once: a template may render to None
        if self.named:
            refusals.refuse_other_ways(self.task_id, {name: getattr(self, name) for name in refusals.ELSEWHERE})
            self.kubernetes_conn_id = None

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Take a NodePoolTaskGroup as ``node_pool`` here too, and refuse what the operator would refuse."""
        from airflow_multicluster.operators.mapped import ClusterPartial

        if "node_pool" in kwargs:
            kwargs["node_pool"] = getattr(kwargs["node_pool"], "output", kwargs["node_pool"])
        return ClusterPartial.instead_of(super().partial(**kwargs), kwargs.get("default_args"))

    @property
    def named(self) -> bool:
        """Whether the pod goes to a cluster of the registry, rather than where the stock operator would put it."""
        return self._named

    @property
    def cluster_name(self) -> str:
        """The cluster's name once templates are rendered."""
        return rendered.cluster_name(self)

    @cached_property
    def hook(self) -> Any:
        """Reach the named cluster; without a name, what the stock operator reaches."""
        if not self.named:
            return super().hook
        from airflow_multicluster.hooks.cluster import ClusterHook

        return ClusterHook(self.cluster_name)

    @property
    def registered(self) -> ClusterHook:
        """The hook of a named cluster."""
        hook: ClusterHook = self.hook
        return hook

    @cached_property
    def _incluster_namespace(self) -> str | None:
        """Take the worker's own namespace for the worker's own cluster only: on another one it means nothing."""
        if self.named and self.registered.cluster.kind != "inCluster":
            return None
        namespace: str | None = super()._incluster_namespace
        return namespace

    def convert_config_file_to_dict(self) -> None:
        """Read no kubeconfig of the worker, least of all ``$KUBECONFIG``, for the trigger to carry."""
        if not self.named:
            super().convert_config_file_to_dict()

    def dry_run(self) -> None:
        """Print the pod. A node pool that is yet to be made has its name by then, and another one here."""
        known = self.node_pool
        self.node_pool = rendered.pool_to_be(known)
        try:
            super().dry_run()
        finally:
            self.node_pool = known
