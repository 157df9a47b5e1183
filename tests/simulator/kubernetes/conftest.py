from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from kubernetes import client

from multicluster.simulator.clock import SystemClock
from multicluster.simulator.host import Host
from multicluster.simulator.kubernetes import KubernetesCluster, NodeShape, PodDelays, User

TOKENS = {
    "good": User(name="alice", groups=("data-science",)),
    "other": User(name="bob"),
    "root": User(name="root", groups=("system:masters",)),
}
FAST = PodDelays(
    image_pull=0.0, start=0.0, restart_backoff=0.05, pull_backoff=0.05, config_retry=0.05, orphan_collection=0.05
)
NODE = {"cpu": "8", "memory": "32Gi"}


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.stop()


@pytest.fixture
def new_cluster(host: Host, tmp_path: Path) -> Iterator[Callable[..., KubernetesCluster]]:
    started: list[KubernetesCluster] = []

    def make(**options: Any) -> KubernetesCluster:
        values = {"clock": SystemClock(), "authenticate": TOKENS.get, "delays": FAST, **options}
        cluster = KubernetesCluster("c", host=host, root=tmp_path, **values)
        cluster.start()
        started.append(cluster)
        return cluster

    yield make
    for cluster in started:
        cluster.stop()


@pytest.fixture
def cluster(new_cluster: Callable[..., KubernetesCluster]) -> KubernetesCluster:
    cluster = new_cluster()
    cluster.add_node("n1", NodeShape(capacity=NODE, ready=True))
    return cluster


@dataclass
class Api:
    """Plain HTTP, to see bodies as they are."""

    url: str
    ca: str
    token: str = "good"

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        return requests.request(
            method, self.url + path, json=body, headers=headers, verify=self.ca, timeout=20, **options
        )

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        response = self.request(method, path, body, **options)
        return response.status_code, response.json()


@pytest.fixture
def ca_file(cluster: KubernetesCluster, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(cluster.ca_pem)
    return str(path)


@pytest.fixture
def api(cluster: KubernetesCluster, ca_file: str) -> Api:
    return Api(cluster.url, ca_file)


def configured(configuration: Any, url: str, ca: str, token: str = "good") -> Any:
    configuration.host, configuration.ssl_ca_cert = url, ca
    configuration.api_key = {"authorization": f"Bearer {token}", "BearerToken": f"Bearer {token}"}
    return configuration


@pytest.fixture
def core(cluster: KubernetesCluster, ca_file: str) -> Iterator[client.CoreV1Api]:
    with client.ApiClient(configured(client.Configuration(), cluster.url, ca_file)) as api_client:
        yield client.CoreV1Api(api_client)


@pytest.fixture
def kubeconfig(cluster: KubernetesCluster, ca_file: str, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": cluster.url, "certificate-authority": ca_file}}],
        "users": [{"name": "c", "user": {"token": "good"}}],
    }
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def kubectl(kubeconfig: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed here")

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        options = ["--kubeconfig", str(kubeconfig), "--cache-dir", str(tmp_path / "cache")]
        return subprocess.run(
            [program, *options, *arguments], capture_output=True, text=True, timeout=30, input=stdin, check=False
        )

    return run


def pod(name: str, *command: str, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "base",
        "image": "busybox:1",
        "command": list(command) or ["true"],
        **spec.pop("container", {}),
    }
    metadata = {"name": name, **spec.pop("metadata", {})}
    fixed = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1}
    return {"metadata": metadata, "spec": {**fixed, "containers": [container], **spec}}


@pytest.fixture
def new_pod() -> Callable[..., dict[str, Any]]:
    return pod


def phase_of(name: str, *phases: str) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda pods: any(p["metadata"]["name"] == name and p["status"]["phase"] in phases for p in pods)


@pytest.fixture
def run_pod(cluster: KubernetesCluster) -> Callable[..., dict[str, Any]]:
    """Create a pod and wait until it has one of the phases (default: an end); return it."""

    def run(document: dict[str, Any], *phases: str, timeout: float = 10.0) -> dict[str, Any]:
        cluster.create("pods", document)
        name = document["metadata"]["name"]
        pods = cluster.wait_until("pods", phase_of(name, *(phases or ("Succeeded", "Failed"))), timeout=timeout)
        return next(p for p in pods if p["metadata"]["name"] == name)

    return run


@pytest.fixture
def container_in(cluster: KubernetesCluster) -> Callable[..., dict[str, Any]]:
    """Wait until a pod's first container is in a state with a reason, e.g. waiting/ErrImagePull; return the pod."""

    def wait(name: str, state: str, reason: str = "", timeout: float = 10.0) -> dict[str, Any]:
        def there(pod: dict[str, Any]) -> bool:
            statuses = pod["status"].get("containerStatuses") or [{}]
            found = statuses[0].get("state", {}).get(state)
            return pod["metadata"]["name"] == name and found is not None and reason in ("", found.get("reason"))

        pods = cluster.wait_until("pods", lambda pods: any(there(p) for p in pods), timeout=timeout)
        return next(p for p in pods if there(p))

    return wait
