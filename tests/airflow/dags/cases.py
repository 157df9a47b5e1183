"""The bracket in all its shapes, quick enough for tests."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, TaskGroup, task_group

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

PATIENT = {"ready_timeout": 90, "gone_timeout": 90}
"""Seconds; simulated machines need less than one, a real kubelet on a busy machine half a minute."""
CLUSTER = "{{ dag_run.conf.get('cluster', 'gpu-use1') }}"


def bracket(group_id="train", **more):
    return NodePoolTaskGroup(group_id, **{"cluster": CLUSTER, "profile": "l4", **PATIENT, **more})


def pod(task_id, pool, command="echo trained", **more):
    return ClusterPodOperator(
        task_id=task_id,
        node_pool=pool,
        image="busybox:1.37",
        cmds=["sh", "-c", command],
        **more,
    )


with DAG("work", schedule=None) as work, bracket() as pool:
    pod("fit", pool, "{{ dag_run.conf.get('command', 'echo trained') }}", deferrable=True)

with DAG("sync", schedule=None) as sync, bracket(deferrable=False) as pool:
    pod("fit", pool, "{{ dag_run.conf.get('command', 'echo trained') }}")

with DAG("impatient", schedule=None) as impatient, bracket(ready_timeout=0.5) as pool:
    pod("fit", pool)

with DAG("impatient_sync", schedule=None) as impatient_sync, bracket(ready_timeout=0.5, deferrable=False) as pool:
    pod("fit", pool)

with DAG("endless", schedule=None) as endless, bracket() as pool:
    pod("fit", pool, "sleep 600", deferrable=True, execution_timeout=timedelta(seconds=3), termination_grace_period=0)

with DAG("nested", schedule=None) as nested:
    with TaskGroup("outer"), bracket("a") as pool:
        pod("fit", pool) >> pod("score", pool)
    with bracket("b", nodes=2) as pool:
        pod("fit", pool)
    nested.get_task("outer.a.score") >> nested.get_task("b.create_node_pool")


@task_group
def train(cluster):
    with bracket("gpu", cluster=cluster) as pool:
        pod("fit", pool, deferrable=True)


with DAG("mapped", schedule=None) as mapped:
    train.expand(cluster=["gpu-use1", "gpu-use2", "gpu-euw4"])

with DAG("mapped_pods", schedule=None) as mapped_pods, bracket(nodes=2) as pool:
    ClusterPodOperator.partial(task_id="fit", node_pool=pool, image="busybox:1.37").expand(
        cmds=[["echo", "one"], ["echo", "two"]]
    )

with DAG("pods_on_clusters", schedule=None) as pods_on_clusters:
    ClusterPodOperator.partial(task_id="hello", image="busybox:1.37", cmds=["echo", "hello"], deferrable=True).expand(
        cluster=["gpu-use1", "gpu-euw4", "here"]
    )

with DAG("inside", schedule=None) as inside, bracket("outer") as outer_pool:
    pod("first", outer_pool)
    with bracket("inner", cluster="gpu-euw4") as inner_pool:
        pod("second", inner_pool)
