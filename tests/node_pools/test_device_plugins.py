from __future__ import annotations

from typing import Any

import pytest

from multicluster.node_pools.device_plugins import DaemonSetFacts, diagnose
from multicluster.node_pools.node_facts import TaintFact

GPU_TAINT = TaintFact(key="nvidia.com/gpu", value="present")
DEDICATED = TaintFact(key="dedicated", value="run-42")


def plugin(**pod: Any) -> DaemonSetFacts:
    """NVIDIA's static manifest, v0.20: it tolerates one key."""
    spec = {
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "containers": [{"image": "nvcr.io/nvidia/k8s-device-plugin:v0.20.0"}],
        **pod,
    }
    metadata = {"namespace": "kube-system", "name": "nvidia-device-plugin-daemonset"}
    return DaemonSetFacts.from_object({"metadata": metadata, "spec": {"template": {"spec": spec}}})


def say(*daemon_sets: DaemonSetFacts, taints: tuple[TaintFact, ...] = (GPU_TAINT,), **labels: str) -> str:
    return diagnose(daemon_sets, resource="nvidia.com/gpu", taints=taints, labels=labels)


def test_a_cluster_without_a_device_plugin_is_told_to_install_one() -> None:
    other = DaemonSetFacts(name="kube-system/kube-proxy", images=("kube-proxy:v1",))

    assert "no device-plugin DaemonSet" in say(other)
    assert "install" in say(other)


def test_a_taint_that_keeps_the_plugin_off_is_named() -> None:
    text = say(plugin(), taints=(GPU_TAINT, DEDICATED))

    assert "kube-system/nvidia-device-plugin-daemonset does not tolerate the taint dedicated=run-42:NoSchedule" in text


def test_a_soft_taint_keeps_no_plugin_off() -> None:
    soft = TaintFact(key="dedicated", effect="PreferNoSchedule")

    assert "may run there" in say(plugin(), taints=(soft,))


def test_a_node_selector_that_does_not_match_is_named() -> None:
    text = say(plugin(nodeSelector={"accelerator": "nvidia"}))

    assert "only on nodes labelled accelerator=nvidia" in text


def test_a_plugin_that_may_run_is_pointed_at() -> None:
    assert "look at its pod" in say(plugin(nodeSelector={"accelerator": "nvidia"}), plugin(), accelerator="amd")


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "dedicated", "operator": "Exists"}, True),
        ({"key": "dedicated", "operator": "Equal", "value": "run-42", "effect": "NoSchedule"}, True),
        ({"key": "dedicated", "value": "run-42"}, True),
        ({"key": "dedicated", "value": "run-43"}, False),
        ({"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations_cover_taints_as_in_kubernetes(toleration: dict[str, str], *, expected: bool) -> None:
    assert plugin(tolerations=[toleration]).tolerates(DEDICATED) is expected
