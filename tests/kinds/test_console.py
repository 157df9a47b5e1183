"""The page of a node pool in its cloud's console."""

from __future__ import annotations

import pytest

from multicluster import load_registry


def cluster(**auth):
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
    return load_registry({**document, "clusters": [{"name": "gpu", "auth": auth}]})["gpu"]


def eks(region):
    return cluster(eks={"clusterName": "gpu_prod", "region": region})


def gke(location):
    return cluster(gke={"projectId": "acme", "location": location, "clusterName": "gpu"})


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "us-east-1.console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_a_node_groups_page_is_in_the_console_of_its_partition(region, host):
    url = eks(region).console_url("mc-train-ab")

    assert url == f"https://{host}/eks/clusters/gpu_prod/nodegroups/mc-train-ab?region={region}"


@pytest.mark.parametrize("region", ["us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"])
def test_a_partition_whose_console_is_not_known_has_no_page(region):
    assert eks(region).console_url("mc-train-ab") is None


@pytest.mark.parametrize(("location", "region"), [("europe-west4", "europe-west4"), ("us-central1-a", "us-central1")])
def test_a_node_pools_page_names_location_cluster_and_project(location, region):
    found = gke(location)

    page = f"https://console.cloud.google.com/kubernetes/nodepool/{location}/gpu/mc-train-ab?project=acme"
    assert (found.console_url("mc-train-ab"), found.region) == (page, region)


def test_what_stands_in_a_name_cannot_change_the_address():
    assert eks("us-east-1").console_url("a/b?x#y") == (
        "https://us-east-1.console.aws.amazon.com/eks/clusters/gpu_prod/nodegroups/a%2Fb%3Fx%23y?region=us-east-1"
    )


def test_a_kind_without_clouds_has_neither_page_nor_region():
    found = cluster(kubeconfig={"path": "/nowhere", "context": "here"})

    assert (found.console_url("pool"), found.region) == (None, None)
