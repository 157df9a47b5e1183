"""A contract that cannot go red guards nothing: plant a violation in a copy and see the tool refuse it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
AIRFLOW, ROOMS = "the core does not know Airflow", "rooms of the core, top to bottom"
KIND, CLOUD = "nobody imports a kind", "clouds are known to kinds only"
JUDGE, SIMULATOR = "import nothing of what they judge", "the simulator is known to"
TOOLS, BRIDGE = "nothing that ships needs the test tools", "the bridge to the testbed is known to"
VIOLATIONS = {
    "the core imports Airflow": ("multicluster/access/clock.py", "airflow", AIRFLOW),
    "the core imports the provider": ("multicluster/node_pools/lease.py", "airflow_multicluster", AIRFLOW),
    "access imports the registry above it": ("multicluster/access/token.py", "multicluster.registry", ROOMS),
    "pods import the registry above them": ("multicluster/pods/loss.py", "multicluster.registry", ROOMS),
    "pods import node pools beside them": ("multicluster/pods/loss.py", "multicluster.node_pools.lease", ROOMS),
    "errors import access above them": ("multicluster/errors.py", "multicluster.access.token", ROOMS),
    "migration imports the command line": ("multicluster/migration/__init__.py", "multicluster.cli", ROOMS),
    "a room to come imports the command line": ("multicluster/diagnosis/__init__.py", "multicluster.cli", ROOMS),
    "the registry imports a kind by hand": ("multicluster/registry/__init__.py", "multicluster.kinds.eks", KIND),
    "migration imports a kind by hand": ("multicluster/migration/__init__.py", "multicluster.kinds.eks", KIND),
    "a room to come imports a kind by hand": ("multicluster/interop/__init__.py", "multicluster.kinds.eks", KIND),
    "one cloud imports the other": (
        "multicluster/kinds/eks/__init__.py",
        "multicluster.kinds.gke",
        "kinds do not know",
    ),
    "access imports a cloud's SDK": ("multicluster/access/token.py", "boto3", CLOUD),
    "pods import a cloud's SDK": ("multicluster/pods/loss.py", "google.auth", CLOUD),
    "a room to come imports a cloud's SDK": ("multicluster/diagnosis/__init__.py", "botocore", CLOUD),
    "a pod's own cluster imports a cloud's SDK": (
        "multicluster/kinds/in_cluster/__init__.py",
        "boto3",
        "is in no cloud",
    ),
    "the simulator imports its defendant": ("multicluster/simulator/delays.py", "multicluster.node_pools.lease", JUDGE),
    "the simulator imports pods": ("multicluster/simulator/delays.py", "multicluster.pods.loss", JUDGE),
    "the bridge imports migration": ("multicluster/grounds/orders.py", "multicluster.migration", JUDGE),
    "the simulator imports the bridge": ("multicluster/simulator/delays.py", "multicluster.grounds", BRIDGE),
    "the registry imports the simulator": ("multicluster/registry/__init__.py", "multicluster.simulator", SIMULATOR),
    "access imports the simulator": ("multicluster/access/token.py", "multicluster.simulator", SIMULATOR),
    "node pools import the simulator": ("multicluster/node_pools/lease.py", "multicluster.simulator", SIMULATOR),
    "pods import the simulator": ("multicluster/pods/loss.py", "multicluster.simulator", SIMULATOR),
    "a room to come imports the simulator": ("multicluster/interop/__init__.py", "multicluster.simulator", SIMULATOR),
    "the core imports its test tools": ("multicluster/registry/__init__.py", "multicluster.testing", TOOLS),
    "migration imports the test tools": ("multicluster/migration/__init__.py", "multicluster.testing", TOOLS),
}


@pytest.fixture
def copy(tmp_path):
    for name in ("multicluster", "providers", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    return tmp_path


def lint_imports(copy: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over *copy*: its folders come before the installed house on the path."""
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'providers'}"}
    command = [str(BIN / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=60, check=False)


def plant(copy: Path, file: str, line: str) -> None:
    path = copy / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as module:
        module.write(f"\n\n{line}\n")


def test_the_import_contracts_hold(copy):
    result = lint_imports(copy)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("file", "module", "contract"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_planted_import_breaks_its_contract(copy, file, module, contract):
    plant(copy, file, f"import {module}")

    result = lint_imports(copy)

    assert result.returncode == 1
    assert [line for line in result.stdout.splitlines() if contract in line and line.endswith(" BROKEN")]


@pytest.mark.parametrize("sdk", ["airflow", "boto3", "botocore", "google.auth", "kubernetes", "kubernetes_asyncio"])
def test_an_sdk_imported_at_module_level_is_refused(copy, sdk):
    plant(copy, "multicluster/registry/__init__.py", f"import {sdk}")

    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID253", "multicluster/registry"]
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 1
    assert "TID253" in result.stdout
