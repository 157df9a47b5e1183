"""Be sure, before a pod is made, that its node pool is there for this run; where it is lost, do what the task says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicluster.patience import patiently

if TYPE_CHECKING:
    from airflow_multicluster.operators.pooled_pod import PooledPodOperator

RECREATE_SECONDS = 3600.0
"""How long a pool is asked for again: one that is just being deleted must be gone first, which takes minutes."""
MOST_DELAY = 15.0


def be_sure_of_pool(
    operator: PooledPodOperator,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Look whether the pool is there and leased to its bracket; blocks, for a pool that is made again for long.

    What cannot be found out now keeps no pod from being made. Raises AirflowFailException for a pool that is lost and
    not to be made again, and MulticlusterError where that cannot be done.
    """
    from airflow_multicluster.lease_keeping import process_keeper

    wish = operator.wish
    if wish is None:
        return
    cluster = operator.registered.cluster
    kept = process_keeper().look(wish.place, lambda _: cluster, fresh=True)
    if kept.lost:  # a cloud may not know for a moment what it has: what ends a task is looked at twice
        sleep(MOST_DELAY)
        kept = process_keeper().look(wish.place, lambda _: cluster, fresh=True)
    if not kept.lost:
        return
    if operator.on_pool_lost == "fail":
        raise AirflowFailException(
            f"task {operator.task_id!r} has no nodes to run on: {kept.text}. To have the pool made again, clear the "
            f"bracket {wish.origin.group_id!r} from its create_node_pool, or give this task on_pool_lost='recreate'"
        )
    operator.log.warning("%s; asking for it again (on_pool_lost='recreate')", kept.text)
    pool = patiently(
        lambda: wish.ask(cluster),
        log=operator.log,
        what=f"Node pool {wish.name} on cluster {wish.cluster} cannot be made again yet",
        seconds=RECREATE_SECONDS,
        most_delay=MOST_DELAY,
        over=lambda: operator._killed,  # noqa: SLF001
        clock=clock,
        sleep=sleep,
    )
    process_keeper().forget(wish.place)
    operator.log.info(
        "Node pool %s on cluster %s is %s again (owner %s); the pod waits for its nodes, "
        "as long as startup_timeout_seconds says",
        pool.name, wish.cluster, pool.status, wish.origin.owner,
    )  # fmt: skip
