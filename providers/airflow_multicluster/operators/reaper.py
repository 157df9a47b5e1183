"""Reap what outlived its work, from a DAG: dags/reaper.py."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseOperator

from airflow_multicluster import stats
from airflow_multicluster.errors import airflow_errors
from airflow_multicluster.owner import deployment
from airflow_multicluster.run_states import RunStates
from multicluster.node_pools.lease import GRACE
from multicluster.reaper.plan import Act, Result
from multicluster.reaper.reaper import AT_ONCE, MOST, Reaper

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_multicluster.stray_pods import PodVerdict
    from multicluster import Cluster
    from multicluster.reaper.plan import Plan, Report

POD_GRACE = timedelta(minutes=5)


class ReapNodePoolsOperator(BaseOperator):
    """Delete node pools that outlived their lease or their run, and pods that outlived their task.

    Facts come from the clouds and clusters; Airflow is asked only whether a run or a task of this deployment has
    ended. The task fails when something is left that a person must look at, or a cluster could not be looked at; what
    is only busy, the next run does. Returns counts.

    :param clusters: names of clusters in the registry; all of them by default.
    :param grace: how long after its lease, and after its making, a pool is left alone.
    :param max_deletions: how many pools one run may delete.
    :param sweep_pods: whether to look for pods of tasks that have ended, too.
    :param pod_grace: how long a pod must be seen without its task before it is deleted.
    """

    template_fields: Sequence[str] = ("clusters",)

    def __init__(
        self,
        *,
        clusters: Sequence[str] = (),
        grace: timedelta = GRACE,
        max_deletions: int = MOST,
        sweep_pods: bool = True,
        pod_grace: timedelta = POD_GRACE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.clusters = clusters
        self.grace = grace
        self.max_deletions = max_deletions
        self.sweep_pods = sweep_pods
        self.pod_grace = pod_grace

    def execute(self, context: Context) -> dict[str, int]:
        """Look, judge, delete, tell."""
        from airflow_multicluster.registry import airflow_registry

        ti: Any = context["ti"]
        states = RunStates(ti, deployment=deployment())
        with airflow_errors():
            registry = airflow_registry()
            clusters = [registry[name] for name in self.clusters] or list(registry.values())
            reaper = Reaper(clusters, runs=states.of_lease, grace=self.grace, most=self.max_deletions)
            plan = reaper.plan()
        self._tell_plan(plan)
        report = reaper.carry_out(plan)
        self._tell_report(report)
        counts = _counts(report)
        stats.reaper_ran(report)
        stats.gpus_idle(clusters, plan, since_last=_since_last(context))
        deleted, troubles = self._sweep(clusters, states) if self.sweep_pods else (0, [])
        self._fail_for(report, troubles)
        return {**counts, "pods_deleted": deleted}

    def _tell_plan(self, plan: Plan) -> None:
        self.log.info(
            "Looked at %d clusters: %d pools, machines, schedules and nodes", len(plan.clusters), len(plan.steps)
        )
        for step in plan.steps:
            if step.act is not Act.LEAVE or step.pool is None or step.ours:
                self.log.info("%s %s %r on cluster %r: %s%s", step.act.value, step.kind.value, step.name, step.cluster,
                              step.reason, f" ({step.problem})" if step.problem else "")  # fmt: skip

    def _tell_report(self, report: Report) -> None:
        for one in report.outcomes:
            step = one.step
            self.log.info("%s: %s %s %r on cluster %r: %s", one.result.value, step.act.value, step.kind.value,
                          step.name, step.cluster, one.reason)  # fmt: skip
        for trouble in report.troubles:
            self.log.warning("Cluster %r: %s", trouble.cluster, trouble.text)

    def _sweep(self, clusters: Sequence[Cluster], states: RunStates) -> tuple[int, list[str]]:
        """Sweep each cluster; return how many pods were deleted, and what went wrong."""
        from airflow_multicluster.stray_pods import PodSweep

        deleted, troubles = 0, []
        sweeps = {cluster.name: PodSweep(cluster, states, grace=self.pod_grace) for cluster in clusters}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
            looks = {name: threads.submit(sweep.look) for name, sweep in sweeps.items()}
        for name, sweep in sweeps.items():
            try:
                verdicts = sweep.sweep(looks[name].result())
            except Exception as error:  # noqa: BLE001 - the other clusters are swept; each failure is reported
                troubles.append(f"cluster {name!r}: its pods were not swept: {type(error).__name__}: {error}")
                self.log.warning("%s", troubles[-1])
                continue
            for one in verdicts:
                deleted += one.fate == "delete"
                if one.fate != "leave":
                    self._tell_pod(name, one)
        return deleted, troubles

    def _tell_pod(self, cluster: str, verdict: PodVerdict) -> None:
        pod, task = verdict.pod, verdict.pod.task
        self.log.info(
            "%s pod %s/%s of task %r, run %r of DAG %r on cluster %r: %s",
            verdict.fate, pod.namespace, pod.name, task.task_id, task.run_id, task.dag_id, cluster, verdict.reason,
        )  # fmt: skip

    def _fail_for(self, report: Report, troubles: list[str]) -> None:
        left = [f"{step.kind.value} {step.name!r} on cluster {step.cluster!r}: {step.reason}"
                for step in report.plan.of(Act.REPORT)]  # fmt: skip
        failed = [f"{one.step.kind.value} {one.step.name!r} on cluster {one.step.cluster!r}: {one.reason}"
                  for one in report.of(Result.FAILED)]  # fmt: skip
        clusters = [f"cluster {one.cluster!r}: {one.text}" for one in report.troubles]
        if found := [*failed, *left, *clusters, *troubles]:
            raise AirflowException("a person must look: " + "; ".join(found))


def _counts(report: Report) -> dict[str, int]:
    return {
        "pools_alive": len(report.plan.ours) - len(report.deleted),
        "pools_deleted": len(report.deleted),
        "pools_left": len(report.of(Result.BUSY, Result.FAILED, Result.LIMITED)),
        "overstay_seconds": int(report.plan.overstay.total_seconds()),
    }


def _since_last(context: Context) -> timedelta | None:
    """Return how long ago the last run began that succeeded; None where there was none."""
    last = context.get("prev_start_date_success")
    return datetime.now(UTC) - last if last else None
