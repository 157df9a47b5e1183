"""Let the polling loops of the stock trigger look when there is something to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import AsyncPodManager

from airflow_multicluster.log_notes import heard, told
from airflow_multicluster.triggers.pod_logs import RunningLog

if TYPE_CHECKING:
    from multicluster.pods.watch import WatchedPod


class Looks:
    """The pauses of one polling loop: none before its first look, then until the pod has changed.

    *within* says each time how long a pause may last, in seconds; *interval* is the loop's own, for pods of which no
    watch tells.
    """

    def __init__(self, pod: WatchedPod, *, within: Callable[[], float], interval: float) -> None:
        self._pod = pod
        self._within = within
        self._interval = interval
        self._first = True

    async def next(self) -> None:
        """Wait until it is time for the next look."""
        if self._first:
            self._first = False
        else:
            await self._pod.news(within=self._within(), interval=self._interval)


class LookingPodManager(AsyncPodManager):
    """The stock manager, whose wait for a pod's start looks when *looks* says."""

    looks: Looks | None = None
    events_interval: float = 5
    _running_log: RunningLog | None = None

    async def read_pod(self, pod: Any) -> Any:
        """Read the pod, when it is time."""
        if self.looks is not None:
            await self.looks.next()
        return await super().read_pod(pod)

    async def watch_pod_events(self, pod: Any, startup_check_interval: float = 30) -> None:
        """Log the pod's events, at the pace that the user gave rather than the one of the looks."""
        await super().watch_pod_events(pod, startup_check_interval or self.events_interval)

    async def fetch_container_logs_before_current_sec(
        self, pod: Any, container_name: str, since_time: Any = None
    ) -> Any:
        """Write what the log has gained, and return how far it is written, as text that travels in place of a time."""
        if self._running_log is None:
            self._running_log = RunningLog(self._hook, self.log)
        cursor = await self._running_log.catch_up(pod, container_name, heard(pod, since_time))
        return told(pod, cursor) if cursor else since_time
