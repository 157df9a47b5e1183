"""Work that lasts longer than its node pool's lease, and work whose node pool is lost before it begins."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, task

from airflow_multicluster import ClusterJobOperator, ClusterPodOperator, NodePoolTaskGroup, airflow_registry

CLUSTER = "{{ dag_run.conf.get('cluster', 'gpu-use1') }}"
PATIENT = {"ready_timeout": 90, "gone_timeout": 90}
LONGER_THAN_THE_LEASE = ["sh", "-c", "sleep 7"]


def bracket(*, deferrable=True, **more):
    return NodePoolTaskGroup("train", cluster=CLUSTER, profile="l4", deferrable=deferrable, **PATIENT, **more)


def node_pools(names):
    return airflow_registry()[names["cluster"]].node_pools()


@task
def expiry(names):
    """Return when the lease of the pool ends by now, in epoch seconds."""
    return node_pools(names).get(names["name"]).lease.expires_at.timestamp()


@task
def lose(names):
    """Delete the pool, as a person might."""
    node_pools(names).delete(names["name"])


def fit(kind, pool, **more):
    return kind(task_id="fit", node_pool=pool, image="busybox:1.37", **more)


with DAG("leased", schedule=None), bracket(lease=timedelta(seconds=4)) as pool:
    work = fit(ClusterPodOperator, pool, cmds=LONGER_THAN_THE_LEASE, deferrable=True)
    expiry.override(task_id="before")(pool.output) >> work >> expiry.override(task_id="after")(pool.output)

with DAG("leased_sync", schedule=None), bracket(lease=timedelta(seconds=4), deferrable=False) as pool:
    work = fit(ClusterPodOperator, pool, cmds=LONGER_THAN_THE_LEASE)
    expiry.override(task_id="before")(pool.output) >> work >> expiry.override(task_id="after")(pool.output)

with DAG("leased_job", schedule=None), bracket(lease=timedelta(seconds=4)) as pool:
    work = fit(ClusterJobOperator, pool, cmds=LONGER_THAN_THE_LEASE, wait_until_job_complete=True, deferrable=True)
    expiry.override(task_id="before")(pool.output) >> work >> expiry.override(task_id="after")(pool.output)

with DAG("leased_job_sync", schedule=None), bracket(lease=timedelta(seconds=4), deferrable=False) as pool:
    work = fit(ClusterJobOperator, pool, cmds=LONGER_THAN_THE_LEASE, wait_until_job_complete=True)
    expiry.override(task_id="before")(pool.output) >> work >> expiry.override(task_id="after")(pool.output)

with DAG("pool_lost_fail", schedule=None), bracket() as pool:
    lose(pool.output) >> fit(ClusterPodOperator, pool, cmds=["echo", "trained"], deferrable=True)

with DAG("pool_lost_recreate", schedule=None), bracket() as pool:
    again = fit(ClusterPodOperator, pool, cmds=["echo", "trained"], deferrable=True, on_pool_lost="recreate")
    lose(pool.output) >> again

with DAG("pool_lost_recreate_sync", schedule=None), bracket(deferrable=False) as pool:
    again = fit(ClusterPodOperator, pool, cmds=["echo", "trained"], on_pool_lost="recreate")
    lose(pool.output) >> again

with DAG("job_pool_lost_recreate", schedule=None), bracket() as pool:
    again = fit(
        ClusterJobOperator,
        pool,
        cmds=["echo", "trained"],
        on_pool_lost="recreate",
        wait_until_job_complete=True,
        deferrable=True,
    )
    lose(pool.output) >> again
