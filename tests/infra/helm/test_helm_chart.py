"""The values in Airflow's own chart: accepted by its schema, rendered by Helm's own engine.

The chart is not in this project. Whoever has it names its folder: AIRFLOW_CHART=/path/to/airflow (unpacked, with its
dependencies: `helm pull apache-airflow/airflow --untar`). Seen with chart 1.22.0.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.go_program import build

HELM = Path(__file__).resolve().parents[3] / "infra" / "helm"
CHART = os.environ.get("AIRFLOW_CHART", "")
IMAGE, REGISTRY = "airflow-multicluster:0.1.0", "/opt/airflow/multicluster"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not CHART, reason="no chart: AIRFLOW_CHART names none"),
]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(HELM / "check", tmp_path_factory.mktemp("chart") / "chart", package="./chart")


def render(check: Path, values: Path) -> subprocess.CompletedProcess[str]:
    command = [check, CHART, values, "airflow", "airflow"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def manifests(check: Path) -> list[Any]:
    done = render(check, HELM / "values.yaml")
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def airflow_containers(manifests: list[Any]) -> Iterator[tuple[str, Any]]:
    for one in manifests:
        pod = one.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("containers", []), *pod.get("initContainers", [])):
            if container["image"] == IMAGE and not container["name"].endswith("log-groomer"):
                yield f"{one['metadata']['name']}/{container['name']}", container


def test_every_process_of_airflow_has_the_registry_and_the_image(manifests: list[Any]) -> None:
    found = dict(airflow_containers(manifests))

    assert {"airflow-scheduler/scheduler", "airflow-triggerer/triggerer"} < set(found)
    assert {"airflow-dag-processor/dag-processor", "airflow-api-server/api-server"} < set(found)
    for name, container in found.items():
        assert REGISTRY in [mount["mountPath"] for mount in container["volumeMounts"]], name
        environment = {one["name"]: one.get("value") for one in container["env"]}
        assert environment["MULTICLUSTER_REGISTRY"] == f"{REGISTRY}/clusters.yaml", name


def test_the_accounts_of_the_rights_are_those_that_run_tasks_and_triggers(manifests: list[Any]) -> None:
    pods = [one["spec"]["template"]["spec"] for one in manifests if one["kind"] in {"Deployment", "StatefulSet"}]
    running = {pod["serviceAccountName"] for pod in pods}
    made = {one["metadata"]["name"] for one in manifests if one["kind"] == "ServiceAccount"}

    assert {"airflow-scheduler", "airflow-triggerer"} <= running & made
    assert "launcher" not in str([one["metadata"]["name"] for one in manifests])


def unknown(given: Any, known: Any, where: str = "") -> list[str]:
    """List the names that the chart's own values do not have; below an empty default anything may stand."""
    if not isinstance(given, dict) or not isinstance(known, dict) or not known:
        return []
    return [
        found
        for name, inner in given.items()
        for found in (unknown(inner, known[name], f"{where}.{name}") if name in known else [f"{where}.{name}"])
    ]


def test_every_name_in_the_values_is_the_charts() -> None:
    """The schema lets unknown names pass at the top."""
    given, known = (yaml.safe_load(file.read_text()) for file in (HELM / "values.yaml", Path(CHART) / "values.yaml"))

    assert unknown(given, known) == []
    assert unknown({"trigerer": {}, "triggerer": {"enable": True}}, known) == [".trigerer", ".triggerer.enable"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 1", "replicas: one"),
        ("executor: LocalExecutor", "executor: Nobody"),
        ("env:\n- name", "env:\n- nome"),
        ("pullPolicy: IfNotPresent", "pullPolicy: Sometimes"),
    ],
)
def test_the_charts_schema_refuses_values_that_are_broken(check: Path, tmp_path: Path, old: str, new: str) -> None:
    broken = tmp_path / "values.yaml"
    text = (HELM / "values.yaml").read_text()
    assert old in text
    broken.write_text(text.replace(old, new, 1))

    done = render(check, broken)

    assert done.returncode == 1
    assert "values don't meet the specifications of the schema" in done.stderr
