"""Delete a pool, or release a schedule, where what was planned still holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock
from multicluster.errors import MulticlusterError, NodePoolNotFoundError
from multicluster.node_pools.reaping import Fate
from multicluster.reaper.judge import Runs, verdict, young
from multicluster.reaper.look import said
from multicluster.reaper.plan import Act, Outcome, Result, Step, Trouble

if TYPE_CHECKING:
    from multicluster.node_pools.protocol import NodePools
    from multicluster.registry.cluster import Cluster


class Deeds:
    """Does steps one by one. A cluster that is not the one that the registry pins is left alone from then on."""

    def __init__(self, clusters: Mapping[str, Cluster], *, runs: Runs, grace: timedelta, clock: Clock) -> None:
        self._clusters = clusters
        self._runs, self._grace, self._clock = runs, grace, clock
        self._checked: dict[str, str] = {}
        self.troubles: list[Trouble] = []

    def do(self, step: Step) -> Outcome:
        """Do *step*; never raises, so that one failure keeps nothing else alive."""
        refused = self._refused(step.cluster)
        if refused:
            return Outcome(step=step, result=Result.FAILED, reason=refused)
        try:
            pools = self._clusters[step.cluster].node_pools()
            return self._delete(step, pools) if step.act is Act.DELETE else self._release(step, pools)
        except Exception as error:  # noqa: BLE001 - the run goes on; each failure is reported
            passing = isinstance(error, MulticlusterError) and error.transient
            return Outcome(step=step, result=Result.BUSY if passing else Result.FAILED, reason=said(error))

    def _refused(self, name: str) -> str:
        """Say why nothing may be done on a cluster; empty when its pins hold. Asked once for each cluster and run."""
        if name not in self._checked:
            self._checked[name] = ""
            try:
                self._clusters[name].check_identity()
            except Exception as error:  # noqa: BLE001 - as above
                self._checked[name] = f"nothing is deleted there: {said(error)}"
                self.troubles.append(Trouble(cluster=name, text=self._checked[name]))
        return self._checked[name]

    def _delete(self, step: Step, pools: NodePools) -> Outcome:
        try:
            pool = pools.get(step.name)
            judged = verdict(pool, now=self._clock(), grace=self._grace, runs=self._runs)
            if judged.fate is not Fate.DELETE:
                return Outcome(step=step, result=Result.LEFT, reason=f"looked at again: {judged.reason}")
            pools.delete(step.name)
        except NodePoolNotFoundError:
            return Outcome(step=step, result=Result.LEFT, reason="it is gone already")
        return Outcome(step=step, result=Result.DONE, reason=judged.reason)

    def _release(self, step: Step, pools: NodePools) -> Outcome:
        """Release a schedule only while there is still no pool, and nobody armed it anew since it was seen."""
        left = [
            one for one in pools.leftovers() if step.leftover and (one.kind, one.id) == (step.leftover.kind, step.name)
        ]
        if not left or young(left[0], now=self._clock(), grace=self._grace):
            return Outcome(step=step, result=Result.LEFT, reason="looked at again: it is gone, or in use again")
        pools.release(left[0].pool)
        return Outcome(step=step, result=Result.DONE, reason=step.reason)
