"""Ask a cloud for a node pool, and ask for its deletion; neither waits until it is there or gone."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from airflow_multicluster.deadline import backstop, deadline
from airflow_multicluster.errors import airflow_errors
from airflow_multicluster.links import NodePoolConsoleLink, at_console
from multicluster.errors import MulticlusterError, NodePoolConflictError, NodePoolsUnsupportedError
from multicluster.node_pools.lease import AN_HOUR

if TYPE_CHECKING:
    from airflow.sdk import Context

REFUSALS = 10
"""How often a deletion is asked for that does not go through: asking costs minutes, a pool left costs money."""


class _AskingOperator(BaseOperator):
    """Ask until the cloud has taken the request; while it is busy, wait in the triggerer.

    :param bracket: what the pool belongs to, the same for the four tasks around one pool; a NodePoolTaskGroup gives
        its group id. With deployment, DAG, run and map index it makes the pool's name and owner.
    :param deferrable: wait in the triggerer (default) or in the worker.
    :param poll_interval: seconds between two askings.
    :param timeout: seconds after which a busy cloud is given up.
    """

    operator_extra_links = (NodePoolConsoleLink(),)

    def __init__(
        self,
        *,
        cluster: str,
        bracket: str | None = None,
        deferrable: bool = True,
        poll_interval: float = 15,
        timeout: float = 3600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.bracket = bracket or self.task_id
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout

    @abstractmethod
    def ask(self, context: Context) -> Any:
        """Ask once; the result is the task's. Raises MulticlusterError."""

    def may_ask_again(self, error: MulticlusterError, asked: int) -> bool:  # noqa: ARG002 - whoever overrides it may count
        """Whether asking again can help, after *asked* askings."""
        return error.transient

    def execute(self, context: Context) -> Any:
        """Ask; defer while the cloud is busy."""
        return self._ask(context, asked=0)

    def ask_again(self, context: Context, event: dict[str, Any]) -> Any:
        """Come back from the triggerer, and ask again."""
        return self._ask(context, asked=int(event["asked"]))

    def _ask(self, context: Context, *, asked: int) -> Any:
        end = deadline(self, context, timeout=self.timeout)
        while True:
            with airflow_errors():
                try:
                    return self.ask(context)
                except MulticlusterError as error:
                    asked += 1
                    if not self.may_ask_again(error, asked) or time.time() + self.poll_interval > end:
                        raise
                    self.log.info("Asking again in %s s: %s", self.poll_interval, error)
            self._wait(asked, end)

    def _wait(self, asked: int, end: float) -> None:
        from airflow_multicluster.triggers.ask_again import AskAgainTrigger

        trigger = AskAgainTrigger(seconds=self.poll_interval, asked=asked)
        if self.deferrable:
            self.defer(trigger=trigger, method_name="ask_again", timeout=backstop(end))
        from airflow_multicluster.triggers.inline import wait_here

        wait_here(trigger)


class CreateNodePoolOperator(_AskingOperator):
    """Submit a node pool and return its names: ``{"cluster": ..., "name": ..., "profile": ..., ...}``.

    Asked again (a retry, a cleared task, a lost answer) it is the same pool. One of ours that failed or is on its way
    out is deleted first and then made again. Refused before the cloud is asked: a cordoned cluster, one whose
    identity is not what the registry pins, and more than the registry's limits.

    :param profile: name of the cluster's node-pool profile.
    :param nodes: how many nodes.
    :param max_lifetime: after this the pool ends whatever runs on it; default and most: the registry's
        ``limits.maxLifetimeSeconds``, else a day.
    :param lease: how long the pool is kept when no task of the bracket renews its lease any more, one hour by default.
    """

    template_fields: Sequence[str] = ("cluster", "profile", "nodes")
    ui_color: ClassVar[str] = "#d5e8d4"

    def __init__(
        self,
        *,
        profile: str,
        nodes: int = 1,
        max_lifetime: timedelta | None = None,
        lease: timedelta = AN_HOUR,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.profile = profile
        self.nodes = nodes
        self.max_lifetime = max_lifetime
        self.lease = lease

    def ask(self, context: Context) -> dict[str, Any]:
        """Submit the pool once."""
        from airflow_multicluster import stats
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.owner import bracket_origin, bracket_pool, refuse_nameless
        from airflow_multicluster.place import write_down
        from multicluster.brackets.holding import in_words
        from multicluster.brackets.place import address
        from multicluster.brackets.wish import Wish

        refuse_nameless()
        name, owner = bracket_pool(context, self.bracket)
        wish = Wish(
            cluster=self.cluster,
            name=name,
            profile=self.profile,
            nodes=int(self.nodes),
            origin=bracket_origin(context, self.bracket),
            lease=self.lease,
            max_lifetime=self.max_lifetime,
        )
        cluster = find_cluster(self.cluster)
        place = replace(wish.place, address=address(cluster))
        write_down(context, replace(place, sure=False))
        try:
            pool = wish.ask(cluster)
        except MulticlusterError as error:
            if not error.transient:
                write_down(context, place)
            raise
        write_down(context, place)
        self.log.info("Node pool %s on cluster %s is %s (owner %s)", pool.name, self.cluster, pool.status, owner)
        if pool.lease:
            told = in_words(cluster.node_pools(), place, pool.lease)
            self.log.info("%s%s", told, at_console(cluster, pool.name))
        stats.created(self.cluster)
        return wish.to_names()


class DeleteNodePoolOperator(_AskingOperator):
    """Ask for the deletion of the bracket's pool. One that is not there (any more) is a success.

    A refusal of the cloud is asked again a few times; NodePoolGoneSensor is what proves the pool gone.
    """

    template_fields: Sequence[str] = ("cluster",)
    ui_color: ClassVar[str] = "#f8cecc"

    def may_ask_again(self, error: MulticlusterError, asked: int) -> bool:
        """A busy cloud, and for a while whatever else may be mended meanwhile; not somebody else's pool."""
        hopeless = isinstance(error, (NodePoolConflictError, NodePoolsUnsupportedError))
        return error.transient or (asked < REFUSALS and not hopeless)

    def ask(self, context: Context) -> None:
        """Ask once."""
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.place import look_up
        from multicluster.brackets.deletion import delete_pool

        place = look_up(context, self.bracket, cluster=self.cluster)
        state = "is being deleted" if delete_pool(find_cluster(place.cluster), place) else "is not there"
        self.log.info("Node pool %s on cluster %s %s (owner %s)", place.pool, place.cluster, state, place.owner)
