"""What is counted of node pools, through Airflow's own statistics (StatsD, OpenTelemetry, Datadog).

All names stand here. Plain StatsD drops tags: what is told by cluster has the cluster in its name as well.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

from multicluster.errors import MulticlusterError
from multicluster.node_pools.pool import NodePoolState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from multicluster import Cluster
    from multicluster.reaper.plan import Plan, Report

CREATED = "multicluster.pools.created"
"""Counter: create tasks that succeeded. One that is cleared and takes its pool again counts again."""
ALIVE = "multicluster.pools.alive"
"""Gauge, at each run of the reaper: pools with our lease that it found and did not delete."""
ALIVE_ON = "multicluster.pools.alive.{cluster}"
"""Gauge, the same for each cluster; one that could not be looked at keeps its last value."""
REAPED = "multicluster.pools.reaped"
"""Counter: pools that the reaper asked the cloud to delete."""
OVERSTAY = "multicluster.pools.overstay_seconds"
"""Gauge, at each run of the reaper: by how much the latest pool of ours is past its lease; 0 when none is."""
REAPED_OVERSTAY = "multicluster.pools.reaped_overstay"
"""Timing: for how long a reaped pool had outlived its lease."""
IDLE_GPUS = "multicluster.gpus.idle"
"""Gauge, at each run of the reaper: GPUs on ready nodes of our pools that no running pod has asked for."""
IDLE_SECONDS = "multicluster.gpus.idle_seconds"
"""Counter: those GPUs times the seconds since the reaper's last run. A sample: exact to one interval at each change."""
LONGEST_SAMPLE = timedelta(hours=1)
"""A longer pause of the reaper counts as this much: nobody looked."""
log = logging.getLogger(__name__)


def created(cluster: str) -> None:
    """Count a pool that a task asked for and got."""
    Stats.incr(CREATED, tags={"cluster": cluster})


def reaper_ran(report: Report) -> None:
    """Tell what a run of the reaper found, and what it deleted."""
    plan = report.plan
    alive = Counter(step.cluster for step in plan.ours)
    alive.subtract(step.cluster for step in report.deleted)
    Stats.gauge(ALIVE, alive.total())
    blind = {trouble.cluster for trouble in plan.troubles}
    for cluster in plan.clusters:
        if cluster not in blind:
            Stats.gauge(ALIVE_ON.format(cluster=cluster), alive[cluster], tags={"cluster": cluster})
    Stats.gauge(OVERSTAY, plan.overstay.total_seconds())
    for step in report.deleted:
        Stats.incr(REAPED, tags={"cluster": step.cluster})
        Stats.timing(REAPED_OVERSTAY, step.overstay(plan.made_at), tags={"cluster": step.cluster})


def gpus_idle(clusters: Iterable[Cluster], plan: Plan, *, since_last: timedelta | None) -> None:
    """Ask the clusters of *plan* with pools of ours for idle GPUs, and count; blocks, and raises nothing of ours.

    A cluster that does not answer is left out, and told. *since_last* is None at the first run: nothing is counted.
    """
    from multicluster.reaper.gpu_use import gpu_use_on

    active: dict[str, set[str]] = {}
    for step in plan.ours:
        if step.pool is not None and step.pool.state is NodePoolState.ACTIVE:
            active.setdefault(step.cluster, set()).add(step.pool.name)
    idle = 0
    for cluster in clusters:
        try:
            idle += gpu_use_on(cluster, active.get(cluster.name, set())).idle
        except MulticlusterError as error:
            log.warning("Idle GPUs of cluster %r are not counted: %s", cluster.name, error)
    Stats.gauge(IDLE_GPUS, idle)
    if idle and since_last is not None:
        Stats.incr(IDLE_SECONDS, round(idle * min(since_last, LONGEST_SAMPLE).total_seconds()))
