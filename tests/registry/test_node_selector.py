"""What selects a node pool's nodes follows from the cluster's kind and the pool's name."""

from __future__ import annotations

import pytest

from multicluster.errors import NodePoolsUnsupportedError


@pytest.fixture
def multicluster_clusters():
    return {"eks": ("gpu-use1",), "gke": ("gpu-euw4",), "plain": ("here",)}


@pytest.mark.parametrize("name", ["gpu-use1", "gpu-euw4"])
def test_it_is_what_the_node_pools_say_and_nobody_is_asked(multicluster_registry, monkeypatch, name):
    cluster = multicluster_registry[name]
    said = cluster.node_pools().node_selector("train")
    monkeypatch.setattr(cluster, "node_pools", lambda: pytest.fail("node pools were asked for"))

    assert cluster.node_selector("train") == said


def test_a_kind_without_node_pools_has_none(multicluster_registry):
    with pytest.raises(NodePoolsUnsupportedError):
        multicluster_registry["here"].node_selector("train")
