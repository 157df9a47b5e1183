"""What cannot be translated stays as it is, and is named with its line and what to do."""

from __future__ import annotations

import pytest

HEAD = """\
import os
from airflow.sdk import DAG, task
from airflow.providers.amazon.aws.operators.eks import EksPodOperator
from airflow.providers.cncf.kubernetes.operators.job import KubernetesJobOperator
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
"""
EKS = 'task_id="a", image="x", region="us-east-1"'
NAMED = {
    "a template": (f'EksPodOperator({EKS}, cluster_name="{{{{ params.c }}}}")', "is a template"),
    "an environment variable": (
        f'EksPodOperator({EKS}, cluster_name=os.environ["C"])', "not known before the file runs"),
    "hidden arguments": (f"EksPodOperator({EKS}, **more())", "**more() may hold"),
    "a shared dict with the place": (
        f'C = {{"cluster_name": "c"}}\nEksPodOperator({EKS}, **C)', "**C holds cluster_name"),
    "no cluster": (f"EksPodOperator({EKS})", "no cluster_name"),
    "an unknown argument": (f'EksPodOperator({EKS}, cluster_name="c", imagee="x")', "imagee is no argument"),
    "arguments without a name": ('EksPodOperator("c", task_id="a")', "without a name"),
    "a mapped cluster": (
        'EksPodOperator.partial(task_id="a", cluster_name="c").expand(region=["a", "b"])', "mapped by expand"),
    "a contradiction": (f'EksPodOperator({EKS}, cluster_name="c", in_cluster=True)', "contradicts"),
    "a subclass": ("class Mine(EksPodOperator): ...", "subclass of EksPodOperator"),
    "a mention": ("factory(EksPodOperator)", "another way than by a call"),
    "a subclass of a job": ("class Mine(KubernetesJobOperator): ...", "derive it from ClusterJobOperator"),
    "a remote job": (
        'KubernetesJobOperator(task_id="a", cluster_context="c")',
        "KubernetesJobOperator: it says cluster_context; only pod operators are rewritten: write ClusterJobOperator"),
    "a remote decorator": (
        '@task.kubernetes(image="x", config_file="/f")\ndef a(): ...', "write @task.cluster_pod with cluster= instead"),
    "a remote command": (
        '@task.kubernetes_cmd(image="x", in_cluster=False)\ndef a(): ...',
        "write @task.cluster_pod_cmd with cluster= instead"),
    "a star": ("from airflow.providers.amazon.aws.operators.eks import *", "import by name"),
    "our name for something else": (
        f'ClusterPodOperator = 1\nEksPodOperator({EKS}, cluster_name="c")', "means something else"),
    "a name bound twice": (f'C = "a"\nC = "b"\nEksPodOperator({EKS}, cluster_name=C)', "cluster_name: C is not known"),
    "default_args": (
        f'DAG("d", default_args={{"region": "r", "cluster_name": "c"}})\nEksPodOperator({EKS})',
        "may come from default_args"),
    "no Python": ("EksPodOperator(", "cannot be parsed"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), NAMED.values(), ids=NAMED)
def test_it_stays_and_is_named(migrated, text, why):
    room = migrated(HEAD + text + "\n")

    assert room.after == room.before
    assert any(why in one for one in room.by_hand), room.by_hand
    assert all(one.startswith("dag.py:") and "; " in one for one in room.by_hand)


def test_the_line_is_the_line_of_the_call(migrated):
    room = migrated(HEAD + "\n\nEksPodOperator(\n    task_id='a',\n)\n")

    assert [finding.line for finding in room.findings] == [8]


def test_default_args_that_the_new_operator_would_refuse_are_named_twice(migrated):
    text = 'A = {"in_cluster": False}\nDAG("d", default_args=A)\nKubernetesPodOperator(task_id="a", in_cluster=False)\n'
    room = migrated(HEAD + text)

    assert room.after == room.before
    assert [finding.line for finding in room.findings] == [6, 8]


def test_default_args_that_keep_pods_inside_are_nothing_to_name(migrated):
    room = migrated(HEAD + 'DAG("d", default_args={"in_cluster": True})\nKubernetesPodOperator(task_id="a")\n')

    assert (room.after, room.findings) == (room.before, ())


def test_a_shared_dict_without_the_place_is_no_obstacle(migrated):
    room = migrated(HEAD + f'C = {{"retries": f()}}\nEksPodOperator({EKS}, cluster_name="c", **C)\n')

    assert room.by_hand == []
    assert 'cluster="c", namespace="default", **C)' in room.after


def test_a_stock_decorator_without_a_place_is_only_shown(migrated):
    room = migrated(HEAD + '@task.kubernetes(image="x")\ndef a(): ...\n')

    assert (room.after, room.by_hand, len(room.looks)) == (room.before, [], 1)


def test_a_file_that_has_nothing_to_do_with_it_is_not_even_parsed(migrated):
    room = migrated("def broken(:\n")

    assert (room.after, room.findings) == (room.before, ())
