"""Argument before full pod spec before pod template before the cluster's profile; and what a pod is called."""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG
from kubernetes.client import models as k8s

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

EKS = {"eks": {"clusterName": "gpu", "region": "us-east-1"}}
PROFILE = {"namespace": "of-profile", "serviceAccountName": "of-profile", "imagePullSecrets": ["of-profile"]}
CLUSTERS = [
    {"name": "nam", "auth": EKS, "pods": PROFILE},
    {"name": "bare", "auth": EKS},
    {
        "name": "gpu",
        "auth": EKS,
        "nodePools": {
            "eks": {"nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node", "subnets": ["subnet-a", "subnet-b"]},
            "profiles": {"l4": {"instanceTypes": ["g6.xlarge"], "gpu": {"resource": "nvidia.com/gpu", "perNode": 1}}},
        },
    },
    {"name": "here", "auth": {"inCluster": {}}},
]
LEVELS = ("profile", "template", "full", "argument")


@pytest.fixture(autouse=True)
def registry(monkeypatch, tmp_path):
    path = tmp_path / "clusters.json"
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": CLUSTERS}
    path.write_text(json.dumps(document))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))


def parts(level, *, file):
    """What one level says about namespace, service account and pull secrets."""
    word = f"of-{level}"
    if level == "template":
        spec = {"containers": [], "serviceAccountName": word, "imagePullSecrets": [{"name": word}]}
        document = {"metadata": {"namespace": word}, "spec": spec}
        if file is None:
            return {"pod_template_dict": document}
        file.write_text(json.dumps(document))
        return {"pod_template_file": str(file)}
    secrets = [k8s.V1LocalObjectReference(name=word)]
    if level == "full":
        spec = k8s.V1PodSpec(containers=[], service_account_name=word, image_pull_secrets=secrets)
        return {"full_pod_spec": k8s.V1Pod(metadata=k8s.V1ObjectMeta(namespace=word), spec=spec)}
    return {"namespace": word, "service_account_name": word, "image_pull_secrets": secrets}


def build(**given):
    return ClusterPodOperator(task_id="fit", image="x", **given).build_pod_request_obj(dry_run=True)


@pytest.mark.parametrize("template", ["file", "dict"])
@pytest.mark.parametrize(
    "levels", [chosen for count in range(1, 5) for chosen in itertools.combinations(LEVELS, count)], ids="-".join
)
def test_the_highest_level_that_says_something_wins(levels, template, tmp_path):
    given = {"cluster": "nam" if "profile" in levels else "bare"}
    for level in levels:
        if level != "profile":
            given |= parts(level, file=tmp_path / "pod.yaml" if template == "file" else None)
    pod = build(**given)

    expected = f"of-{levels[-1]}"
    assert (pod.metadata.namespace, pod.spec.service_account_name) == (expected, expected)
    assert [one.name for one in pod.spec.image_pull_secrets] == [expected]


def test_the_namespace_is_default_where_nobody_says_one(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self: "serviceaccount" in str(self) or original(self))
    monkeypatch.setattr(Path, "read_text", lambda self, *a, **k: "airflow" if "serviceac" in str(self) else read(self))

    assert build(cluster="bare").metadata.namespace == "default"
    assert build(cluster="here").metadata.namespace == "airflow"


original, read = Path.exists, Path.read_text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "fit-"),
        ({"name": "trainer"}, "trainer-"),
        ({"pod_template_dict": {"metadata": {"name": "of-template"}, "spec": {"containers": []}}}, "of-template-"),
    ],
)
def test_a_pod_is_called_after_its_task_unless_somebody_says_a_name(given, expected):
    first, second = (build(cluster="bare", **given).metadata.name for _ in range(2))

    assert first.startswith(expected)
    assert first != second
    assert len(first) <= 63


def test_dry_run_prints_the_pod_and_reaches_nothing(capsys, monkeypatch):
    monkeypatch.setattr("multicluster.registry.cluster.Cluster.client", lambda self: pytest.fail("a client was made"))
    ClusterPodOperator(task_id="fit", image="busybox:1.37", cluster="nam", do_xcom_push=True).dry_run()

    printed = capsys.readouterr().out
    assert "namespace: of-profile" in printed
    assert "airflow-multicluster/cluster: nam" in printed
    assert "airflow-xcom-sidecar" in printed


@pytest.fixture
def offline(monkeypatch):
    """No client, no credentials, and no SDK to find some."""
    monkeypatch.setattr("multicluster.registry.cluster.Cluster.client", lambda self: pytest.fail("a client was made"))
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "GCE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(sys.modules, "boto3", None)


def test_dry_run_prints_the_pod_of_a_node_pool_and_needs_no_credentials(capsys, offline):
    pool = {"cluster": "gpu", "name": "mc-train-0", "profile": "l4"}
    ClusterPodOperator(task_id="fit", image="busybox:1.37", node_pool=pool).dry_run()

    printed = capsys.readouterr().out
    assert "airflow-multicluster/cluster: gpu" in printed
    assert "eks.amazonaws.com/nodegroup: mc-train-0" in printed
    assert "nvidia.com/gpu: 1" in printed.replace("'", "")


def test_dry_run_prints_the_pod_of_a_node_pool_that_is_yet_to_be_made(capsys, offline):
    with DAG("dry", schedule=None), NodePoolTaskGroup("train", cluster="gpu", profile="l4") as pool:
        fit = ClusterPodOperator(task_id="fit", image="busybox:1.37", node_pool=pool)
    fit.dry_run()

    printed = capsys.readouterr().out
    assert "airflow-multicluster/cluster: gpu" in printed
    assert "eks.amazonaws.com/nodegroup: mc-train-of-this-run" in printed
    assert fit.node_pool == pool.output
