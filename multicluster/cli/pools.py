"""``multicluster pools [list|delete]``: node pools as the clouds know them, with their leases and what they cost."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, print_json, say
from multicluster.cli.pool_rows import armed, pool_row, pool_rows
from multicluster.cli.pools_table import print_pools
from multicluster.cli.pools_watch import EVERY_SECONDS, seconds, watch
from multicluster.cli.sources import add_registry_argument, registry_from
from multicluster.errors import (
    MulticlusterError,
    NodePoolConflictError,
    NodePoolNotFoundError,
    NodePoolsUnsupportedError,
)

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.registry.cluster import Cluster
    from multicluster.registry.registry import Registry

AT_ONCE = 8
"""Clusters that are asked at the same time."""


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``pools``."""
    parser = subparsers.add_parser(
        "pools",
        help="list and delete node pools",
        description="Node pools of all clusters: whose they are, until when, what they used and cost so far, and "
        "whether the cloud itself would end them. Without a verb: list.",
    )
    add_output_argument(parser)
    add_registry_argument(parser)
    _add_watch_argument(parser)
    parser.set_defaults(name=None)
    verbs = parser.add_subparsers(dest="verb", metavar="[VERB]")
    # An option may stand before the verb or behind it: what is not said behind it must not undo what was said before.
    silent: dict[str, Any] = {"argument_default": argparse.SUPPRESS}
    listing = verbs.add_parser("list", help="list the node pools of one cluster, or of all", **silent)
    listing.add_argument("name", nargs="?", help="the cluster's name in the registry; all clusters without it")
    _add_watch_argument(listing)
    deleting = verbs.add_parser(
        "delete", help="delete a node pool; without --apply only say what would be done", **silent
    )
    deleting.add_argument("name", metavar="cluster", help="the cluster's name in the registry")
    deleting.add_argument("pool", help="the node pool's name")
    deleting.add_argument("--apply", action="store_true", default=False, help="do it")
    strange = "allow a pool without a lease of this toolkit"
    deleting.add_argument("--not-ours", action="store_true", default=False, help=strange)
    for verb in (listing, deleting):
        verb.add_argument("--output", choices=("text", "json"), help="what to print on stdout")
        add_registry_argument(verb)


def run(args: argparse.Namespace) -> int:
    """List, once or again and again, or delete."""
    if args.verb == "delete":
        return _delete(args)
    registry = registry_from(args)
    if not args.watch:
        rows, errors = _look(registry, args.name)
        _show(args, rows, errors)
        return 1 if errors else 0

    def look() -> Callable[[], None]:
        rows, errors = _look(registry, args.name)
        return lambda: _show(args, rows, errors)

    return watch(look, every=args.watch, dated=args.output == "text")


def _add_watch_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--watch",
        nargs="?",
        type=seconds,
        const=EVERY_SECONDS,
        metavar="SECONDS",
        help=f"look again every so many seconds ({EVERY_SECONDS} if not said) until Ctrl-C",
    )


def _look(registry: Registry, name: str | None) -> tuple[list[dict[str, Any]], list[MulticlusterError]]:
    """Return rows, and the errors of clusters that could not be asked; who names a cluster gets its error raised."""
    now = datetime.now(UTC)
    if name:
        return list(pool_rows(registry[name], now)), []
    rows: list[dict[str, Any]] = []
    errors: list[MulticlusterError] = []

    def ask(cluster: Cluster) -> list[dict[str, Any]] | MulticlusterError:
        try:
            return list(pool_rows(cluster, now))
        except NodePoolsUnsupportedError:
            return []
        except MulticlusterError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(ask, registry.values()):
            if isinstance(answer, MulticlusterError):
                errors.append(answer)
            else:
                rows += answer
    return rows, errors


def _show(args: argparse.Namespace, rows: list[dict[str, Any]], errors: list[MulticlusterError]) -> None:
    if args.output == "json":
        print_json(rows)
    else:
        print_pools(rows)
        if not rows and not errors:
            say("no node pools")
    for error in errors:
        say(f"multicluster: {error}")


def _delete(args: argparse.Namespace) -> int:
    cluster = registry_from(args)[args.name]
    cluster.check_identity()
    pools = cluster.node_pools()
    try:
        pool = pools.get(args.pool)
    except NodePoolNotFoundError as error:
        raise NodePoolNotFoundError(f"{error} To see which are there: multicluster pools list {args.name}") from error
    if pool.lease is None and not args.not_ours:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} on cluster {cluster.name!r} has no lease of ours, so somebody else made it; "
            "it is left alone unless you add --not-ours"
        )
    row = pool_row(cluster, pool, datetime.now(UTC), armed(cluster, pools, pool))
    row["machines"] = list(pools.instances(pool.name))
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
        f"({row['status']}, lease: {row['lease']}, owner: {row['wanted_for'] or row['owner'] or '-'}, {machines})"
    )
    if asked:
        say(f"look at its end with: multicluster pools list {row['cluster']}")
    else:
        say("nothing was deleted; add --apply to do it")
