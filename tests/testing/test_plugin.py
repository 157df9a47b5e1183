"""The pytest plugin costs nothing until it is used, and no test sees another one's world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "aiohttp",
    "airflow",
    "boto3",
    "botocore",
    "google.auth",
    "kubernetes",
    "kubernetes_asyncio",
    "pydantic",
    "rich",
)


def run(folder: Path, code: str, *arguments: str, name: str = "test_it.py") -> subprocess.CompletedProcess[str]:
    """Run pytest on one file in a process of its own."""
    (folder / name).write_text(code)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "AIRFLOW"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def test_the_plugin_loads_nothing_until_a_fixture_is_used(tmp_path):
    result = run(tmp_path, f"import sys\ndef test_it():\n    assert not set(sys.modules) & set({HEAVY!r})\n")

    assert result.returncode == 0, result.stdout


def test_each_test_has_a_world_of_its_own(tmp_path):
    code = """
import pytest
seen = []
@pytest.mark.parametrize("number", [1, 2])
def test_it(multicluster_world, number):
    seen.append(multicluster_world.aws_url)
    assert len(set(seen)) == number
    assert multicluster_world.report().pools_left == ()
"""
    result = run(tmp_path, code)

    assert result.returncode == 0, result.stdout


def test_the_environment_is_the_world_s_and_then_the_old_one_again(multicluster_registry, request):
    registry = os.environ["MULTICLUSTER_REGISTRY"]
    names = [cluster["name"] for cluster in json.loads(Path(registry).read_text())["clusters"]]

    assert names == list(multicluster_registry) == ["gpu-use1", "gpu-euw4"]
    assert os.environ["AWS_ENDPOINT_URL_EKS"].startswith("https://127.0.0.1:")


def test_outside_of_such_a_test_there_is_no_world_in_the_environment():
    assert "MULTICLUSTER_SIMULATOR_URL" not in os.environ


@pytest.mark.parametrize("name", ["gpu-use1", "gpu-euw4"])
def test_clusters_answer_in_one_test_after_the_other(multicluster_registry, name):
    from kubernetes.client import CoreV1Api

    nodes = CoreV1Api(multicluster_registry[name].client()).list_node().items

    assert [node.metadata.name for node in nodes] == [f"{name}-system-0"]


def test_an_airflow_that_was_loaded_before_is_an_error_that_names_the_way_out(tmp_path):
    code = "import airflow.configuration\ndef test_it(airflow_home): pass\n"
    result = run(tmp_path, code)

    assert result.returncode == 1
    assert "multicluster_airflow = true" in result.stdout


def test_the_home_is_there_before_modules_are_imported_and_gone_after(tmp_path):
    code = """
import os, pathlib
import airflow.configuration
AT_IMPORT = airflow.configuration.AIRFLOW_HOME
def test_it(airflow_home):
    assert str(airflow_home) == AT_IMPORT == os.environ["AIRFLOW_HOME"]
    assert (airflow_home / "airflow.db").stat().st_size > 0
    pathlib.Path("home").write_text(AT_IMPORT)
"""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmulticluster_airflow = true\n")
    result = run(tmp_path, code)

    assert result.returncode == 0, result.stdout
    assert not Path((tmp_path / "home").read_text()).exists()
