"""Run a job on a cluster of the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import tenacity
from airflow.providers.cncf.kubernetes.operators.job import KubernetesJobOperator
from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred
from kubernetes.client import models as k8s

from airflow_multicluster.deadline import deadline
from airflow_multicluster.errors import airflow_errors
from airflow_multicluster.operators.lost_node_pool import be_sure_of_pool
from airflow_multicluster.operators.pod import ClusterPodOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ClusterJobOperator(ClusterPodOperator, KubernetesJobOperator):
    """KubernetesJobOperator plus ``cluster=`` and ``node_pool=``, as ClusterPodOperator is to KubernetesPodOperator.

    With neither of the two it is the stock operator. A job whose task has ended without it (a time-out, a triggerer
    that lost sight of it, no pod in time) is deleted: nobody waits for it any more, and a retry makes another.
    """

    template_fields: Sequence[str] = tuple(
        sorted({*KubernetesJobOperator.template_fields, *ClusterPodOperator.template_fields})
    )

    _ends: float | None = None
    _job: k8s.V1Job | None = None

    def __init__(self, *, infrastructure_retries: int | None = None, **kwargs: Any) -> None:
        if infrastructure_retries is not None:
            raise ValueError(
                f"task {kwargs.get('task_id')!r} gives infrastructure_retries, which is not for jobs: their controller "
                "makes lost pods anew; give backoff_limit instead (in a task, against default_args: "
                "infrastructure_retries=None)"
            )
        super().__init__(**kwargs)

    @property
    def job(self) -> Any:
        """The job; with a name, without its pods' secret variables: the stock operator makes an XCom of it."""
        return self._job

    @job.setter
    def job(self, job: k8s.V1Job | None) -> None:
        if job is not None and job.spec is not None and self.named:
            from airflow_multicluster.operators.secret_env import hide_secret_env

            hide_secret_env(job.spec.template.spec)
        self._job = job

    def build_job_request_obj(self, context: Context | None = None) -> k8s.V1Job:
        """Build the job, and the pods of its template with what registry and node pool bring to them."""
        if not self.named:
            return super().build_job_request_obj(context)
        from airflow_multicluster.operators.secret_env import mask_secret_env
        from airflow_multicluster.pod_shape import shaped

        with airflow_errors(), shaped(self, self.registered.cluster):
            job = super().build_job_request_obj(context)
        mask_secret_env(job.spec.template)
        return job

    def get_pods(self, pod_request_obj: k8s.V1Pod, context: Context, **options: Any) -> Sequence[k8s.V1Pod]:
        """Find the job's pods, for as long as pods have time to be scheduled.

        The stock operator asks four times without a pause; a job that waits for its turn (Kueue) has no pods by then,
        its task fails, and a retry makes a second job (apache/airflow#58496).
        """
        if not self.named:
            stock: Sequence[k8s.V1Pod] = super().get_pods(pod_request_obj, context, **options)
            return stock
        seconds = self.schedule_timeout_seconds
        asking = tenacity.Retrying(
            stop=tenacity.stop_after_delay(seconds),
            wait=tenacity.wait_fixed(min(self.startup_check_interval_seconds, self.job_poll_interval)),
            retry=tenacity.retry_if_exception_type(AirflowException),
            reraise=True,
        )
        try:
            pods: Sequence[k8s.V1Pod] = asking(super().get_pods, pod_request_obj, context, **options)
        except AirflowException as error:
            self.on_kill()
            raise AirflowException(
                f"job {self.job.metadata.name!r} on cluster {self.cluster_name!r} had no pod within {seconds} s "
                f"(schedule_timeout_seconds) and was deleted: {error}"
            ) from error
        return pods

    def execute(self, context: Context) -> Any:
        """Make the job, and wait for it where that is asked for."""
        if self.execution_timeout is not None:
            self._ends = deadline(self, context, timeout=self.execution_timeout.total_seconds())
        try:
            return super().execute(context)
        except Exception as error:
            if not self.named or self.job is None or self._killed or self.hook.is_job_complete(self.job):
                raise
            name = self.job.metadata.name
            self.on_kill()
            raise AirflowException(f"job {name!r} on cluster {self.cluster_name!r} was deleted: {error}") from error

    def create_job(self, job_request_obj: k8s.V1Job) -> k8s.V1Job:
        """Make the job; one of a task that was killed meanwhile is deleted."""
        be_sure_of_pool(self)
        job = super().create_job(job_request_obj)
        self._refuse_a_killed(job)
        return job

    def _refuse_a_killed(self, job: k8s.V1Job | None) -> None:
        if self._killed and self.named:
            self.job = job
            self.on_kill()
            raise AirflowException(f"task {self.task_id!r} was killed, and its job deleted")

    def on_kill(self) -> None:
        """Delete the job, for as long as Airflow leaves time for it; blocks."""
        if not self.named:
            super().on_kill()
            return
        from airflow_multicluster.operators.killed import end

        self._killed = True
        if self.job is not None:
            stock = partial(KubernetesJobOperator.on_kill, self)
            end(stock, kind="job", place=self.job.metadata, operator=self)

    def execute_deferrable(self) -> None:
        """Defer as the stock operator does, with the trigger that carries the cluster's name."""
        try:
            super().execute_deferrable()
        except TaskDeferred as stock:
            if not self.named:
                raise
            self._refuse_a_killed(self.job)
            from airflow_multicluster.triggers.job import ClusterJobTrigger

            trigger = ClusterJobTrigger.instead_of(
                stock.trigger,
                cluster=self.cluster_name,
                **self.leased,
                deadline=self._ends,
                propagation_policy=self.on_kill_propagation_policy,
                on_kill_action=self.on_kill_action.value,
                grace_period=self.termination_grace_period,
            )
            raise TaskDeferred(trigger=trigger, method_name=stock.method_name) from None

    def execute_complete(self, context: Context, event: dict[str, Any], **kwargs: Any) -> Any:
        """Come back from the triggerer."""
        if not self.named:
            return super().execute_complete(context, event, **kwargs)
        with airflow_errors():
            if event["status"] == "lost" and event["losses"] < self.MAX_REDEFER_ATTEMPTS:
                self._look_again(event)
            if event["status"] in ("lost", "timeout"):
                self._give_up(event)
            return super().execute_complete(context, event, **kwargs)

    def _look_again(self, event: Mapping[str, Any]) -> NoReturn:
        from airflow_multicluster.triggers.job import ClusterJobTrigger

        self.log.warning("Lost sight of job %s: %s; looking again", event["name"], event["message"])
        trigger = ClusterJobTrigger(**{**event["arguments"], "losses": event["losses"] + 1})
        raise TaskDeferred(trigger=trigger, method_name="execute_complete")

    def _give_up(self, event: Mapping[str, Any]) -> NoReturn:
        self.job = k8s.V1Job(metadata=k8s.V1ObjectMeta(name=event["name"], namespace=event["namespace"]))
        self.on_kill()
        raise AirflowException(
            f"job {event['name']!r} on cluster {self.cluster_name!r} was deleted: {event['message']}"
        )
