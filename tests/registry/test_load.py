"""Sources become one registry."""

from __future__ import annotations

import pytest

from multicluster import Registry, UnknownClusterError, load_registry

DOCUMENT = {
    "apiVersion": "multicluster/v1alpha1",
    "kind": "ClusterRegistry",
    "clusters": [
        {"name": "gpu-prod", "labels": {"tier": "prod"}, "auth": {"eks": {"clusterName": "a", "region": "us-east-1"}}}
    ],
}


def test_an_unknown_name_is_answered_with_the_nearest():
    registry = Registry.from_document(DOCUMENT, source="connection multicluster_default")

    with pytest.raises(UnknownClusterError) as caught:
        registry["gpu-prd"]

    assert "no cluster named 'gpu-prd' in the registry connection multicluster_default; did you mean 'gpu-prod'?" == str(
        caught.value
    )


def test_clusters_are_selected_by_all_of_the_labels():
    registry = load_registry(DOCUMENT)

    assert [registry["gpu-prod"]] == registry.select({"tier": "prod"})
    assert [] == registry.select({"tier": "prod", "region": "x"})
