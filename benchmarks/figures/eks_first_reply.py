"""EKS: from a name to the first reply of the API server, in a fresh worker process.

Two anchors, the same bars against each: ``EksPodOperator``'s path with the amazon provider, which describes the cluster
each time; and, where the aws command is installed, a kubeconfig as ``aws eks update-kubeconfig`` writes it, whose first
reply costs one start of that command. That kubeconfig holds the endpoint, so only our pinned registry is its like.
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
ANCHORS = {"provider": "EksPodOperator's path", "command": "aws eks get-token"}


def measure(repeat: int) -> list[Row]:
    """Measure both our ways (described, pinned) beside the anchors."""
    with ground() as world, tempfile.TemporaryDirectory() as folder:
        medians = interleaved(_children(world, Path(folder)), repeat)
    return _rows(medians)


def _rows(medians: Mapping[str, Sample]) -> list[Row]:
    described, pinned = medians["described"], medians["pinned"]
    rows = []
    for child, named in ANCHORS.items():
        if anchor := medians.get(child):
            rows += [
                _row(f"EKS first reply, DescribeCluster, vs {named}", "reply", described, anchor, 20),
                _row(f"EKS first reply, pinned, vs {named}", "reply", pinned, anchor, 100),
                _row(f"EKS first reply, process and imports included, vs {named}", "process", described, anchor, 3),
            ]
    extra = max(0.0, pinned["again"] - pinned["itself"])
    rows.append(within("EKS second call, beyond the API call itself", "ms", ours=extra, at_most=1))
    return rows


def _row(name: str, key: str, ours: Sample, anchor: Sample, at_least: float) -> Row:
    return faster(name, "ms", ours=ours[key], anchor=anchor[key], at_least=at_least)


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
        children["command"] = Child(script="aws_get_token.py", arguments=(config,), environment=stock)
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
