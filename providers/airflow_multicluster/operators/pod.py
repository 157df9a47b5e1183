"""Run a pod on a cluster of the registry."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.operators.pod import FoundMoreThanOnePodFailure
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_multicluster.errors import airflow_errors
from airflow_multicluster.operators import refusals, rendered
from airflow_multicluster.operators.pooled_pod import PooledPodOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.sightings import Sightings
    from airflow_multicluster.task_groups.node_pool import NodePoolTaskGroup


class ClusterPodOperator(PooledPodOperator):
    """KubernetesPodOperator plus ``cluster=`` and ``node_pool=``; every stock parameter keeps its meaning.

    With neither of the two it is the stock operator. The cluster's pod profile in the registry (namespace, service
    account, pull secrets, time-outs) stands where an Airflow connection stands in the stock operator: lowest.
    The few parameters that behave differently stand in ``docs/pods.md``, with the reason.

    It is also the seam for the stock operator's own kin: whatever derives from it and from one of them reaches
    clusters by name (ClusterJobOperator, ``@task.cluster_pod``).

    :param cluster: name of a cluster in the registry (templated).
    :param node_pool: a NodePoolTaskGroup, or what CreateNodePoolOperator returned (templated). Brings the cluster,
        the node selector, tolerations for the pool's taints, one GPU unless ``container_resources`` asks for it
        itself, and annotations that keep autoscalers from evicting the pod.
    :param on_pool_lost: what to do where the pod is to be made and its node pool is lost: gone, being deleted, or its
        lease over. ``fail`` says so at once; ``recreate`` asks for the pool again, and the pod waits for its nodes.
    :param infrastructure_retries: how often a pod that was evicted, preempted or lost with its node is started again
        without using up a retry of the task; 0 is never. What its program does wrong is the task's own business.
    """

    started_again = False
    never_started = ""
    pod: k8s.V1Pod | None
    asked_for: k8s.V1Pod | None = None
    """The pod whose create was sent last; it may be there although no answer came."""
    came_back_with: Any = None
    """The result of a pod taken up whose work is done: the stock operator does not defer then, and drops it."""

    def __init__(
        self,
        *,
        cluster: str | None = None,
        node_pool: NodePoolTaskGroup | Mapping[str, str] | None = None,
        startup_timeout_seconds: int | None = None,
        schedule_timeout_seconds: int | None = None,
        is_delete_operator_pod: bool | None = None,
        infrastructure_retries: int = 3,
        **kwargs: Any,
    ) -> None:
        timeouts = {
            "startup_timeout_seconds": startup_timeout_seconds,
            "schedule_timeout_seconds": schedule_timeout_seconds,
        }
        given: dict[str, Any] = {name: value for name, value in timeouts.items() if value is not None}
        super().__init__(
            cluster=cluster, node_pool=node_pool, is_delete_operator_pod=is_delete_operator_pod, **given, **kwargs
        )
        self.infrastructure_retries = refusals.refuse_less_than_none(self.task_id, infrastructure_retries)
        self.own_timeouts = frozenset(given)
        if self.named:
            refusals.refuse_a_switch_that_is_gone(
                self.task_id, is_delete_operator_pod=is_delete_operator_pod, on_finish_action=self.on_finish_action
            )

    @cached_property
    def pod_manager(self) -> Any:
        """Make and watch pods of the named cluster."""
        if not self.named:
            return super().pod_manager
        from airflow_multicluster.operators.watchful_pod_manager import WatchfulPodManager

        return WatchfulPodManager(self)

    @cached_property
    def sightings(self) -> Sightings:
        """What was seen of this task's pods."""
        from airflow_multicluster.operators.sightings import Sightings

        return Sightings()

    def execute(self, context: Context) -> Any:
        """Run the pod. A cordoned cluster takes no new pods."""
        if not self.named:
            return super().execute(context)
        from airflow_multicluster.operators.ended_pod import ended_with_its_task

        with airflow_errors(), ended_with_its_task(self):
            self.registered.cluster.refuse_if_cordoned(datetime.now(UTC))
            rendered.take_timeouts(self)
            result = super().execute(context)
        self._refuse_if_killed()
        return self.came_back_with if self.deferrable else result

    def trigger_reentry(self, context: Context, event: dict[str, Any]) -> Any:
        """Come back from the triggerer."""
        if not self.named:
            return super().trigger_reentry(context, event)
        from airflow_multicluster.operators.lost_pod import come_back

        with airflow_errors():
            rendered.take_timeouts(self)
            self.came_back_with = come_back(self, context, event, super().trigger_reentry)
        return self.came_back_with

    def execute_sync(self, context: Context) -> Any:
        """Run the pod, and another one in its place where it is lost to the infrastructure."""
        if not self.named:
            return super().execute_sync(context)
        from airflow_multicluster.operators.lost_pod import start_until_it_ends

        return start_until_it_ends(self, context, super().execute_sync)

    def invoke_defer_method(self, last_log_time: Any = None, context: Context | None = None) -> None:
        """Defer as the stock operator does, with the trigger that carries the cluster's name."""
        try:
            super().invoke_defer_method(last_log_time=last_log_time, context=context)
        except TaskDeferred as stock:
            if not self.named:
                raise
            self._refuse_if_killed(self.pod)
            from airflow_multicluster.triggers.pod import ClusterPodTrigger

            trigger = ClusterPodTrigger.instead_of(stock.trigger, cluster=self.cluster_name, **self.leased)
            raise TaskDeferred(
                trigger=trigger, method_name=stock.method_name, kwargs=stock.kwargs, timeout=stock.timeout
            ) from None

    def build_pod_request_obj(self, context: Context | None = None, **options: Any) -> k8s.V1Pod:
        """Build the pod with what registry and node pool bring to it; *options* are what the stock operator has."""
        if not self.named:
            return super().build_pod_request_obj(context, **options)
        from airflow_multicluster.operators.secret_env import mask_secret_env
        from airflow_multicluster.pod_shape import shaped
        from airflow_multicluster.pod_task import sign

        with airflow_errors(), shaped(self, self.registered.cluster):
            pod = super().build_pod_request_obj(context, **options)
        mask_secret_env(pod)
        sign(pod, self, context)
        return pod

    def get_or_create_pod(self, pod_request_obj: k8s.V1Pod, context: Context) -> k8s.V1Pod:
        """Take up the pod of an earlier try unless it is dead, or make one; a first try has nothing to look for."""
        if not self.named:
            return super().get_or_create_pod(pod_request_obj, context)
        from airflow_multicluster.operators.reattach import done_or_put_away, make_anew

        if self.started_again or not self.reattach_on_restart or context["ti"].try_number == 1:
            return make_anew(self, pod_request_obj, context)
        done = done_or_put_away(self, pod_request_obj, context)
        pod = done or super().get_or_create_pod(pod_request_obj, context)
        self._refuse_if_killed(pod)
        return pod

    def find_pod(self, namespace: str, context: Context, *, exclude_checked: bool = True) -> k8s.V1Pod | None:
        """Find this task's pod; where there are several, the newest, and the others are deleted."""
        try:
            return super().find_pod(namespace, context, exclude_checked=exclude_checked)
        except FoundMoreThanOnePodFailure:
            if not self.named:
                raise
            from airflow_multicluster.operators.reattach import newest_of_many

            return newest_of_many(self, namespace, context)

    def _build_find_pod_label_selector(self, context: Context | None = None, *, exclude_checked: bool = True) -> str:
        stock = super()._build_find_pod_label_selector(context, exclude_checked=exclude_checked)
        if not self.named:
            return str(stock)
        from airflow_multicluster.operators.reattach import deployment_labels

        return ",".join([stock, *(f"{label}={value}" for label, value in deployment_labels().items())])

    def _get_pod_from_task_state_store(self, context: Context) -> k8s.V1Pod | None:
        if self.named:
            from airflow_multicluster.operators.reattach import stored_elsewhere

            elsewhere = stored_elsewhere(context, cluster=self.cluster_name)
            if elsewhere is not None:
                self.log.info("An earlier try ran on cluster %r, this one on %r", elsewhere, self.cluster_name)
                return None
        return super()._get_pod_from_task_state_store(context)

    def _persist_pod_identity_to_task_state_store(self, context: Context, pod: k8s.V1Pod) -> None:
        super()._persist_pod_identity_to_task_state_store(context, pod)
        if self.named:
            from airflow_multicluster.operators.reattach import store_cluster

            store_cluster(context, cluster=self.cluster_name)

    def await_pod_completion(self, pod: k8s.V1Pod) -> None:
        """Follow the pod to its end, unless its base container has never run and never will."""
        if self.named:
            from airflow_multicluster.operators.ended_pod import refuse_what_never_ran

            refuse_what_never_ran(self, pod)
        super().await_pod_completion(pod)

    def extract_xcom(self, pod: k8s.V1Pod, **options: Any) -> Any:
        """Read the pod's result; a pod that never started has none."""
        return None if self.never_started else super().extract_xcom(pod, **options)

    def _write_logs(self, pod: k8s.V1Pod, follow: bool = False, since_time: Any = None) -> None:  # noqa: FBT001, FBT002 - stock
        if not self.named:
            super()._write_logs(pod, follow=follow, since_time=since_time)
            return
        from airflow_multicluster.operators.ended_pod import write_logs

        write_logs(self, pod, since_time=since_time)

    def cleanup(self, pod: k8s.V1Pod, remote_pod: k8s.V1Pod, *args: Any, **kwargs: Any) -> None:
        """Clean up as the stock operator does; its error, the whole pod, does not hide why the task fails."""
        if not self.named:
            super().cleanup(pod, remote_pod, *args, **kwargs)
            return
        from airflow_multicluster.operators.ended_pod import after_the_reason, take_for_succeeded
        from airflow_multicluster.operators.secret_env import hide_secret_env

        if remote_pod is not None:
            hide_secret_env(remote_pod.spec)
            take_for_succeeded(remote_pod, base=self.base_container_name)
        with after_the_reason(sys.exc_info()[1], alone=self.never_started):
            super().cleanup(pod, remote_pod, *args, **kwargs)

    def on_kill(self) -> None:
        """Delete the pod, also one that is just being made, for as long as Airflow leaves time for it; blocks."""
        if not self.named:
            super().on_kill()
            return
        from airflow_multicluster.operators.killed import end_killed

        self._killed = True
        end_killed(self)

    def _refuse_if_killed(self, pod: k8s.V1Pod | None = None) -> None:
        if self._killed and self.named:
            from airflow_multicluster.operators.killed import refuse

            refuse(self, pod)

    def process_pod_deletion(self, pod: k8s.V1Pod, *, reraise: bool = True) -> bool:
        """Delete the pod or keep it, as ``on_finish_action`` says; one that is kept does not run on."""
        deleted = bool(super().process_pod_deletion(pod, reraise=reraise))
        if self.named and pod is not None and not deleted:
            from airflow_multicluster.operators.ended_pod import end

            end(self, pod)
        return deleted
