"""Bracket tasks with a node pool of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import TaskGroup, TriggerRule

from airflow_multicluster.operators.node_pool import CreateNodePoolOperator, DeleteNodePoolOperator
from airflow_multicluster.sensors.node_pool import NodePoolGoneSensor, NodePoolReadySensor
from multicluster.node_pools.lease import AN_HOUR

if TYPE_CHECKING:
    from types import TracebackType

    from airflow.sdk import XComArg


ASK_SECONDS = 3600.0
"""How long create and delete ask a busy cloud; given outright, so that a time-out in default_args is not theirs."""
_ALONE: dict[str, Any] = {"depends_on_past": False, "wait_for_downstream": False}
"""What comes after the create waits for nothing of an earlier run, whatever default_args say."""


class NodePoolTaskGroup(TaskGroup):
    """Create a node pool, wait until it can be used, run the tasks of the block, delete it, prove it gone.

    ::

        with NodePoolTaskGroup("train", cluster="gpu-use1", profile="l4", nodes=2) as pool:
            ClusterPodOperator(task_id="fit", node_pool=pool, image="acme/train:1")

    The pool is deleted whatever becomes of the create, the wait and the tasks; the run is green only when the tasks
    succeeded and the pool is proven gone. Each run, and each map index of a mapped group around it, has a pool of
    its own.

    :param cluster: name of a cluster in the registry; may be a template or an argument of a mapped task group.
    :param profile: name of one of the cluster's node-pool profiles; the same.
    :param nodes: how many nodes; the same.
    :param max_lifetime: when the pool ends whatever runs on it; see CreateNodePoolOperator.
    :param lease: how long the pool is kept when no task of the group renews its lease any more.
    :param ready_timeout: seconds to wait for usable nodes.
    :param gone_timeout: seconds to wait for the proof.
    :param poll_interval: seconds between two looks at the cloud.
    :param deferrable: wait in the triggerer (default) or in workers.
    """

    def __init__(
        self,
        group_id: str,
        *,
        cluster: str,
        profile: str,
        nodes: int = 1,
        max_lifetime: timedelta | None = None,
        lease: timedelta = AN_HOUR,
        ready_timeout: float = 2700,
        gone_timeout: float = 3600,
        poll_interval: float = 20,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(group_id=group_id, **kwargs)
        self._place: dict[str, Any] = {"cluster": cluster, "deferrable": deferrable}
        self._shape: dict[str, Any] = {"profile": profile, "nodes": nodes}
        self._times: dict[str, Any] = {"max_lifetime": max_lifetime, "lease": lease}
        self._timeouts = (ready_timeout, gone_timeout)
        self._poll_interval = poll_interval

    @property
    def output(self) -> XComArg:
        """The pool's names, for ``node_pool=`` and for any other task that wants to know them."""
        output: XComArg = self.create.output
        return output

    def __enter__(self) -> Self:
        """Open the block with the tasks that come before the work."""
        super().__enter__()
        place = {**self._place, "bracket": self.group_id}
        self.create = CreateNodePoolOperator(
            task_id="create_node_pool",
            poll_interval=self._poll_interval,
            timeout=ASK_SECONDS,
            do_xcom_push=True,
            trigger_rule=TriggerRule.ALL_SUCCESS,
            **place,
            **self._shape,
            **self._times,
        )
        self.ready = NodePoolReadySensor(
            task_id="node_pool_ready",
            timeout=self._timeouts[0],
            poke_interval=self._poll_interval,
            mode="poke",
            trigger_rule=TriggerRule.ALL_SUCCESS,
            **_ALONE,
            **place,
            **self._shape,
        )
        self.create >> self.ready
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the block with the tasks that come after it, and wire them all."""
        try:
            if kind is None:
                self._close()
        finally:
            super().__exit__(kind, error, trace)

    def _close(self) -> None:
        place = {**self._place, "bracket": self.group_id}
        work = [task for task in self if task is not self.create and task is not self.ready]
        self._refuse_work_that_waits_for_the_past(work)
        delete = DeleteNodePoolOperator(
            task_id="delete_node_pool", poll_interval=self._poll_interval, timeout=ASK_SECONDS, **_ALONE, **place
        )
        gone = NodePoolGoneSensor(
            task_id="node_pool_gone",
            timeout=self._timeouts[1],
            poke_interval=self._poll_interval,
            mode="poke",
            **_ALONE,
            **place,
        )
        _surround(work, first=self.ready, last=delete)
        delete >> gone
        # The order matters: as_teardown sets a trigger rule that skips the deletion when the create failed.
        delete.as_teardown(setups=self.create)
        gone.as_teardown(setups=self.create, on_failure_fail_dagrun=True)
        delete.trigger_rule = gone.trigger_rule = TriggerRule.ALL_DONE

    def _refuse_work_that_waits_for_the_past(self, work: Iterable[Any]) -> None:
        """A pool would be rented for tasks that an earlier run may keep from ever starting, and never deleted."""
        for task in work:
            if getattr(task, "depends_on_past", False) or getattr(task, "wait_for_downstream", False):
                raise ValueError(
                    f"task {task.task_id!r} waits for an earlier run (depends_on_past, wait_for_downstream) while its "
                    f"node pool of group {self.group_id!r} costs money; set it on a task before the group instead"
                )


def _surround(work: Iterable[Any], *, first: Any, last: Any) -> None:
    """Put *work* between two tasks. *last* comes after each of it, not after its leaves only.

    A leaf may be done before its siblings (trigger rule one_success); a pool must outlive all.
    """
    tasks = list(work)
    ids = {task.task_id for task in tasks}
    if not tasks:
        first >> last
    for task in tasks:
        if task.upstream_task_ids.isdisjoint(ids):
            first >> task
        task >> last
