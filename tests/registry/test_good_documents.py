"""Every good document in ``good/`` is read, and says what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from multicluster import load_registry

GOOD = Path(__file__).parent / "good"


def test_every_field_of_the_document_is_read():
    registry = load_registry(GOOD / "design.yaml")

    east, laptop, here = registry["gpu-use1"], registry["laptop"], registry["here"]
    assert list(registry) == ["gpu-use1", "gpu-euw4", "laptop", "here"]
    assert [one.kind for one in registry.values()] == ["eks", "gke", "kubeconfig", "inCluster"]
    assert east.labels == {"team": "ml", "topology.kubernetes.io/region": "us-east-1", "tier": "prod"}
    assert east.pods.model_dump() == {
        "namespace": "ml",
        "service_account_name": "trainer",
        "image_pull_secrets": ("ecr",),
        "startup_timeout_seconds": 900,
    }
    assert east.document.node_pools.options.tags == {"cost-centre": "ml"}
    assert east.document.auth.options.credentials.roles[0].external_id == "acme"
    assert east.profile("l4").disk_gib == 100
    assert (east.limits.pools, east.limits.nodes, east.limits.max_lifetime_seconds) == (4, 16, 43200)
    assert east.document.identity.ca_sha256 == ()
    assert laptop.document.identity.ca_sha256 == ("0" * 64, "1" * 64)
    assert laptop.document.network.connect_timeout_seconds == 3
    assert here.document.cordoned.until == datetime(2026, 11, 22, 7, tzinfo=UTC)


def test_what_clusters_have_in_common_is_merged_below_each():
    registry = load_registry(GOOD / "defaults.yaml")

    assert registry["one"].document.auth.options.region == "us-east-1"
    assert registry["two"].document.auth.options.region == "eu-west-1"
    assert registry["two"].profile("l4").gpu.per_node == 1
    assert registry["elsewhere"].labels == {}
