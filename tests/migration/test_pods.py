"""Stock pod operators become ClusterPodOperator, and nothing else of them changes."""

from __future__ import annotations

import pytest

from multicluster.registry.load import load_registry

HEAD = """
from datetime import datetime
from airflow.sdk import DAG
from airflow.providers.amazon.aws.operators.eks import EksPodOperator
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

with DAG("d", start_date=datetime(2026, 1, 1), schedule=None):
"""
RICH = """
    fit = {operator}(
        task_id="fit",
        {where}
        image="acme/train:1",
        cmds=["python", "train.py"],
        arguments=["--day", "{{{{ ds }}}}"],
        env_vars={{"EPOCHS": "3"}},
        labels={{"team": "ml"}},
        annotations={{"a": "b"}},
        container_resources=k8s.V1ResourceRequirements(limits={{"memory": "1Gi"}}, requests={{"cpu": "1"}}),
        tolerations=[k8s.V1Toleration(key="gpu", operator="Exists")],
        node_selector={{"disk": "ssd"}},
        volumes=[k8s.V1Volume(name="v", empty_dir=k8s.V1EmptyDirVolumeSource())],
        volume_mounts=[k8s.V1VolumeMount(name="v", mount_path="/v")],
        service_account_name="trainer",
        startup_timeout_seconds=600,
        on_finish_action="keep_pod",
        get_logs=False,
        deferrable=True,
        do_xcom_push=True,
        retries=3,
    )
"""
KEPT = """
image cmds arguments env_vars labels annotations container_resources tolerations node_selector volumes volume_mounts
service_account_name startup_timeout_seconds schedule_timeout_seconds on_finish_action get_logs deferrable do_xcom_push
retries namespace name task_id on_kill_action poll_interval random_name_suffix trigger_rule
""".split()  # noqa: SIM905 - a list of words, and not a page of quotes
EKS_MODULE = "airflow.providers.amazon.aws.operators.eks"
EKS = 'pod_name="fit", cluster_name="gpu", region="us-east-1", aws_conn_id="aws_ml",'
KUBECONFIG = 'name="fit", namespace="ml", config_file="/etc/kube/config", cluster_context="gpu", in_cluster=False,'


@pytest.mark.parametrize(("operator", "where"), [("EksPodOperator", EKS), ("KubernetesPodOperator", KUBECONFIG)])
def test_a_migrated_pod_keeps_every_parameter(migrated, dag, operator, where):
    room = migrated(HEAD + RICH.format(operator=operator, where=where))
    before, after = (dag(text).get_task("fit") for text in (room.before, room.after))

    assert room.by_hand == []
    assert type(after).__name__ == "ClusterPodOperator"
    assert after.cluster == "gpu"
    assert {name: getattr(after, name) for name in KEPT} == {name: getattr(before, name) for name in KEPT}


def test_the_registry_proposed_for_eks_is_accepted(migrated):
    room = migrated(HEAD + RICH.format(operator="EksPodOperator", where=EKS))
    registry = load_registry(room.proposal.document)

    options = registry["gpu"].document.auth.options
    assert (options.cluster_name, options.region, options.credentials.connection) == ("gpu", "us-east-1", "aws_ml")
    assert room.looks == []


def test_a_region_that_nobody_names_must_be_filled_in(migrated):
    from multicluster.errors import RegistryDocumentError

    room = migrated(HEAD + '    EksPodOperator(task_id="a", cluster_name="gpu", image="x")\n')

    assert 'cluster="gpu"' in room.after
    assert "names no region" in " ".join(room.looks)
    with pytest.raises(RegistryDocumentError, match="region"):
        load_registry(room.proposal.document)


def test_eks_namespace_default_is_written_out(migrated, dag):
    room = migrated(HEAD + '    EksPodOperator(task_id="a", cluster_name="gpu", region="us-east-1", image="x")\n')

    assert dag(room.after).get_task("a").namespace == "default"


