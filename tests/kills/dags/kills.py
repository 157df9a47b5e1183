"""Brackets in both clouds, several at once, that wait in workers and in the triggerer."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

CLOUDS = {"eks": "gpu-use1", "gke": "gpu-euw4"}
TERM, LIFETIME = timedelta(seconds=60), timedelta(minutes=8)
QUICK = {
    "image": "busybox:1.37",
    "cmds": ["sh", "-c", "sleep 12"],
    "startup_check_interval_seconds": 1,
    "poll_interval": 1,
    "termination_grace_period": 1,
}
RETRIES = {"both_clouds": 2}
"""The others have none: who is killed while he deletes leaves a pool to the dead-man switch and the reaper."""


def bracket(cloud: str, *, deferrable: bool) -> None:
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
        ClusterPodOperator(task_id="fit", node_pool=pool, deferrable=deferrable, **QUICK)


BRACKETS = {
    "both_clouds": [("eks", True), ("gke", False)],
    "two_on_eks": [("eks", True), ("eks", False)],
    "two_on_gke": [("gke", True), ("gke", False)],
}
for name, brackets in BRACKETS.items():
    defaults = {"retries": RETRIES.get(name, 0), "retry_delay": timedelta(seconds=1)}
    with DAG(name, schedule=None, default_args=defaults) as dag:
        for cloud, deferrable in brackets:
            bracket(cloud, deferrable=deferrable)
    globals()[name] = dag
