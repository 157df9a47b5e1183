"""One process that has every secret, runs every sort of task, and leaves what it leaves."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from multicluster.testing.world import NOWHERE

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))
LISTENED = (
    "multicluster",
    "airflow_multicluster",
    "airflow.task",
    "botocore",
    "google",
    "urllib3",
    "kubernetes_asyncio",
)
"""Whose every word is looked through. At DEBUG Airflow's stand-in for a supervisor writes what it is told to mask."""
STOCK = """
from airflow.providers.amazon.aws.operators.eks import EksPodOperator
from airflow.sdk import DAG

with DAG("migrated", schedule=None):
    EksPodOperator(
        task_id="fit", pod_name="fit", cluster_name="gpu-use1", region="us-east-1", image="busybox:1.37",
        cmds=["sh", "-c", "exit 0"], env_vars={"API_TOKEN": "{{ var.value.api_token }}"},
    )
"""


@dataclass(frozen=True, kw_only=True)
class Left:
    """What the process has left, and what it must not have left."""

    folder: Path
    """Its home, temporary folder, Airflow's home with the database, working folder and output."""
    secrets: dict[str, str]
    outcomes: dict[str, dict[str, str]]
    """How each DAG (``state``) and each of its tasks ended."""
    world: object

    @property
    def database(self) -> Path:
        return self.folder / "airflow" / "airflow.db"

    @property
    def output(self) -> str:
        return (self.folder / "output.log").read_text()


@pytest.fixture(scope="session")
def canary_world(tmp_path_factory):
    from multicluster.simulator import Delays, World

    with World(delays=Delays.none(), root=tmp_path_factory.mktemp("world")) as world:
        world.add_eks("gpu-use1")
        world.add_gke("gpu-euw4")
        world.add_plain("here")
        yield world


@pytest.fixture(scope="session")
def left(canary_world, tmp_path_factory) -> Left:
    from canary_hunt.planted import spent

    world, given = canary_world, tmp_path_factory.mktemp("given")
    secrets, connections, keys = arm(world, given)
    folder = tmp_path_factory.mktemp("left")
    for name in ("home", "tmp", "airflow", "cwd"):
        (folder / name).mkdir()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **world.env(),
        **keys,
        **connections,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS": " ".join(f"{name}=DEBUG" for name in LISTENED),
        "AIRFLOW__MULTICLUSTER__DEPLOYMENT": "canaries",
        "AIRFLOW__API_AUTH__JWT_SECRET": "0" * 64,
        "MULTICLUSTER_REGISTRY": str(write_registry(world, given)),
    }
    with (folder / "output.log").open("wb") as output:
        command = [sys.executable, str(HERE / "runs.py"), str(given / "outcomes.json"), *map(str, dag_files(given))]
        ended = subprocess.run(
            command, env=environment, cwd=folder / "cwd", stdout=output, stderr=output, timeout=400, check=False
        )
    assert ended.returncode == 0, (folder / "output.log").read_text()[-4000:]
    outcomes = json.loads((given / "outcomes.json").read_text())
    return Left(folder=folder, secrets=secrets | spent(world), outcomes=outcomes, world=world)


def dag_files(given: Path) -> list[Path]:
    import airflow_multicluster
    from multicluster.migration.proposal import Proposal
    from multicluster.migration.source import migrate

    migrated = given / "migrated.py"
    migrated.write_text(migrate("d.py", STOCK.encode(), Proposal()).after.decode())
    demo = Path(airflow_multicluster.__file__).parent / "demo" / "dags" / "train_on_gpus.py"
    return [HERE / "dags" / "canaries.py", migrated, demo]


def arm(world, given: Path) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Make secrets of every sort; return those to look for, and the environment that holds them."""
    role = world.aws.iam.add_role("airflow")
    session = world.aws.iam.open_session(role, "worker", 3600)
    user = world.aws.iam.add_user("of-connection")
    account = world.google.key_file("trainer")
    for entrance in world.entrances.values():
        document = {"metadata": {"name": "keys"}, "stringData": {"word": "c4n4ry-of-a-kubernetes-secret"}}
        entrance.kubernetes.create("secrets", document)
    secrets = {
        "session's key": session.secret,
        "session token": session.session_token,
        "connection's key": user.secret,
        "service account's key": account["private_key"].splitlines()[3],
        "Kubernetes secret": "c4n4ry-of-a-kubernetes-secret",
        "Airflow variable": "c4n4ry-of-an-airflow-variable",
        "environment": "c4n4ry-of-the-environment",
        "kubeconfig's key": write_kubeconfig(world, given),
        "kubeconfig's token": world.entrances["here"].admin_token,
        "refused token": "c4n4ry-token-that-is-refused",
        "plugin's token": "c4n4ry-token-of-a-plugin",
    }
    connections = {
        "AIRFLOW_CONN_AWS_TRAIN": json.dumps({"conn_type": "aws", "login": user.id, "password": user.secret}),
        "AIRFLOW_CONN_GCP_TRAIN": json.dumps(
            {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": account, "project": "acme"}}
        ),
        "AIRFLOW_VAR_API_TOKEN": secrets["Airflow variable"],
        "WORKERS_PASSWORD": secrets["environment"],
    }
    keys = {
        "AWS_ACCESS_KEY_ID": session.id,
        "AWS_SECRET_ACCESS_KEY": session.secret,
        "AWS_SESSION_TOKEN": session.session_token,
    }
    return secrets, connections, keys


def write_kubeconfig(world, given: Path) -> str:
    """Write ways into clusters, and one out of each plugin; return a line of the client key's PEM."""
    from canary_hunt.planted import client_certificate

    certificate, key = client_certificate()
    known = world.kubeconfig()
    server = next(one["cluster"] for one in known["clusters"] if one["name"] == "here")
    answer = json.dumps({"kind": "ExecCredential", "status": {"token": "c4n4ry-token-of-a-plugin"}})
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "interactiveMode": "Never",
        "command": "/bin/sh",
        "args": ["-c", f"echo '{answer}'; echo no login >&2; exit 3"],
    }
    users = {
        "by-kubeconfig": {
            "token": world.entrances["here"].admin_token,
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        },
        "refused": {"token": "c4n4ry-token-that-is-refused"},
        "broken-plugin": {"exec": plugin},
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": server}],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [{"name": name, "context": {"cluster": "here", "user": name}} for name in users],
    }
    (given / "kubeconfig").write_text(json.dumps(document))
    return key.decode().splitlines()[2]


def write_registry(world, given: Path) -> Path:
    """Write the world's clusters, and more names for them, each with another way in."""
    document = world.registry()
    eks = {"clusterName": "gpu-use1", "region": "us-east-1"}
    gke = {"projectId": "acme", "location": "europe-west4", "clusterName": "gpu-euw4", "endpoint": "dns"}
    role = next(arn for arn in world.aws.iam.roles if arn.endswith("/airflow"))
    ways = {
        "by-session": {"eks": eks},
        "by-role": {"eks": {**eks, "credentials": {"roles": [{"roleArn": role}]}}},
        "by-connection": {"eks": {**eks, "credentials": {"connection": "aws_train"}}},
        "by-key": {"gke": {**gke, "credentials": {"connection": "gcp_train"}}},
    }
    for context in ("by-kubeconfig", "refused", "broken-plugin"):
        ways[context] = {"kubeconfig": {"path": str(given / "kubeconfig"), "context": context}}
    ways["broken-plugin"]["kubeconfig"]["allowExec"] = True
    document["clusters"] += [{"name": name, "auth": auth} for name, auth in ways.items()]
    path = given / "registry.json"
    path.write_text(json.dumps(document))
    return path