GKE = """
from airflow.providers.google.cloud.operators import kubernetes_engine
from airflow.sdk import DAG

PROJECT = "acme"

with DAG("d", schedule=None):
    fit = kubernetes_engine.GKEStartPodOperator(
        task_id="fit", name="fit", project_id=f"{PROJECT}-ml", location="europe-west4", cluster_name="gpu",
        in_cluster=False, use_dns_endpoint=True, impersonation_chain="a@acme.iam", image="x", namespace="ml",
    )
"""


def test_gke_becomes_project_location_endpoint_and_credentials(migrated, dag):
    room = migrated(GKE)
    task = dag(room.after).get_task("fit")

    assert (task.cluster, task.image, task.namespace, task.name) == ("gpu", "x", "ml", "fit")
    assert room.clusters["gpu"]["auth"]["gke"] == {
        "projectId": "acme-ml",
        "location": "europe-west4",
        "clusterName": "gpu",
        "endpoint": "dns",
        "credentials": {"connection": "google_cloud_default", "impersonate": ["a@acme.iam"]},
    }
    assert load_registry(room.proposal.document)["gpu"].kind == "gke"


@pytest.mark.parametrize(
    ("where", "name", "auth"),
    [
        ('cluster_context="kind-a"', "kind-a", {"context": "kind-a"}),
        ('config_file="~/.kube/config"', "kube-config", {"path": "~/.kube/config", "useCurrentContext": True}),
        (
            'config_file="/f/prod.yaml", cluster_context="arn:aws:eks:us-east-1:111122223333:cluster/gpu"',
            "gpu",
            {"path": "/f/prod.yaml", "context": "arn:aws:eks:us-east-1:111122223333:cluster/gpu"},
        ),
        ('config_file="~"', "kubeconfig", {"path": "~", "useCurrentContext": True}),
        ("in_cluster=False", "current-context", {"useCurrentContext": True}),
        ('kubernetes_conn_id="gpu_cluster"', "gpu-cluster", {}),
    ],
)
def test_each_way_to_a_remote_cluster_becomes_a_kubeconfig_entry(migrated, where, name, auth):
    room = migrated(HEAD + f'    KubernetesPodOperator(task_id="a", image="x", {where})\n')

    assert f'cluster="{name}"' in room.after
    assert room.clusters[name]["auth"] == {"kubeconfig": auth}


@pytest.mark.parametrize("where", ["", "in_cluster=True", 'kubernetes_conn_id="kubernetes_default"'])
def test_a_pod_beside_airflow_stays_as_it_is(migrated, where):
    room = migrated(HEAD + f'    KubernetesPodOperator(task_id="a", image="x", {where})\n')

    assert (room.after, room.findings, room.clusters) == (room.before, (), {})


def test_the_same_name_in_two_regions_is_two_clusters(migrated):
    room = migrated(
        HEAD
        + """
    EksPodOperator(task_id="a", cluster_name="gpu", region="us-east-1", image="x")
    EksPodOperator(task_id="b", cluster_name="gpu", region="eu-west-1", image="x")
    EksPodOperator(task_id="c", cluster_name="gpu", region="us-east-1", image="x")
"""
    )

    assert sorted(room.clusters) == ["gpu", "gpu-eu-west-1"]
    assert room.after.count('cluster="gpu"') == 2


