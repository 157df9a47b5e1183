"""Defaults lie below clusters."""

from __future__ import annotations

import pytest

from multicluster import RegistryDocumentError, load_registry
from multicluster.registry.defaults import with_defaults

EKS = {"auth": {"eks": {"clusterName": "gpu", "region": "us-east-1"}}}
GKE = {"auth": {"gke": {"projectId": "acme", "location": "europe-west4", "clusterName": "gpu"}}}
ROLE = "arn:aws:iam::111122223333:role/gpu-node"


def test_mappings_are_merged_at_every_level_and_all_else_is_replaced():
    cluster = {"labels": {"b": "2"}, "pods": {"imagePullSecrets": ["x"]}}
    defaults = {"labels": {"a": "1", "b": "1"}, "pods": {"namespace": "ml", "imagePullSecrets": ["y", "z"]}}

    merged = with_defaults(cluster, defaults, "eks")

    assert merged == {"labels": {"a": "1", "b": "2"}, "pods": {"namespace": "ml", "imagePullSecrets": ["x"]}}
    assert defaults["labels"] == {"a": "1", "b": "1"}


def test_the_settings_of_a_kind_reach_clusters_of_that_kind_only(document):
    defaults = {
        "auth": {"eks": {"region": "us-east-1", "credentials": {"profile": "prod"}}},
        "nodePools": {
            "eks": {"nodeRoleArn": ROLE, "subnets": ["subnet-a"]},
            "profiles": {"cpu": {"instanceTypes": ["m7i.large"]}},
        },
    }

    registry = load_registry(document(defaults, east={"auth": {"eks": {"clusterName": "gpu"}}}, west=GKE))

    assert registry["east"].document.auth.options.credentials.profile == "prod"
    assert registry["east"].document.node_pools.options.node_role_arn == ROLE
    assert registry["west"].document.node_pools.options is None
    assert registry["west"].profile("cpu").instance_types == ("m7i.large",)


def test_a_block_that_is_null_is_as_if_left_out(document):
    registry = load_registry(
        document({"pods": {"namespace": "ml"}}, a={**EKS, "pods": None, "labels": None, "nodePools": None})
    )

    assert registry["a"].pods.namespace == "ml"


def test_a_null_below_a_block_replaces_the_default(document):
    network = {"proxyUrl": "http://proxy:3128"}
    registry = load_registry(document({"network": network}, a={**EKS, "network": {"proxyUrl": None}}, b=EKS))

    assert registry["a"].document.network.proxy_url is None
    assert registry["b"].document.network.proxy_url == "http://proxy:3128"


def test_a_default_profile_may_be_completed_by_the_cluster(document):
    defaults = {"nodePools": {"profiles": {"l4": {"gpu": {"perNode": 1}, "diskGiB": 200}}}}
    cluster = {**EKS, "nodePools": {"profiles": {"l4": {"instanceTypes": ["g6.xlarge"]}}}}

    profile = load_registry(document(defaults, a=cluster))["a"].profile("l4")

    assert (profile.instance_types, profile.disk_gib, profile.gpu.per_node) == (("g6.xlarge",), 200, 1)


def test_defaults_that_only_a_cluster_can_complete_are_no_error(document):
    defaults = {"auth": {"kubeconfig": {"path": "/etc/kubeconfig"}}}
    registry = load_registry(document(defaults, a={"auth": {"kubeconfig": {"context": "a"}}}))

    assert registry["a"].document.auth.options.path == "/etc/kubeconfig"


def test_a_bad_default_is_told_once_and_a_clusters_own_mistake_beside_it(document):
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(document({"pods": {"namespace": "ML"}}, a=EKS, b={**EKS, "pods": {"namespace": "B_B"}}))

    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("  argument: defaults.pods.namespace: must be")
    assert lines[2].startswith("  argument: cluster 'b': pods.namespace: must be")


@pytest.mark.parametrize("defaults", [[], "x", 5, False])
def test_defaults_must_be_a_mapping(document, defaults):
    with pytest.raises(RegistryDocumentError, match="argument: defaults: must be a mapping, not"):
        load_registry(document(defaults))


@pytest.mark.parametrize("block", ["auth", "labels", "network", "pods", "nodePools"])
def test_each_block_of_the_defaults_must_be_a_mapping(document, block):
    with pytest.raises(RegistryDocumentError, match=f"^argument: defaults.{block}: must be a mapping, not a text$"):
        load_registry(document({block: "x"}, a=EKS))
