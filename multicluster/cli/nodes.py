"""``multicluster nodes NAME...``: the nodes of clusters, with what pods can get there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, print_rows
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.errors import AccessError
from multicluster.node_pools.node_facts import NodeFacts

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.registry.cluster import Cluster

POOL_LABELS = (
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "karpenter.sh/nodepool",
    "kubernetes.azure.com/agentpool",
)
COLUMNS = ("node", "pool", "ready", "gpus", "taints", "age")
PLAIN = ("hugepages-", "attachable-volumes-")


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``nodes``."""
    parser = subparsers.add_parser(
        "nodes",
        help="list the nodes of clusters, with their GPUs",
        description="List nodes: their pool, whether they are Ready, GPUs that pods can get (allocatable), taints.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="a cluster's name in the registry")
    add_output_argument(parser)
    add_registry_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print a row for each node."""
    registry = registry_from(args)
    clusters = [registry[name] for name in args.names]
    now = datetime.now(UTC)
    rows = [row for cluster in clusters for row in node_rows(cluster, now)]
    print_rows(args, rows, COLUMNS if len(clusters) == 1 else ("cluster", *COLUMNS))
    return 0


def node_rows(cluster: Cluster, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row for each node; blocks. Raises AccessError."""
    for facts in sorted(_nodes(cluster), key=lambda node: node.name):
        gpus = {name: facts.offers(name) for name in facts.allocatable if "/" in name and not name.startswith(PLAIN)}
        yield {
            "cluster": cluster.name,
            "node": facts.name,
            "pool": next((facts.labels[label] for label in POOL_LABELS if label in facts.labels), None),
            "ready": _condition(facts),
            "gpus": gpus,
            "taints": [str(taint) for taint in facts.taints],
            "age": age(now - facts.created_at) if facts.created_at else None,
        }


def age(lived: timedelta) -> str:
    """Write a duration in its largest unit, as kubectl does: 45s, 12m, 5h, 3d."""
    seconds = max(int(lived.total_seconds()), 0)
    for unit, size, most in (("s", 1, 120), ("m", 60, 120 * 60), ("h", 3600, 48 * 3600)):
        if seconds < most:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"


def _condition(facts: NodeFacts) -> str:
    words = ["Ready" if facts.ready else "NotReady"]
    words += ["cordoned"] if facts.unschedulable else []
    words += ["deleting"] if facts.deleting else []
    return ",".join(words)


def _nodes(cluster: Cluster) -> list[NodeFacts]:
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

    api = CoreV1Api(cluster.client())
    try:
        answer = api.list_node()
    except ApiException as error:
        raise AccessError(
            f"cluster {cluster.name!r}: listing nodes is answered {error.status} {error.reason}; "
            "the identity needs get, list and watch on nodes"
        ) from error
    return [NodeFacts.from_object(node) for node in api.api_client.sanitize_for_serialization(answer)["items"]]
