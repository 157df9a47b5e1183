"""Plan what is to be deleted on all clusters, and carry it out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock, system_clock
from multicluster.node_pools.lease import GRACE
from multicluster.node_pools.pool import NodePoolState
from multicluster.node_pools.reaping import refuse_short
from multicluster.reaper.deed import Deeds
from multicluster.reaper.judge import Runs, not_asked, steps
from multicluster.reaper.look import look
from multicluster.reaper.nodes import PoolNodes, pool_nodes
from multicluster.reaper.plan import Act, Outcome, Plan, Report, Result, Step

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

MOST = 10
"""Deletions of one run, unless told otherwise: what goes wrong at scale should be seen before it is done."""
AT_ONCE = 8
ORDER = (Act.DELETE, Act.RELEASE, Act.REPORT, Act.LEAVE)
log = logging.getLogger(__name__)


class Reaper:
    """Finds pools that outlived their work on *clusters*, and deletes at most *most* of them in one run.

    *runs* says whether a lease's run is alive, in the caller's thread; without it leases alone decide. Raises
    NodePoolRefusedError for a *grace* in which a late renewal and the reaper could meet. Nothing waits: what a cloud
    will not do yet, the next run does.
    """

    def __init__(
        self,
        clusters: Iterable[Cluster],
        *,
        runs: Runs = not_asked,
        grace: timedelta = GRACE,
        most: int = MOST,
        at_once: int = AT_ONCE,
        nodes_of: PoolNodes = pool_nodes,
        clock: Clock = system_clock,
    ) -> None:
        refuse_short(grace)
        self._clusters = {cluster.name: cluster for cluster in clusters}
        self._runs, self._grace, self._most, self._at_once = runs, grace, most, at_once
        self._nodes_of, self._clock = nodes_of, clock

    def plan(self) -> Plan:
        """Look at every cluster, some at once, and judge; changes nothing.

        The longest overstay comes first, and pools that failed come last: those that can never be deleted must not use
        up what a run may delete.
        """
        clusters = list(self._clusters.values())
        if self._at_once > 1 and len(clusters) > 1:
            with ThreadPoolExecutor(max_workers=min(self._at_once, len(clusters))) as threads:
                sightings = list(threads.map(lambda cluster: look(cluster, self._nodes_of), clusters))
        else:
            sightings = [look(cluster, self._nodes_of) for cluster in clusters]
        now = self._clock()
        found = [step for one in sightings for step in steps(one, now=now, grace=self._grace, runs=self._runs)]
        found.sort(
            key=lambda step: (ORDER.index(step.act), _failed(step), -step.overstay(now), step.cluster, step.name)
        )
        troubles = tuple(trouble for one in sightings for trouble in one.troubles)
        return Plan(made_at=now, clusters=tuple(self._clusters), steps=tuple(found), troubles=troubles)

    def carry_out(self, plan: Plan) -> Report:
        """Do what *plan* says where it still holds: each thing is read again and judged again before it is touched."""
        deeds = Deeds(self._clusters, runs=self._runs, grace=self._grace, clock=self._clock)
        outcomes: list[Outcome] = []
        deleted = 0
        for step in plan.of(Act.DELETE, Act.RELEASE):
            limited = step.act is Act.DELETE and deleted >= self._most
            outcome = self._limited(step) if limited else deeds.do(step)
            deleted += step.act is Act.DELETE and outcome.result is Result.DONE
            outcomes.append(outcome)
            log.info(
                "%s %s %r on cluster %r: %s",
                outcome.result.value,
                step.kind.value,
                step.name,
                step.cluster,
                outcome.reason,
            )
        return Report(plan=plan, outcomes=tuple(outcomes), troubles=(*plan.troubles, *deeds.troubles))

    def _limited(self, step: Step) -> Outcome:
        reason = f"at most {self._most} deletions a run; the next run goes on ({step.reason})"
        return Outcome(step=step, result=Result.LIMITED, reason=reason)


def _failed(step: Step) -> bool:
    return step.pool is not None and step.pool.state is NodePoolState.FAILED
