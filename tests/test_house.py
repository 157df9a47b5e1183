"""Laws of the house that no linter knows."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "multicluster"
PROVIDER = ROOT / "providers" / "airflow_multicluster"
HEAVY = ["airflow", "boto3", "botocore", "google.auth", "kubernetes", "kubernetes_asyncio"]
EMPTY_NAMES = {"utils", "helpers", "common", "base", "manager"}


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run *code* isolated and away from the checkout, as a user's process would."""
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)


def loaded_by(statement: str) -> set[str]:
    result = run(f"import sys\n{statement}\nprint(*sys.modules)")
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("module", HEAVY)
def test_pain_40_import_multicluster_loads_no_sdk(module):
    assert module not in loaded_by("import multicluster")


def test_reading_a_registry_loads_no_sdk():
    document = {
        "apiVersion": "multicluster/v1alpha1",
        "kind": "ClusterRegistry",
        "clusters": [
            {"name": "a", "auth": {"eks": {"clusterName": "a", "region": "us-east-1"}}},
            {"name": "b", "auth": {"gke": {"projectId": "p-12345", "location": "europe-west4", "clusterName": "b"}}},
            {"name": "c", "auth": {"kubeconfig": {"path": "/nowhere", "context": "c"}}},
            {"name": "d", "auth": {"inCluster": {}}},
        ],
    }
    loaded = loaded_by(f"import multicluster\nassert len(multicluster.load_registry({document!r})) == 4")

    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize("folder", ["providers", "tests", "dags", "infra", "benchmarks", "docs"])
def test_the_folders_of_the_checkout_are_no_modules(folder):
    result = run(f"import {folder}")

    assert result.returncode == 1
    assert "ModuleNotFoundError" in result.stderr


def test_the_provider_has_one_identity():
    assert not (ROOT / "providers" / "__init__.py").exists()
    result = run("import airflow_multicluster; print(airflow_multicluster.__name__)")
    assert result.stdout.strip() == "airflow_multicluster"


@pytest.mark.parametrize("package", [CORE, PROVIDER], ids=["core", "provider"])
def test_no_module_has_a_name_that_says_nothing(package):
    assert [path for path in package.rglob("*") if path.stem in EMPTY_NAMES] == []


@pytest.mark.parametrize("package", [CORE, PROVIDER], ids=["core", "provider"])
def test_no_file_passes_the_alarm_of_300_lines(package):
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in package.rglob("*.py")}

    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_every_room_of_the_core_stands_under_an_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rooms = {f"multicluster.{path.name}" for path in CORE.iterdir() if (path / "__init__.py").exists()}

    assert sorted(room for room in rooms if room not in str(contracts)) == []


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_the_pins_name_no_address_and_no_machine(file):
    lines = [line for line in file.read_text().splitlines() if line and not line.lstrip().startswith("#")]

    assert [line for line in lines if "://" in line or line.startswith("-") or "==" not in line] == []


def test_the_demo_installs_the_versions_that_are_tested():
    tested = set(pins("dev.txt"))

    assert [pin for pin in pins("demo.txt") if pin not in tested] == []


def pins(name: str) -> list[str]:
    """Give each ``name==version`` of a requirements file, without the marker that says where it applies."""
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line.split(";")[0].strip() for line in lines if "==" in line and not line.startswith(("#", " "))]
