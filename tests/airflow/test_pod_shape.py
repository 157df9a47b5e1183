"""What registry and node pool bring to a pod, and what they leave alone."""

from __future__ import annotations

import json

import pytest
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

from airflow_multicluster import ClusterPodOperator
from airflow_multicluster.operators.reattach import deployment_labels
from airflow_multicluster.operators.rendered import take_timeouts
from airflow_multicluster.pod_shape import CLUSTER_LABEL, UNDISTURBED

POOL = {"cluster": "nam", "name": "mc-train-0", "profile": "l4"}
GPU = "nvidia.com/gpu"
PROFILE = {
    "namespace": "ml",
    "serviceAccountName": "trainer",
    "imagePullSecrets": ["registry-key"],
    "startupTimeoutSeconds": 777,
}
EKS = {"clusterName": "gpu", "region": "us-east-1"}
L4 = {"instanceTypes": ["g6.xlarge"], "gpu": {"perNode": 4}}
OWN_TAINT = {"instanceTypes": ["g6.xlarge"], "taints": [{"key": "team", "value": "ml"}]}


SHAPED = (*KubernetesPodOperator.template_fields, "tolerations", "full_pod_spec", "service_account_name")


def cluster(name, pods=None):
    pools = {
        "eks": {"nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node", "subnets": ["subnet-a"]},
        "profiles": {"l4": L4, "cpu": OWN_TAINT},
    }
    return {"name": name, "auth": {"eks": EKS}, "nodePools": pools, "pods": pods or {}}


@pytest.fixture(autouse=True)
def registry(monkeypatch, tmp_path):
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps({**document, "clusters": [cluster("nam", PROFILE), cluster("bare")]}))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "not-used")


def build(**given):
    operator = ClusterPodOperator(**{"task_id": "fit", "image": "x", "name": "fit", **given})
    return operator.build_pod_request_obj(dry_run=True)


def template(**spec):
    containers = spec.pop("containers", [{"name": "base"}])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": containers, **spec}}


def names(references):
    return [reference.name for reference in references]


def test_the_profile_fills_what_nobody_says():
    pod = build(cluster="nam")

    assert (pod.metadata.namespace, pod.spec.service_account_name) == ("ml", "trainer")
    assert names(pod.spec.image_pull_secrets) == ["registry-key"]
    assert pod.metadata.labels[CLUSTER_LABEL] == "nam"


def test_the_task_wins_over_the_profile():
    own = [k8s.V1LocalObjectReference(name="own")]
    pod = build(cluster="nam", namespace="own", service_account_name="own", image_pull_secrets=own)

    assert (pod.metadata.namespace, pod.spec.service_account_name) == ("own", "own")
    assert names(pod.spec.image_pull_secrets) == ["own"]


def test_a_template_wins_over_the_profile():
    written = template(serviceAccountName="of-template", imagePullSecrets=[{"name": "of-template"}])
    written["metadata"]["namespace"] = "of-template"
    pod = build(cluster="nam", pod_template_dict=written)

    assert (pod.metadata.namespace, pod.spec.service_account_name) == ("of-template", "of-template")
    assert names(pod.spec.image_pull_secrets) == ["of-template"]


def test_a_full_pod_spec_wins_over_the_profile():
    spec = k8s.V1Pod(
        metadata=k8s.V1ObjectMeta(namespace="full"),
        spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base")], service_account_name="full"),
    )
    pod = build(cluster="nam", full_pod_spec=spec)

    assert (pod.metadata.namespace, pod.spec.service_account_name) == ("full", "full")


def test_without_a_profile_the_pod_is_the_stock_operators_but_for_the_label():
    given = {"task_id": "fit", "image": "x", "name": "fit", "namespace": "n", "random_name_suffix": False}
    stock = KubernetesPodOperator(**given).build_pod_request_obj(dry_run=True)
    ours = ClusterPodOperator(**given, cluster="bare").build_pod_request_obj(dry_run=True)

    ownership = {label: ours.metadata.labels.pop(label) for label in (CLUSTER_LABEL, *deployment_labels())}
    assert ownership == {CLUSTER_LABEL: "bare", **deployment_labels()}
    assert ours.to_dict() == stock.to_dict()


