"""EKS: from a name to the first reply of the API server, in a fresh worker process.

Anchor: ``EksPodOperator``'s path with the amazon provider, which describes the cluster each time. Where the aws command
is installed, also a kubeconfig as ``aws eks update-kubeconfig`` writes it: it holds the endpoint, so it stands beside
our pinned registry, and its first reply costs one start of that command.
"""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fresh import Child, Sample, interleaved
from ground import Ground, ground
from row import Row, faster, within

CLUSTER = "gpu-use1"


def measure(repeat: int) -> list[Row]:
    """Measure both our ways (described, pinned) beside the anchors."""
    with ground() as world, tempfile.TemporaryDirectory() as folder:
        medians = interleaved(_children(world, Path(folder)), repeat)
    return _rows(medians)


def _rows(medians: Mapping[str, Sample]) -> list[Row]:
    provider, described, pinned = medians["provider"], medians["described"], medians["pinned"]
    rows = [
        _reply("EKS first reply, DescribeCluster, vs EksPodOperator's path", described, provider, 20),
        _reply("EKS first reply, pinned, vs EksPodOperator's path", pinned, provider, 100),
        faster(
            "EKS first reply, process and imports included, vs EksPodOperator's path",
            "ms",
            ours=described["process"],
            anchor=provider["process"],
            at_least=3,
        ),
    ]
    if command := medians.get("aws eks get-token"):
        rows.append(_reply("EKS first reply, pinned, vs aws eks get-token", pinned, command, 20))
    extra = max(0.0, pinned["again"] - pinned["itself"])
    rows.append(within("EKS second call, beyond the API call itself", "ms", ours=extra, at_most=1))
    return rows


def _reply(name: str, ours: Sample, anchor: Sample, at_least: float) -> Row:
    return faster(name, "ms", ours=ours["reply"], anchor=anchor["reply"], at_least=at_least)


def _children(world: Ground, folder: Path) -> dict[str, Child]:
    # A token's URL names the canonical STS host; the anchors would sign the overridden one, which no verifier accepts.
    stock = {key: value for key, value in world.environment.items() if key != "AWS_ENDPOINT_URL_STS"}
    described = _written(folder / "described.yaml", world.registry)
    pinned = _written(folder / "pinned.yaml", _pin(world.registry, world.kubeconfig))
    admin = _written(folder / "admin.json", world.kubeconfig)
    children = {
        "provider": Child(script="provider_eks.py", environment=stock),
        "described": Child(script="registry_eks.py", arguments=(described, admin), environment=world.environment),
        "pinned": Child(script="registry_eks.py", arguments=(pinned, admin), environment=world.environment),
    }
    if aws := shutil.which("aws"):
        config = _written(folder / "kubeconfig", _with_command(world.kubeconfig, aws))
        children["aws eks get-token"] = Child(script="aws_get_token.py", arguments=(config,), environment=stock)
    return children


def _written(path: Path, document: Mapping[str, Any]) -> str:
    path.write_text(json.dumps(document))  # JSON is YAML
    return str(path)


def _pin(registry: Mapping[str, Any], kubeconfig: Mapping[str, Any]) -> dict[str, Any]:
    """Write endpoint and CA into the registry, which then describes nothing."""
    document = copy.deepcopy(dict(registry))
    entrance = kubeconfig["clusters"][0]["cluster"]
    document["clusters"][0]["auth"]["eks"] |= {
        "endpoint": entrance["server"],
        "certificateAuthorityData": entrance["certificate-authority-data"],
    }
    return document


def _with_command(kubeconfig: Mapping[str, Any], aws: str) -> dict[str, Any]:
    document = copy.deepcopy(dict(kubeconfig))
    arguments = ["--region", "us-east-1", "eks", "get-token", "--cluster-name", CLUSTER, "--output", "json"]
    command = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": aws, "args": arguments}
    document["users"][0]["user"] = {"exec": command}
    return document
