"""Make pods, and say why they are refused or do not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLaunchTimeoutException
from kubernetes.client import ApiException

from airflow_multicluster.operators.killed import refuse
from airflow_multicluster.operators.lost_node_pool import be_sure_of_pool
from airflow_multicluster.operators.pod_manager import ClusterPodManager
from airflow_multicluster.patience import patiently
from airflow_multicluster.start_facts import Enquiry
from airflow_multicluster.start_told import StartTold
from multicluster.pods.refused import REFUSALS, refused

if TYPE_CHECKING:
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator

ABSENT = 404


class WatchfulPodManager(ClusterPodManager):
    """A pod manager that remembers what it sees, and tells why a pod does not start."""

    _told: StartTold | None = None

    def __init__(self, operator: ClusterPodOperator) -> None:
        super().__init__(kube_client=operator.client, callbacks=operator.callbacks)
        self._operator = operator
        self._cluster = operator.registered.cluster

    def run_pod_async(self, pod: k8s.V1Pod, **kwargs: Any) -> k8s.V1Pod:
        """Create the pod. Raises PodLaunchFailedException, in one line, where the API server refuses this very pod."""
        if self._operator._killed:  # noqa: SLF001
            refuse(self._operator)
        be_sure_of_pool(self._operator)
        self._operator.asked_for = pod
        try:
            made = super().run_pod_async(pod, **kwargs)
        except ApiException as error:
            if error.status not in REFUSALS:
                raise
            why = refused(error.status, error.body, namespace=pod.metadata.namespace)
            name = pod.metadata.name
            raise PodLaunchFailedException(f"pod {name!r} cannot be made on {self._cluster.name!r}: {why}") from error
        if (made.metadata.labels or {}).get(KubernetesPodOperator.POD_CHECKED_KEY) == "True":
            raise PodLaunchFailedException(
                f"pod {pod.metadata.name!r} cannot be started again: the one before it is kept and has the same name; "
                "give random_name_suffix=True, or on_finish_action='delete_pod'"
            )
        self._operator.pod = made  # on_kill looks for it there
        if self._operator._killed:  # noqa: SLF001
            refuse(self._operator, made)
        return made

    def read_pod(self, pod: k8s.V1Pod) -> k8s.V1Pod:
        """Read the pod, through an outage of its API server too, and remember it."""
        stock = super().read_pod
        try:
            found = patiently(lambda: stock(pod), log=self.log, over=lambda: self._operator._killed)  # noqa: SLF001
        except ApiException as error:
            if error.status == ABSENT:
                self._operator.sightings.miss(pod.metadata.name)
            raise
        self._operator.sightings.see(found)
        if self._told is not None:
            self._told.see(found)
            if self._told.wants_events():
                self._look_at_events(pod)
            self._explain(self._told)
        return found

    def read_pod_events(self, pod: k8s.V1Pod, resource_version: str | None = None) -> Any:
        """Read the pod's events, and draw conclusions from them while it starts."""
        found = super().read_pod_events(pod, resource_version)
        if self._told is not None:
            for event in found.items:
                self._told.hear(event)
            if self._told.pod:
                self._explain(self._told)
        return found

    async def await_pod_start(self, pod: k8s.V1Pod, *args: Any, **kwargs: Any) -> None:
        """Wait as the stock manager does. What it raises says, at its end, why the pod has not started."""
        self._told = told = StartTold(self.log, base=self._operator.base_container_name)
        self._enquiry = Enquiry(self._cluster)
        try:
            await super().await_pod_start(pod, *args, **kwargs)
        except (PodLaunchFailedException, PodLaunchTimeoutException) as error:
            self._look_at_events(pod)
            self._operator.never_started = told.last_word
            raise type(error)("\n".join(filter(None, (str(error), told.last_word)))) from None
        finally:
            self._told = None

    def _explain(self, told: StartTold) -> None:
        told.judge(self._enquiry.ask(told.pod) if told.unscheduled else None)

    def _look_at_events(self, pod: k8s.V1Pod) -> None:
        """Read the events, which are not heard where ``log_events_on_startup`` is off."""
        try:
            self.read_pod_events(pod)
        except ApiException as error:
            self.log.info("The events of pod %s cannot be read: %s", pod.metadata.name, error.reason)
