"""Brackets in both clouds, several at once, that wait in workers and in the triggerer."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

CLOUDS = {"eks": "gpu-use1", "gke": "gpu-euw4"}
TERM, LIFETIME = timedelta(seconds=60), timedelta(minutes=8)
QUICK = {
    "image": "busybox:1.37",
    "startup_check_interval_seconds": 1,
    "poll_interval": 1,
    "termination_grace_period": 1,
}
RETRIES = {"both_clouds": 2}
"""The others have none."""
TIMEOUTS = {"out_of_time": timedelta(seconds=45)}
"""Its work takes longer, and Airflow skips the teardowns of a run that times out: its pools are left to the dead-man
switch and the reaper."""
WORK_SECONDS, LONG_SECONDS = 12, 120


def bracket(cloud: str, *, deferrable: bool, seconds: int) -> None:
    """Rent a node for a pod."""
    mode = "deferred" if deferrable else "sync"
    with NodePoolTaskGroup(
        f"{cloud}_{mode}",
        cluster=CLOUDS[cloud],
        profile="l4",
        lease=TERM,
        max_lifetime=LIFETIME,
        poll_interval=2,
        deferrable=deferrable,
    ) as pool:
        work = ["sh", "-c", f"sleep {seconds}"]
        ClusterPodOperator(task_id="fit", node_pool=pool, cmds=work, deferrable=deferrable, **QUICK)


BRACKETS = {
    "both_clouds": [("eks", True), ("gke", False)],
    "out_of_time": [("eks", True), ("gke", False)],
    "two_on_eks": [("eks", True), ("eks", False)],
    "two_on_gke": [("gke", True), ("gke", False)],
}
for name, brackets in BRACKETS.items():
    defaults = {"retries": RETRIES.get(name, 0), "retry_delay": timedelta(seconds=1)}
    with DAG(name, schedule=None, default_args=defaults, dagrun_timeout=TIMEOUTS.get(name)) as dag:
        for cloud, deferrable in brackets:
            bracket(cloud, deferrable=deferrable, seconds=LONG_SECONDS if name in TIMEOUTS else WORK_SECONDS)
    globals()[name] = dag
