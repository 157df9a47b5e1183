"""``multicluster pools list|delete``: node pools as the clouds know them, with their leases."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, print_json, print_rows, say
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.errors import MulticlusterError, NodePoolConflictError, NodePoolsUnsupportedError

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.node_pools.pool import NodePool
    from multicluster.registry.cluster import Cluster

COLUMNS = ("cluster", "pool", "state", "status", "size", "owner", "lease", "problems")


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``pools``."""
    parser = subparsers.add_parser("pools", help="list and delete node pools")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="list the node pools of one cluster, or of all")
    listing.add_argument("name", nargs="?", help="the cluster's name in the registry; all clusters without it")
    deleting = verbs.add_parser("delete", help="delete a node pool; without --apply only say what would be done")
    deleting.add_argument("name", metavar="cluster", help="the cluster's name in the registry")
    deleting.add_argument("pool", help="the node pool's name")
    deleting.add_argument("--apply", action="store_true", help="do it")
    deleting.add_argument("--not-ours", action="store_true", help="allow a pool without a lease of this toolkit")
    for verb in (listing, deleting):
        add_output_argument(verb)
        add_registry_argument(verb)


def run(args: argparse.Namespace) -> int:
    """List, or delete."""
    return _delete(args) if args.verb == "delete" else _list(args)


def lease_left(pool: NodePool, now: datetime) -> str:
    """Say how long the lease lasts: ``1h05m``, ``over for 0h10m``, or that there is none."""
    if pool.lease is None:
        return "not ours"
    left = pool.lease.expires_at - now
    return f"over for {_hours(-left)}" if left < timedelta() else _hours(left)


def pool_row(cluster: str, pool: NodePool, now: datetime) -> dict[str, Any]:
    """Return what is printed of a pool."""
    return {
        "cluster": cluster,
        "pool": pool.name,
        "state": pool.state.value,
        "status": pool.status,
        "size": pool.size,
        "owner": pool.lease.owner if pool.lease else None,
        "lease": lease_left(pool, now),
        "lease_expires": pool.lease.expires_at.isoformat() if pool.lease else None,
        "problems": [f"{problem.code}: {problem.message}" for problem in pool.problems],
    }


def _list(args: argparse.Namespace) -> int:
    registry = registry_from(args)
    if args.name:
        print_rows(args, _rows(registry[args.name]), COLUMNS)
        return 0
    rows: list[dict[str, Any]] = []
    failed = False
    for cluster in registry.values():
        try:
            rows += _rows(cluster)
        except NodePoolsUnsupportedError:
            continue
        except MulticlusterError as error:
            failed = True
            say(f"multicluster: {error}")
    print_rows(args, rows, COLUMNS)
    return 1 if failed else 0


def _rows(cluster: Cluster) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    return (pool_row(cluster.name, pool, now) for pool in cluster.node_pools().list())


def _delete(args: argparse.Namespace) -> int:
    cluster = registry_from(args)[args.name]
    cluster.check_identity()
    pools = cluster.node_pools()
    pool = pools.get(args.pool)
    if pool.lease is None and not args.not_ours:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} on cluster {cluster.name!r} has no lease of ours, so somebody else made it; "
            "it is left alone unless you add --not-ours"
        )
    row = {**pool_row(cluster.name, pool, datetime.now(UTC)), "machines": list(pools.instances(pool.name))}
    if args.apply:
        pools.delete(pool.name)
    if args.output == "json":
        print_json({**row, "deletion_asked": args.apply})
    else:
        _tell(row, asked=args.apply)
    return 0


def _tell(row: dict[str, Any], *, asked: bool) -> None:
    verb = "deletion asked for:" if asked else "would delete:"
    machines = ", ".join(row["machines"]) or "no machines"
    print(
        f"{verb} node pool {row['pool']} on cluster {row['cluster']} "
        f"({row['status']}, lease: {row['lease']}, owner: {row['owner'] or '-'}, {machines})"
    )
    if asked:
        say(f"look at its end with: multicluster pools list {row['cluster']}")
    else:
        say("nothing was deleted; add --apply to do it")


def _hours(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    return f"{minutes // 60}h{minutes % 60:02d}m"
