"""Airflow's own PodManager, which KubernetesPodOperator works with, on our client in trouble."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import generic_api_retry
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager
from kubernetes.client import V1Pod, V1PodSpec
from kubernetes.client.models import V1Container, V1ObjectMeta

from multicluster.errors import ClusterUnreachableError, CredentialError


@pytest.fixture
def core_api(world, enter, clusters, core):
    world.add_eks("gpu")
    enter()
    return core(clusters.eks())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    for method in (PodManager.create_pod, PodManager.read_pod, PodManager.read_pod_logs):
        if hasattr(method, "retry"):
            monkeypatch.setattr(method.retry, "wait", lambda _: 0)


@pytest.fixture
def manager(core_api):
    return PodManager(kube_client=core_api)


def pod(*command):
    container = V1Container(name="base", image="busybox", command=list(command))
    return V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=V1ObjectMeta(name="p", namespace="default"),
        spec=V1PodSpec(containers=[container], restart_policy="Never"),
    )


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("unauthorized", {}),
        ("tokens-expire", {}),
        ("api-server-error", {"operation": "get pods", "times": 1}),
        ("certificate-rotates", {}),
    ],
)
def test_a_pod_is_created_read_and_logged_through_trouble(world, manager, core_api, fault, options):
    core_api.list_namespace()
    world.inject(fault, **options)
    made = manager.create_pod(pod("echo", "hello"))
    world.inject(fault, **options)
    world.wait(lambda: manager.read_pod(made).status.phase == "Succeeded")
    world.inject(fault, **options)

    logs = manager.read_pod_logs(made, container_name="base")

    assert b"".join(logs).strip() == b"hello"


def test_an_unreachable_cluster_is_retried_and_a_refused_identity_is_not(world, core_api, monkeypatch):
    tries = []

    @generic_api_retry
    def read():
        tries.append(1)
        core_api.list_namespace()

    monkeypatch.setattr(read.retry, "wait", lambda _: 0)
    for cluster in world.entrances.values():
        cluster.cloud.everyone_is_admin = False
    with pytest.raises(CredentialError):
        read()
    refused = len(tries)
    tries.clear()
    world.stop()
    with pytest.raises(ClusterUnreachableError):
        read()

    assert (refused, len(tries) > 1) == (1, True)
