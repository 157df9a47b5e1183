"""Each extra, in an environment of its own, brings what it promises; the rest is named with its pip line."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
DOCUMENT = json.dumps(
    {
        "apiVersion": "multicluster/v1alpha1",
        "kind": "ClusterRegistry",
        "clusters": [
            {"name": "e", "auth": {"eks": {"clusterName": "e", "region": "us-east-1"}}},
            {"name": "g", "auth": {"gke": {"projectId": "acme-12345", "location": "europe-west4", "clusterName": "g"}}},
            {"name": "k", "auth": {"kubeconfig": {"path": "/nowhere", "context": "k"}}},
            {"name": "h", "auth": {"inCluster": {}}},
        ],
    }
)
LOAD = f"import json, multicluster; registry = multicluster.load_registry(json.loads({DOCUMENT!r}));"
SIGN = LOAD + (
    "import os; os.environ.update(AWS_ACCESS_KEY_ID='AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY='x' * 40);"
    "print(registry['e'].token().value.partition('.')[0])"
)


def absent(*modules: str) -> str:
    return f"from importlib.util import find_spec; print([name for name in {modules!r} if find_spec(name)])"


@pytest.mark.parametrize("name", ["providers", "tests", "dags", "infra", "benchmarks", "docs", "editables"])
def test_the_wheel_brings_no_name_but_its_own(install, name):
    result = install("").run(f"import {name}")

    assert "ModuleNotFoundError" in result.stderr


def test_without_extras_every_kind_of_cluster_loads_and_no_cloud_sdk_is_there(install):
    environment = install("")

    result = environment.run(LOAD + "print(sorted(registry))")
    assert result.stdout.strip() == "['e', 'g', 'h', 'k']", result.stderr
    result = environment.run(absent("airflow", "boto3", "botocore", "moto", "cryptography"))
    assert result.stdout.strip() == "[]", result.stderr


def test_without_extras_the_command_answers(install):
    result = install("").command("registry", "schema")

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["title"]


def test_eks_without_its_extra_prints_the_pip_line(install):
    result = install("").run(SIGN)

    assert result.returncode == 1
    assert "MissingExtraError" in result.stderr
    assert "pip install 'airflow-multicluster[eks]'" in result.stderr


def test_gke_without_its_extra_prints_the_pip_line(install):
    result = install("eks").run(LOAD + "registry['g'].token()")

    assert result.returncode == 1
    assert "MissingExtraError" in result.stderr
    assert "pip install 'airflow-multicluster[gke]'" in result.stderr


def test_the_simulator_without_its_extra_prints_the_pip_line(install):
    result = install("").command("simulator")

    assert result.returncode == 2
    assert "pip install 'airflow-multicluster[simulator]'" in result.stderr


def test_the_demo_without_its_extras_prints_the_pip_line(install):
    result = install("").command("demo")

    assert result.returncode == 2
    assert "pip install 'airflow-multicluster[all]'" in result.stderr


def test_the_provider_without_airflow_prints_the_pip_line(install):
    result = install("").run("from airflow_multicluster import ClusterPodOperator")

    assert result.returncode == 1
    assert "pip install 'airflow-multicluster[airflow]'" in result.stderr


def test_the_extra_eks_signs_a_token_and_brings_neither_airflow_nor_google(install):
    environment = install("eks")

    result = environment.run(SIGN)
    assert result.stdout.strip() == "k8s-aws-v1", result.stderr
    assert environment.run(absent("airflow", "grpc", "moto")).stdout.strip() == "[]"


def test_the_extra_gke_brings_google_auth_without_grpc(install):
    environment = install("gke")

    result = environment.run("import google.auth, google.auth.transport.requests, multicluster.kinds.gke.access")
    assert result.returncode == 0, result.stderr
    assert environment.run(absent("airflow", "boto3", "grpc")).stdout.strip() == "[]"


def test_the_extra_airflow_brings_every_public_name_of_the_provider(install):
    result = install("airflow").run(
        "import airflow_multicluster as provider;"
        "print([name for name in provider.__all__ if not getattr(provider, name)])"
    )

    assert result.stdout.strip().splitlines()[-1:] == ["[]"], result.stderr


def test_airflow_discovers_the_provider_under_the_name_of_the_distribution(install):
    result = install("airflow").run(
        "from airflow.providers_manager import ProvidersManager; manager = ProvidersManager();"
        "info = manager.providers['airflow-multicluster'];"
        "print(info.data['package-name'], info.version, manager.hooks['multicluster'].hook_class_name)"
    )

    promised = "airflow-multicluster 0.1.0 airflow_multicluster.hooks.cluster.ClusterHook"
    assert result.stdout.strip().splitlines()[-1:] == [promised], result.stderr
