"""A testbed whose API server asks AWS's own verifier about every bearer token."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import config
from kubernetes.client import ApiClient, CoreV1Api, RbacAuthorizationV1Api
from kubernetes.client.exceptions import ApiException

from multicluster.grounds.launcher import Launcher
from multicluster.grounds.lifeline import Lifeline
from multicluster.simulator import World

from .aws_verifier import TESTBED, NotBuiltError, ways
from .signing import CLUSTER, REGION, ROLE

ACCOUNT = "111122223333"
GROUP, NAMESPACE = "ml-runners", "ml"
GOOGLE_USER = "runner@acme.iam.gserviceaccount.com"
MAPPING = {
    "roles": [
        {"rolearn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "username": "aws:{{SessionName}}", "groups": [GROUP]},
    ],
    "users": [{"userarn": f"arn:aws:iam::{ACCOUNT}:user/alice", "username": "alice", "groups": []}],
}
RULES = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get", "list", "watch", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "list", "watch"]},
]


@dataclass(frozen=True, kw_only=True)
class RealCluster:
    """Where the API server is, and what the verifier noted."""

    server: str
    ca_pem: bytes
    log: Path

    def reasons(self) -> list[str]:
        """Return why tokens were refused, oldest first."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["refused"] for line in lines if line["refused"]]

    def eks(self, cluster_name: str = CLUSTER, role: str = ROLE) -> dict[str, Any]:
        """Write the cluster as a registry document has it; the pins spare DescribeCluster."""
        return {
            "clusterName": cluster_name,
            "region": REGION,
            "endpoint": self.server,
            "certificateAuthorityData": base64.b64encode(self.ca_pem).decode(),
            "credentials": {"roles": [{"roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}]},
        }

    def raw(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Send one GET with a token, and return status and body."""
        with urllib3.PoolManager(ca_cert_data=self.ca_pem.decode(), retries=False, timeout=40) as pool:
            answer = pool.request("GET", self.server + path, headers={"Authorization": f"Bearer {token}"})
            return answer.status, answer.json()


@contextlib.contextmanager
def real_cluster(world: World, folder: Path) -> Iterator[RealCluster]:
    """Start a testbed behind the verifier, and end both. Raises NotBuiltError where the machine cannot run one."""
    launcher = Launcher(command=TESTBED / "run", home=folder / "testbed")
    before = launcher.ask("preflight")
    if before["missing"] or not before["built"]:
        missing = ", ".join(one["what"] for one in before["missing"]) or "its binaries; `make testbed` builds them"
        raise NotBuiltError(f"no testbed here: {missing}")
    mapping = folder / "mapping.json"
    mapping.write_text(json.dumps(MAPPING))
    judge = [f"-cluster={CLUSTER}", f"-region={REGION}", *ways(world), f"-mapping={mapping}"]
    judge.append(f"-tokeninfo={world.google.url}/tokeninfo")
    lifeline = Lifeline(launcher.words("down"), folder / "lifeline.log")
    try:
        up = launcher.ask("up", "--cluster-name", CLUSTER, *(f"--verifier-argument={one}" for one in judge))
        document = yaml.safe_load(Path(up["kubeconfig"]).read_text())
        grant(config.new_client_from_config_dict(document))
        ca_pem = base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"])
        yield RealCluster(server=up["server"], ca_pem=ca_pem, log=Path(up["logs"]) / "verifier.log")
    finally:
        launcher.ask("down")
        lifeline.dismiss()


def grant(admin: ApiClient) -> None:
    """Let the group run pods in one namespace, and Google's user list them."""
    CoreV1Api(admin).create_namespace({"metadata": {"name": NAMESPACE}})
    rbac = RbacAuthorizationV1Api(admin)
    rbac.create_namespaced_role(NAMESPACE, {"metadata": {"name": "runner"}, "rules": RULES})
    subjects = [{"kind": "Group", "name": GROUP}, {"kind": "User", "name": GOOGLE_USER}]
    rbac.create_namespaced_role_binding(
        NAMESPACE,
        {
            "metadata": {"name": "runner"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "runner"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", **subject} for subject in subjects],
        },
    )


def message(error: ApiException) -> str:
    """Return the sentence of a refusal."""
    return str(json.loads(error.body)["message"])