@pytest.mark.parametrize("given", [{}, {"labels": {"a": "b"}, "tolerations": [k8s.V1Toleration(key="own")]}])
def test_building_twice_gives_the_same_and_changes_nothing(given):
    fit = ClusterPodOperator(task_id="fit", image="x", name="fit", random_name_suffix=False, node_pool=POOL, **given)
    before = {name: repr(getattr(fit, name)) for name in SHAPED}
    once = fit.build_pod_request_obj(dry_run=True)
    again = fit.build_pod_request_obj(dry_run=True)

    assert once.to_dict() == again.to_dict()
    assert {name: repr(getattr(fit, name)) for name in SHAPED} == before


def test_the_pool_brings_selector_toleration_gpu_and_peace():
    pod = build(node_pool=POOL)

    assert pod.spec.node_selector == {"eks.amazonaws.com/nodegroup": "mc-train-0"}
    assert [(one.key, one.value, one.effect) for one in pod.spec.tolerations] == [(GPU, "present", "NoSchedule")]
    assert pod.spec.containers[0].resources.limits == {GPU: "1"}
    assert UNDISTURBED.items() <= pod.metadata.annotations.items()


def test_a_pool_without_gpus_brings_its_own_taints_and_no_gpu():
    pod = build(node_pool={**POOL, "profile": "cpu"})

    assert [one.key for one in pod.spec.tolerations] == ["team"]
    assert not (pod.spec.containers[0].resources and pod.spec.containers[0].resources.limits)


@pytest.mark.parametrize("part", ["limits", "requests"])
def test_as_many_gpus_are_the_limit_as_the_task_asks_for(part):
    wanted = k8s.V1ResourceRequirements(**{part: {GPU: "4"}})
    pod = build(node_pool=POOL, container_resources=wanted)

    assert getattr(pod.spec.containers[0].resources, part) == {GPU: "4"}
    assert pod.spec.containers[0].resources.limits == {GPU: "4"}


def test_gpus_that_the_template_asks_for_are_left_alone():
    containers = [{"name": "base", "resources": {"limits": {GPU: "2", "memory": "1Gi"}}}]
    pod = build(node_pool=POOL, pod_template_dict=template(containers=containers))

    assert pod.spec.containers[0].resources.limits == {GPU: "2", "memory": "1Gi"}


def test_other_resources_stay_beside_the_gpu():
    wanted = k8s.V1ResourceRequirements(requests={"memory": "8Gi"}, limits={"cpu": "2"})
    pod = build(node_pool=POOL, container_resources=wanted)

    assert pod.spec.containers[0].resources.limits == {"cpu": "2", GPU: "1"}
    assert pod.spec.containers[0].resources.requests == {"memory": "8Gi"}
    assert wanted.limits == {"cpu": "2"}


def test_the_tasks_selector_and_tolerations_stay_beside_the_pools():
    pod = build(node_pool=POOL, node_selector={"zone": "a"}, tolerations=[k8s.V1Toleration(key="own")])

    assert pod.spec.node_selector == {"zone": "a", "eks.amazonaws.com/nodegroup": "mc-train-0"}
    assert [one.key for one in pod.spec.tolerations] == ["own", GPU]


def test_the_templates_selector_and_tolerations_stay_beside_the_pools():
    written = template(nodeSelector={"zone": "a"}, tolerations=[{"key": "own", "operator": "Exists"}])
    pod = build(node_pool=POOL, pod_template_dict=written)

    assert pod.spec.node_selector == {"zone": "a", "eks.amazonaws.com/nodegroup": "mc-train-0"}
    assert [one.key for one in pod.spec.tolerations] == ["own", GPU]


def test_annotations_of_the_task_win():
    pod = build(node_pool=POOL, annotations={"karpenter.sh/do-not-disrupt": "false"})

    assert pod.metadata.annotations["karpenter.sh/do-not-disrupt"] == "false"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cluster": "nam"}, (777, 777)),
        ({"cluster": "bare"}, (120, 120)),
        ({"node_pool": {**POOL, "cluster": "bare"}}, (900, 900)),
        ({"node_pool": POOL}, (777, 777)),
        ({"cluster": "nam", "startup_timeout_seconds": 5}, (5, 5)),
        ({"cluster": "nam", "schedule_timeout_seconds": 5}, (777, 5)),
        ({"cluster": "nam", "startup_timeout_seconds": 6, "schedule_timeout_seconds": 5}, (6, 5)),
    ],
)
def test_pain_13_startup_timeouts_come_from_the_task_then_the_registry_then_the_gpu(given, expected):
    fit = ClusterPodOperator(task_id="fit", image="x", **given)
    take_timeouts(fit)

    assert (fit.startup_timeout_seconds, fit.schedule_timeout_seconds) == expected
