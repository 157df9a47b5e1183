"""The scripts around kind: what they ask of it, and what a real Kubernetes makes of what they ask of kubectl."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from multicluster import load_registry

KIND = Path(__file__).resolve().parents[3] / "infra" / "kind"
STUB = """#!/bin/sh
echo "$*" >>{folder}/argv
case "$1 $2" in
"get clusters") [ ! -e {folder}/there ] || echo multicluster ;;
"create cluster") touch {folder}/there ;;
"delete cluster") rm -f {folder}/there ;;
"export kubeconfig") cp {folder}/admin.kubeconfig "$6" ;;
esac
"""
Script = Callable[..., subprocess.CompletedProcess[str]]
needs = pytest.mark.skipif(
    shutil.which("kubectl") is None or shutil.which("openssl") is None, reason="kubectl or openssl is not installed"
)


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A program named kind that notes what it is asked, and makes nothing."""
    folder = tmp_path / "stub"
    folder.mkdir()
    program = folder / "kind"
    program.write_text(STUB.format(folder=folder))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.fixture
def script(tmp_path: Path, stub: Path) -> Script:
    """Run one of the scripts, with the stub in kind's place."""

    def run(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{stub}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, "MULTICLUSTER_KIND_HOME": str(tmp_path / "home"), **environment}
        command = [str(KIND / name)]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)

    return run


def asked(stub: Path) -> list[str]:
    return [" ".join(line.split()[:2]) for line in (stub / "argv").read_text().splitlines()]


@pytest.mark.parametrize("name", ["up", "down"])
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")

    done = subprocess.run(["shellcheck", KIND / name], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("missing", ["kind", "kubectl"])
def test_up_says_what_is_missing_and_where_it_is_had(script: Script, stub: Path, tmp_path: Path, missing: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in {"bash", "dirname", "env", "kind", "kubectl"} - {missing}:
        (tools / tool).symlink_to(shutil.which(tool) or stub / "kind")

    done = script("up", PATH=str(tools))

    assert (done.returncode, done.stdout) == (2, "")
    assert f"needs {missing}: https://" in done.stderr


@needs
def test_up_refuses_a_number_of_gpus_that_is_none(script: Script, stub: Path) -> None:
    done = script("up", GPUS="many")

    assert done.returncode == 2
    assert "GPUS=many is no number of GPUs" in done.stderr
    assert not (stub / "argv").exists()


def test_down_deletes_the_cluster_and_all_that_up_wrote_and_nothing_else(
    script: Script, stub: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("admin.kubeconfig", "kubeconfig", "registry.yaml", "airflow.key", "airflow.crt", "notes.txt"):
        (home / name).touch()

    first, second = script("down"), script("down")

    assert (first.returncode, second.returncode) == (0, 0)
    assert asked(stub) == ["delete cluster", "delete cluster"]
    assert [path.name for path in home.iterdir()] == ["notes.txt"]


@needs
@pytest.mark.testbed
@pytest.mark.slow
def test_up_ends_with_a_registry_whose_user_sees_the_gpus_and_no_secrets(
    script: Script, stub: Path, launcher: Callable[..., dict[str, str]]
) -> None:
    launcher("up", "--cluster-name", "kind-multicluster")
    label, taint = "nvidia.com/gpu.present=true", "nvidia.com/gpu=present:NoSchedule"
    launcher("node", "add", "gpu-1", "--gpus", "0", "--label", label, "--taint", taint)
    shutil.copy(launcher("kubeconfig")["kubeconfig"], stub / "admin.kubeconfig")

    first, again = script("up", GPUS="2"), script("up", GPUS="3")

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert asked(stub) == ["get clusters", "create cluster", "export kubeconfig", "get clusters", "export kubeconfig"]
    file = Path(again.stdout.strip())
    assert list(load_registry(file)) == ["kind"]
    command = [
        Path(sys.executable).parent / "multicluster",
        "nodes",
        "kind",
        "--registry",
        str(file),
        "--output",
        "json",
    ]
    nodes = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    assert {row["node"]: row["gpus"] for row in nodes} == {"cpu-1": {}, "gpu-1": {"nvidia.com/gpu": 3}}
    assert may(file, "create", "pods") == "yes"
    assert may(file, "get", "secrets") == "no"


def may(registry: Path, verb: str, resource: str) -> str:
    """Ask the cluster what the registry's user may do."""
    config = yaml.safe_load(registry.read_text())["clusters"][0]["auth"]["kubeconfig"]["path"]
    command = ["kubectl", "--kubeconfig", config, "auth", "can-i", verb, resource, "--namespace", "ml"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.strip()
