"""What is told of a node pool: everything for machines, what matters for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from multicluster.errors import MulticlusterError
from multicluster.node_pools.durations import hours
from multicluster.node_pools.prices import bundled
from multicluster.node_pools.usage import usage

if TYPE_CHECKING:
    from multicluster.node_pools.origin import Origin
    from multicluster.node_pools.pool import NodePool
    from multicluster.node_pools.protocol import NodePools
    from multicluster.registry.cluster import Cluster

COLUMNS = ("cluster", "pool", "owner", "state", "age", "lease", "ends", "gpu-hours", "cost", "armed", "problems")
NOT_ARMED, OFF, UNKNOWN = "NOT ARMED", "off", "unknown"


@dataclass(frozen=True, kw_only=True)
class Armed:
    """What the cloud itself does when nobody of ours is alive."""

    until: datetime | None = None
    word: str | None = None
    """For people; None for a pool that is not ours."""
    error: str | None = None


def pool_rows(cluster: Cluster, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a row for each pool of a cluster; blocks. Raises AccessError, NodePoolError."""
    pools = cluster.node_pools()
    for pool in pools.list():
        yield pool_row(cluster, pool, now, armed(cluster, pools, pool))


def armed(cluster: Cluster, pools: NodePools, pool: NodePool) -> Armed:
    """Ask whether a pool's dead-man switch is armed; one that cannot be asked for is unknown. Blocks."""
    if pool.lease is None:
        return Armed()
    try:
        until = pools.armed(pool.name)
    except MulticlusterError as error:
        return Armed(word=UNKNOWN, error=str(error))
    if until is not None:
        return Armed(until=until, word=f"{until:%m-%d %H:%MZ}")
    off = getattr(cluster.document.node_pools.options, "dead_man", None) == OFF
    return Armed(word=OFF if off else NOT_ARMED)


def pool_row(cluster: Cluster, pool: NodePool, now: datetime, switch: Armed) -> dict[str, Any]:
    """Return all that is known of a pool; durations in seconds, times in ISO 8601."""
    lease, origin = pool.lease, pool.lease.origin if pool.lease else None
    used = usage(
        pool,
        kind=cluster.kind,
        region=cluster.region,
        profiles=cluster.document.node_pools.profiles.values(),
        prices=bundled(),
        now=now,
    )
    return {
        "cluster": cluster.name,
        "pool": pool.name,
        "state": pool.state.value,
        "status": pool.status,
        "size": pool.size,
        "machine_type": pool.machine_type,
        "owner": lease.owner if lease else None,
        "dag_id": origin.dag_id if origin else None,
        "run_id": origin.run_id if origin else None,
        "group_id": origin.group_id if origin else None,
        "map_index": origin.map_index if origin else None,
        "deployment": origin.deployment if origin else None,
        "wanted_for": _wanted_for(origin),
        "lease": lease_left(pool, now),
        "lease_expires": _iso(lease.expires_at if lease else None),
        "lease_left_seconds": _seconds(lease.expires_at - now if lease else None),
        "lease_ends": _iso(lease.ends_at if lease else None),
        "keep": pool.keep,
        "armed": switch.word,
        "armed_until": _iso(switch.until),
        "armed_error": switch.error,
        "created_at": _iso(pool.created_at),
        "age_seconds": _seconds(used.age),
        "gpus_per_node": used.gpus_per_node,
        "gpu_hours": _rounded(used.gpu_hours),
        "usd": _rounded(used.usd),
        "price_date": used.price_date,
        "console": cluster.console_url(pool.name),
        "problems": [f"{problem.code}: {problem.message}" for problem in pool.problems],
    }


def cells(row: dict[str, Any]) -> dict[str, str]:
    """Return what people are shown of a row, by COLUMNS."""
    age, ends, usd = row["age_seconds"], row["lease_ends"], row["usd"]
    return {
        "cluster": row["cluster"],
        "pool": row["pool"],
        "owner": row["wanted_for"] or row["owner"] or "-",
        "state": row["state"] + (" (kept)" if row["keep"] else ""),
        "age": hours(timedelta(seconds=age)) if age is not None else "-",
        "lease": row["lease"],
        "ends": f"{datetime.fromisoformat(ends):%m-%d %H:%MZ}" if ends else "-",
        "gpu-hours": f"{row['gpu_hours']:.1f}" if row["gpu_hours"] is not None else "-",
        "cost": f"about ${usd:.2f} ({row['price_date']})" if usd is not None else "-",
        "armed": row["armed"] or "-",
        "problems": ", ".join(row["problems"]) or "-",
    }


def lease_left(pool: NodePool, now: datetime) -> str:
    """Say how long the lease lasts: ``1h05m``, ``over for 0h10m``, or that there is none."""
    if pool.lease is None:
        return "not ours"
    left = pool.lease.expires_at - now
    return f"over for {hours(-left)}" if left < timedelta() else hours(left)


def _wanted_for(origin: Origin | None) -> str | None:
    if origin is None:
        return None
    index = f"[{origin.map_index}]" if origin.map_index >= 0 else ""
    return f"{origin.dag_id} / {origin.run_id} / {origin.group_id}{index}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _seconds(duration: timedelta | None) -> int | None:
    return int(duration.total_seconds()) if duration is not None else None


def _rounded(number: float | None) -> float | None:
    return round(number, 4) if number is not None else None
