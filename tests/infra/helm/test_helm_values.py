"""What Helm gets: values, rights and image fit one another and the toolkit."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from multicluster import load_registry

ROOT = Path(__file__).resolve().parents[3]
HELM = ROOT / "infra" / "helm"
ACCOUNTS = {("airflow-scheduler", "airflow"), ("airflow-triggerer", "airflow")}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load((HELM / "values.yaml").read_text())


def mounted(values: dict[str, Any]) -> dict[str, str]:
    """Give the files that the ConfigMaps of the values become in a container, by path."""
    configured = {name: yaml.safe_load(one["data"]) for name, one in values["extraConfigMaps"].items()}
    volumes = {one["name"]: configured[one["configMap"]["name"]] for one in values["volumes"]}
    places = {one["mountPath"]: volumes[one["name"]] for one in values["volumeMounts"]}
    return {f"{place}/{name}": text for place, files in places.items() for name, text in files.items()}


def test_the_environment_names_a_registry_that_is_mounted_and_valid(values: dict[str, Any]) -> None:
    environment = {one["name"]: one["value"] for one in values["env"]}
    text = mounted(values)[environment["MULTICLUSTER_REGISTRY"]]

    registry = load_registry(yaml.safe_load(text))

    assert {name: registry[name].kind for name in registry} == {"here": "inCluster"}


def test_the_image_is_the_one_of_this_version(values: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    image = values["images"]["airflow"]

    assert image["tag"] == version
    assert f"{image['repository']}:{version}" in (HELM / "Dockerfile").read_text()
    assert f"apache/airflow:{values['airflowVersion']}-" in (HELM / "Dockerfile").read_text()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_the_rights_are_those_of_infra_rbac_for_airflows_own_accounts() -> None:
    ours, shipped = kustomized(HELM / "rights"), kustomized(ROOT / "infra" / "rbac" / "all")

    rules = {(one["kind"], one["metadata"]["name"]): one["rules"] for one in shipped if "rules" in one}
    assert {(one["kind"], one["metadata"]["name"]): one["rules"] for one in ours if "rules" in one} == rules
    bindings = [one["subjects"] for one in ours if "subjects" in one]
    assert len(bindings) == len([one for one in shipped if "subjects" in one]) > 0
    assert [{(one["name"], one["namespace"]) for one in subjects} for subjects in bindings] == [ACCOUNTS] * len(
        bindings
    )


def kustomized(folder: Path) -> list[Any]:
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=60, check=True)
    return list(yaml.safe_load_all(done.stdout))
