"""Judge whether a lease is to be renewed, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from multicluster.node_pools.lease import LATE, Lease


def renewed(lease: Lease, now: datetime, *, share: float = 0.5) -> Lease | None:
    """Return what *lease* becomes at *now*; None while more than *share* of its term is left, or none may follow.

    A lease that expired longer than LATE ago is lost: its pool may be on its way out. The end is never moved.
    """
    if lease.term is None or lease.ends_at is None or lease.expires_at >= lease.ends_at:
        return None
    left = lease.expires_at - now
    if left > lease.term * share or lost(lease, now):
        return None
    return replace(lease, expires_at=min(now + lease.term, lease.ends_at))


def lost(lease: Lease, now: datetime) -> bool:
    """Whether nobody may renew *lease* any more: it expired more than LATE ago."""
    return lease.expires_at - now < -LATE
