"""Keep the node pool of a pod while the pod is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from airflow_multicluster.operators import refusals
from airflow_multicluster.operators.named_pod import NamedPodOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from multicluster.brackets.wish import Wish


class PooledPodOperator(NamedPodOperator):
    """The stock operator, on a node pool whose lease it keeps; see ClusterPodOperator.

    :param on_pool_lost: what to do where the pod is to be made and its node pool is gone, being deleted, or its lease
        was over too long: ``fail``, or ``recreate`` it and let the pod wait for its nodes.
    """

    def __init__(self, *, on_pool_lost: Literal["fail", "recreate"] = "fail", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_pool_lost = refusals.refuse_unknown_policy(self.task_id, on_pool_lost)

    @property
    def wish(self) -> Wish | None:
        """What the node pool was asked for with; None where there is none, or its names were written by hand."""
        from multicluster.brackets.wish import Wish

        pool: object = self.node_pool  # a template field; rendered by now
        return Wish.from_names(pool) if isinstance(pool, Mapping) else None

    @property
    def leased(self) -> dict[str, str]:
        """The names by which a trigger keeps the lease; empty where there is none to keep."""
        wish = self.wish
        return {"node_pool": wish.name, "owner": wish.origin.owner} if wish else {}

    def execute(self, context: Context) -> Any:
        """Run the pod; where it is waited for here, its pool's lease is kept here."""
        wish = self.wish
        if wish is None or self.deferrable:
            return super().execute(context)
        from airflow_multicluster.lease_keeping import lease_kept

        cluster = self.registered.cluster
        with lease_kept(wish.place, lambda _: cluster, self.log):
            return super().execute(context)
