"""Wait until a node pool can be used, and until it is proven gone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout
from airflow.sdk import BaseSensorOperator

from airflow_multicluster.deadline import backstop, deadline
from airflow_multicluster.errors import airflow_errors
from airflow_multicluster.links import NodePoolConsoleLink

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from multicluster.brackets.finding import Finding


class _NodePoolSensor(BaseSensorOperator):
    """Wait in the triggerer, or with ``deferrable=False`` in the worker.

    :param cluster: the cluster's name (templated).
    :param bracket: what the pool belongs to, as in CreateNodePoolOperator.
    :param poke_interval: seconds between two looks.
    :param timeout: seconds from the task's start to its failure, which then says what was missing.
    """

    operator_extra_links = (NodePoolConsoleLink(),)

    def __init__(
        self, *, cluster: str, bracket: str, deferrable: bool = True, poke_interval: float = 20, **kwargs: Any
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        # From default_args they would turn a pool left behind, or one that never came, into a skipped task.
        self.soft_fail = self.never_fail = self.silent_fail = False
        if self.mode == "reschedule":
            raise ValueError(f"task {self.task_id!r}: mode='reschedule' forgets between two looks; use deferrable=True")
        self.cluster = cluster
        self.bracket = bracket
        self.deferrable = deferrable
        self._lookout: Any = None
        self._last: Finding | None = None

    @abstractmethod
    def trigger(self, context: Context, end: float) -> BaseTrigger:
        """Return the trigger that waits until *end*, in epoch seconds."""

    @abstractmethod
    def lookout(self, context: Context) -> Any:
        """Return what looks, for the wait in the worker."""

    def execute(self, context: Context) -> Any:
        """Wait."""
        with airflow_errors():
            self.check()
        if self.deferrable:
            end = deadline(self, context, timeout=self.timeout)
            self.defer(trigger=self.trigger(context, end), method_name="execute_complete", timeout=backstop(end))
        try:
            return super().execute(context)
        except AirflowSensorTimeout as error:
            if self._last is not None and self._last.enough:
                return None
            seen = self._last.text if self._last else "nothing was looked at yet"
            raise AirflowSensorTimeout(f"timed out after {self.timeout:g} s: {seen}") from error

    def check(self) -> None:
        """Refuse now what could only fail later. Raises MulticlusterError."""
        from airflow_multicluster.hooks.cluster import find_cluster

        find_cluster(self.cluster)

    def poke(self, context: Context) -> bool:
        """Look once, in the worker."""
        self._lookout = self._lookout or self.lookout(context)
        finding: Finding = self._lookout.look()
        said = self._last.lines if self._last else ()
        self._last = finding
        for line in finding.lines:
            if line not in said:
                self.log.info("%s", line)
        if finding.status == "failed":
            raise AirflowFailException(finding.text)
        return finding.status == "done"

    def execute_complete(self, context: Context, event: dict[str, str]) -> None:  # noqa: ARG002 - Airflow passes it
        """Come back from the triggerer with what it found."""
        if event["status"] == "timeout":
            raise AirflowSensorTimeout(f"timed out: {event['text']}")
        if event["status"] == "failed":
            raise AirflowFailException(event["text"])
        self.log.info("%s", event["text"])


class NodePoolReadySensor(_NodePoolSensor):
    """Wait until pods can run on all nodes of the bracket's pool: Ready, untainted, GPUs allocatable, twice in a row.

    Fails at once when waiting cannot help, with the cloud's words (no capacity, quota, a pool that failed).

    :param profile: the pool's profile (templated).
    :param nodes: how many nodes there must be (templated).
    """

    template_fields: Sequence[str] = ("cluster", "profile", "nodes")

    def __init__(self, *, profile: str, nodes: int = 1, timeout: float = 2700, **kwargs: Any) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.profile = profile
        self.nodes = nodes

    def _names(self, context: Context) -> dict[str, Any]:
        from airflow_multicluster.place import look_up

        place = look_up(context, self.bracket, cluster=self.cluster)
        return {**asdict(place), "profile": self.profile, "nodes": int(self.nodes)}

    def check(self) -> None:
        """Refuse a profile that the cluster does not have."""
        from airflow_multicluster.hooks.cluster import find_cluster

        find_cluster(self.cluster).profile(self.profile)

    def trigger(self, context: Context, end: float) -> BaseTrigger:
        """Wait in the triggerer."""
        from airflow_multicluster.triggers.node_pool import NodePoolReadyTrigger

        return NodePoolReadyTrigger(**self._names(context), poll_interval=self.poke_interval, deadline=end)

    def lookout(self, context: Context) -> Any:
        """Wait in the worker."""
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.lease_keeping import process_keeper
        from airflow_multicluster.place import look_up
        from multicluster.brackets.ready import ReadyLookout

        place = look_up(context, self.bracket, cluster=self.cluster)
        return ReadyLookout(
            place, profile=self.profile, nodes=int(self.nodes), find=find_cluster, keeper=process_keeper()
        )


class NodePoolGoneSensor(_NodePoolSensor):
    """Prove that the bracket's pool is gone: unknown to the cloud, no machine left, no node left in the cluster.

    A pool that is not on its way out (the deletion failed, or was never taken) is deleted again, at most *asks*
    times; then the task fails with the pool's name and the cloud's words.
    """

    template_fields: Sequence[str] = ("cluster",)

    def __init__(self, *, asks: int = 3, timeout: float = 3600, **kwargs: Any) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.asks = asks

    def _names(self, context: Context) -> dict[str, Any]:
        from airflow_multicluster.place import look_up

        return {**asdict(look_up(context, self.bracket, cluster=self.cluster)), "asks": self.asks}

    def check(self) -> None:
        """Refuse nothing now: what cannot be reached at the first look may be reached at the next."""

    def trigger(self, context: Context, end: float) -> BaseTrigger:
        """Wait in the triggerer."""
        from airflow_multicluster.triggers.node_pool import NodePoolGoneTrigger

        return NodePoolGoneTrigger(**self._names(context), poll_interval=self.poke_interval, deadline=end)

    def lookout(self, context: Context) -> Any:
        """Wait in the worker."""
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.lease_keeping import process_keeper
        from airflow_multicluster.place import look_up
        from multicluster.brackets.gone import GoneLookout

        place = look_up(context, self.bracket, cluster=self.cluster)
        return GoneLookout(place, asks=self.asks, find=find_cluster, keeper=process_keeper())
