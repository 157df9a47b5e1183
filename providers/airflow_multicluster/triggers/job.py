"""Wait for a job of a named cluster in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.triggers.job import KubernetesJobTrigger
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import TriggerEvent

from airflow_multicluster.hooks.cluster import AsyncClusterHook, ClusterHook
from airflow_multicluster.lease_keeping import lease_kept_for
from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.operators.pod_manager import ClusterPodManager
from airflow_multicluster.operators.secret_env import without_secret_env
from airflow_multicluster.triggers.haste import not_in_haste

if TYPE_CHECKING:
    from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager

WHEREABOUTS = frozenset({"config_file", "cluster_context", "in_cluster", "kubernetes_conn_id"})
"""Arguments of the stock trigger that are only true on the worker; ours has a name instead."""


class ClusterJobTrigger(KubernetesJobTrigger):
    """The stock trigger, reaching its job by the cluster's name.

    It adds what the stock one lacks: an end at the task's execution_timeout, a delete of the job when the task is
    killed, and an event instead of a crash when the job cannot be seen.

    :param cluster: the cluster's name in the registry; resolved with the triggerer's own identity.
    :param node_pool: the pool whose lease is kept meanwhile, for its *owner*; empty where there is none to keep.
    :param deadline: when the task must end, in epoch seconds; None is never.
    :param propagation_policy: what a kill does to the job's pods; see KubernetesJobOperator.
    :param on_kill_action: ``keep_pod`` leaves the job alone when the task is killed.
    :param grace_period: seconds that pods have to end when the task is killed; None is the cluster's default.
    :param losses: how often the job was lost sight of before.
    """

    def __init__(
        self,
        *,
        cluster: str,
        node_pool: str = "",
        owner: str = "",
        deadline: float | None = None,
        propagation_policy: str = "Foreground",
        on_kill_action: str = "delete_pod",
        grace_period: int | None = None,
        losses: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.own = {
            "cluster": cluster,
            "node_pool": node_pool,
            "owner": owner,
            "deadline": deadline,
            "propagation_policy": propagation_policy,
            "on_kill_action": on_kill_action,
            "grace_period": grace_period,
            "losses": losses,
        }

    @classmethod
    def instead_of(cls, stock: KubernetesJobTrigger, **own: Any) -> ClusterJobTrigger:
        """Return the trigger that waits as *stock* does, without what is only true on the worker."""
        return cls(**own, **_travelling(stock.serialize()[1]))

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments: names and numbers."""
        arguments = {**_travelling(super().serialize()[1]), **self.own}
        return f"{ClusterJobTrigger.__module__}.{ClusterJobTrigger.__qualname__}", arguments

    @cached_property
    def hook(self) -> AsyncClusterHook:
        """Reach the cluster."""
        return AsyncClusterHook(self.cluster)

    @cached_property
    def pod_manager(self) -> PodManager:
        """Read results with the synchronous client; making it blocks."""
        return ClusterPodManager(kube_client=ClusterHook(self.cluster).core_v1_client)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait as the stock trigger does; its one event is ``success``, ``error``, ``timeout`` or ``lost``."""
        started = time.monotonic()
        try:
            event = await self._event()
        except Exception as error:
            self.log.exception("Cannot see job %s on cluster %s", self.job_name, self.cluster)
            event = self._ended("lost", f"{type(error).__name__}: {error}")
        await not_in_haste(self, started=started)
        yield event

    async def _event(self) -> TriggerEvent:
        ends: Any = self.own["deadline"]
        left = None if ends is None else max(ends - time.time(), 0)
        try:
            leased = {name: str(self.own[name]) for name in ("node_pool", "owner")}
            keeping = lease_kept_for(self.cluster, log=self.log, **leased)
            async with asyncio.timeout(left) as limit, keeping, (await self.hook.cluster()).keeping_async_client():
                await off_loop(lambda: self.pod_manager)
                (event,) = [event async for event in super().run()]
                return TriggerEvent(without_secret_env(event.payload))
        except TimeoutError:
            if not limit.expired():
                raise
            return self._ended("timeout", "the task's execution_timeout is over")

    def _ended(self, status: str, message: str) -> TriggerEvent:
        return TriggerEvent(
            {
                "status": status,
                "message": message,
                "name": self.job_name,
                "namespace": self.job_namespace,
                "arguments": self.serialize()[1],
                "losses": self.own["losses"],
            }
        )

    async def on_kill(self) -> None:
        """Delete the job, unless the task is still deferred and another triggerer has it (apache/airflow#73454)."""
        if self.own["on_kill_action"] == "keep_pod" or str(await self._task_state()) == "deferred":
            self.log.info("Leaving job %s alone", self.job_name)
            return
        from kubernetes_asyncio.client import BatchV1Api

        options = {"propagation_policy": self.own["propagation_policy"]}
        if self.own["grace_period"] is not None:
            options["grace_period_seconds"] = self.own["grace_period"]
        async with (await self.hook.cluster()).keeping_async_client(), self.hook.get_conn() as client:
            await BatchV1Api(client).delete_namespaced_job(self.job_name, self.job_namespace, **options)

    _task_state = KubernetesPodTrigger.get_task_state


def _travelling(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in WHEREABOUTS}
