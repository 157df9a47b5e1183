"""The cluster that kind shall make, as kind's own package reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.go_program import build

KIND = Path(__file__).resolve().parents[3] / "infra" / "kind"
GPU_NODE = "multicluster-worker2"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(KIND / "check", tmp_path_factory.mktemp("check") / "check")


def ask(check: Path, configuration: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([check, configuration], capture_output=True, text=True, timeout=60, check=False)


def joins(output: str) -> dict[str, Any]:
    """Read from kubeadm's configurations how each node registers itself."""
    parts = output.split("# node: ")[1:]
    found = {}
    for part in parts:
        name, _, text = part.partition("\n")
        documents = list(yaml.safe_load_all(text))
        found[name] = next(one["nodeRegistration"] for one in documents if one and one["kind"] == "JoinConfiguration")
    return found


def test_kind_accepts_the_cluster_and_makes_a_control_plane_and_two_workers(check: Path) -> None:
    done = ask(check, KIND / "cluster.yaml")

    assert done.returncode == 0, done.stderr
    assert list(joins(done.stdout)) == ["multicluster-control-plane", "multicluster-worker", GPU_NODE]


def test_one_worker_joins_labelled_and_tainted_as_a_gpu_node(check: Path) -> None:
    nodes = joins(ask(check, KIND / "cluster.yaml").stdout)

    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    labels = {name: node["kubeletExtraArgs"]["node-labels"] for name, node in nodes.items()}
    assert labels == {
        "multicluster-control-plane": "",
        "multicluster-worker": "",
        GPU_NODE: "nvidia.com/gpu.present=true",
    }
    assert {name: node.get("taints") for name, node in nodes.items() if node.get("taints")} == {GPU_NODE: [taint]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("role: worker", "role: werker", '"werker" is not a valid node role'),
        ("labels:", "lables:", "field lables not found"),
        ("role: control-plane", "role: worker", "must have at least one control-plane node"),
        ("v1alpha4", "v1alpha9", "unknown apiVersion: kind.x-k8s.io/v1alpha9"),
        ("taints:", "taints: [", "failed to generate kubeadm config"),
    ],
)
def test_kind_refuses_a_cluster_that_is_broken(check: Path, tmp_path: Path, old: str, new: str, expected: str) -> None:
    broken = tmp_path / "cluster.yaml"
    broken.write_text((KIND / "cluster.yaml").read_text().replace(old, new))

    done = ask(check, broken)

    assert done.returncode == 1
    assert expected in done.stderr
