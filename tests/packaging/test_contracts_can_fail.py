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
VIOLATIONS = {
    "the core imports Airflow": ("multicluster/access/clock.py", "import airflow"),
    "the core imports the provider": ("multicluster/node_pools/lease.py", "import airflow_multicluster"),
    "access imports the registry above it": ("multicluster/access/token.py", "import multicluster.registry"),
    "errors import access above them": ("multicluster/errors.py", "import multicluster.access.token"),
    "the registry imports a kind by hand": ("multicluster/registry/__init__.py", "import multicluster.kinds.eks"),
    "one cloud imports the other": ("multicluster/kinds/eks/__init__.py", "import multicluster.kinds.gke"),
    "access imports a cloud's SDK": ("multicluster/access/token.py", "import boto3"),
    "the simulator imports its defendant": (
        "multicluster/simulator/delays.py",
        "import multicluster.node_pools.lease",
    ),
    "the core imports its test tools": ("multicluster/registry/__init__.py", "import multicluster.testing"),
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
    path.write_text(f"{path.read_text()}\n\n{line}\n")


def test_the_import_contracts_hold(copy):
    result = lint_imports(copy)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("file", "line"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_planted_import_breaks_a_contract(copy, file, line):
    plant(copy, file, line)

    result = lint_imports(copy)

    assert result.returncode == 1
    assert "BROKEN" in result.stdout


@pytest.mark.parametrize("sdk", ["airflow", "boto3", "botocore", "google.auth", "kubernetes", "kubernetes_asyncio"])
def test_an_sdk_imported_at_module_level_is_refused(copy, sdk):
    plant(copy, "multicluster/registry/__init__.py", f"import {sdk}")

    command = [str(BIN / "ruff"), "check", "--no-cache", "--select", "TID253", "multicluster/registry"]
    result = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 1
    assert "TID253" in result.stdout
