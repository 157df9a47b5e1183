from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from kubernetes.client import ApiClient, V1Node

from multicluster.node_pools.node_facts import NodeFacts, SliceFacts, TaintFact, quantity


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1), (8, 8), ("1k", 1000), ("2Ki", 2048), ("1500m", 1), ("15.5Gi", 16642998272), ("", 0), ("one", 0)],
)
def test_a_quantity_is_read_as_kubernetes_writes_it(text: str | int, expected: int) -> None:
    assert quantity(text) == expected


def test_a_node_as_json_and_as_the_clients_dict_are_the_same_facts() -> None:
    document = {
        "metadata": {
            "name": "n1",
            "labels": {"a": "b"},
            "creationTimestamp": "2026-11-21T12:00:00Z",
            "deletionTimestamp": "2026-11-21T13:00:00Z",
        },
        "spec": {"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"nvidia.com/gpu": "1"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    client = ApiClient()
    answer = type("Answer", (), {"data": json.dumps(document)})
    as_dict = client.deserialize(answer, V1Node).to_dict()

    facts = NodeFacts.from_object(document)

    assert NodeFacts.from_object(as_dict) == facts
    assert facts.created_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert (facts.ready, facts.unschedulable, facts.deleting) == (True, True, True)
    assert facts.taints == (TaintFact(key="k"),)


def test_an_empty_node_is_not_ready() -> None:
    facts = NodeFacts.from_object({"metadata": {"name": "n1"}})

    assert not facts.ready
    assert facts.offers("nvidia.com/gpu") == 0


def test_a_resource_slice_is_read() -> None:
    item = {
        "spec": {
            "driver": "gpu.nvidia.com",
            "nodeName": "n1",
            "pool": {"name": "n1", "generation": 3, "resourceSliceCount": 2},
            "devices": [{"name": "gpu-0"}, {"name": "gpu-1"}],
        }
    }

    expected = SliceFacts(driver="gpu.nvidia.com", node="n1", pool="n1", generation=3, slices=2, devices=2)

    assert SliceFacts.from_object(item) == expected