def test_a_mapped_pod_is_migrated_too(migrated, dag):
    room = migrated(
        HEAD
        + """
    EksPodOperator.partial(task_id="a", pod_name="p", cluster_name="gpu", region="us-east-1", image="x").expand(
        cmds=[["a"], ["b"]]
    )
"""
    )
    task = dag(room.after).get_task("a")

    assert room.by_hand == []
    assert task.partial_kwargs["cluster"] == "gpu"
    assert task.partial_kwargs["name"] == "p"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from airflow.providers.amazon.aws.operators.eks import EksPodOperator as Pod", "Pod"),
        ("import airflow.providers.amazon.aws.operators.eks as e", "e.EksPodOperator"),
        ("from airflow.providers.amazon.aws.operators import eks", "eks.EksPodOperator"),
        (f"import {EKS_MODULE}", f"{EKS_MODULE}.EksPodOperator"),
    ],
)  # fmt: skip
def test_the_operator_is_found_however_it_is_imported(migrated, line, name):
    room = migrated(f'{line}\n\n{name}(task_id="a", cluster_name="gpu", region="us-east-1", image="x")\n')

    assert 'ClusterPodOperator(task_id="a", cluster="gpu", namespace="default", image="x")' in room.after
    assert "amazon" not in room.after


@pytest.mark.parametrize(
    "text",
    [
        'with DAG("d", schedule=None, default_args={"namespace": "ml"}):\n    Pod(PLACE)',
        'C = {"namespace": "ml"}\nwith DAG("d", schedule=None):\n    Pod(PLACE, **C)',
        'with DAG("d", schedule=None):\n    Pod.partial(PLACE).expand(namespace=["ml"])',
    ],
)
def test_a_namespace_that_comes_from_elsewhere_stays(migrated, dag, text):
    head = f"from airflow.sdk import DAG\nfrom {EKS_MODULE} import EksPodOperator as Pod\n"
    room = migrated(head + text.replace("PLACE", 'task_id="a", cluster_name="gpu", region="us-east-1", image="x"'))

    assert room.by_hand == []
    assert 'default"' not in room.after
    assert dag(room.after).get_task("a").task_id == "a"


def test_an_import_that_is_still_used_stays(migrated):
    room = migrated(
        HEAD
        + """
    EksPodOperator(task_id="a", cluster_name="gpu", region="us-east-1", image="x")
    EksPodOperator(task_id="b", cluster_name="{{ params.cluster }}", region="us-east-1", image="x")
"""
    )

    assert "import EksPodOperator" in room.after
    assert len(room.by_hand) == 1


def test_comments_and_layout_stay(migrated):
    room = migrated(
        """
        from airflow.providers.amazon.aws.operators.eks import EksPodOperator

        # above
        a = EksPodOperator(
            # first
            task_id="a",  # the id
            # which one
            cluster_name="gpu",  # the big one
            image =  "x",   # pinned
            region="us-east-1",  # Virginia
            cmds=[ "a","b" ],
            # the end
        )  # behind
        """
    )

    assert room.after == (
        "from airflow_multicluster import ClusterPodOperator\n"
        "\n"
        "# above\n"
        "a = ClusterPodOperator(\n"
        "    # first\n"
        '    task_id="a",  # the id\n'
        "    # which one\n"
        '    cluster="gpu",  # the big one\n'
        '    namespace="default",\n'
        '    image =  "x",   # pinned\n'
        "    # Virginia\n"
        '    cmds=[ "a","b" ],\n'
        "    # the end\n"
        ")  # behind\n"
    )


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ('KubernetesPodOperator(task_id="a", cluster_context="c")', '(task_id="a", cluster="c")'),
        ('KubernetesPodOperator(cluster_context="c", task_id="a",)', '(cluster="c", task_id="a")'),
        ('KubernetesPodOperator(task_id="a", in_cluster=False, image="x", cluster_context="c", )',
         '(task_id="a", cluster="c", image="x")'),
        ('KubernetesPodOperator(\n        task_id="a", cluster_context="c"\n    )',
         '(\n        task_id="a", cluster="c"\n    )'),
        ('KubernetesPodOperator(task_id="a",\n          cluster_context="c",\n          image="x")',
         '(task_id="a",\n          cluster="c",\n          image="x")'),
    ],
)  # fmt: skip
def test_each_layout_of_arguments_is_kept(migrated, call, after):
    room = migrated(HEAD + f"    {call}\n")

    assert room.after.endswith(f"    ClusterPodOperator{after}\n")
