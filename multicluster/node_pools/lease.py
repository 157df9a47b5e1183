"""Who a node pool belongs to, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from multicluster.node_pools.origin import Origin

MANAGED_BY = "multicluster-managed-by"
OWNER = "multicluster-owner"
EXPIRES = "multicluster-expires"
ENDS = "multicluster-ends"
TERM = "multicluster-term"
KEEP = "multicluster-keep"
"""A person's word on a pool: with this tag, whatever its value, nobody but a person deletes it."""
MANAGER = "airflow-multicluster"

AN_HOUR = timedelta(hours=1)
"""How long a lease lasts, and each renewal, unless somebody says otherwise."""
GRACE = timedelta(minutes=15)
"""How long after a lease's expiry the pool is left alone; then the dead-man switch fires, and the reaper may act."""
LATE = timedelta(minutes=5)
"""How long after its expiry a lease may still be renewed; so much less than GRACE that nobody renews what is being
reaped."""
LONGEST = timedelta(days=3650)
"""No lease, and no renewal, lasts longer."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""A tag with a moment beyond these is no lease: what is reckoned from one must stay a date."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Owner and expiry of a pool, kept on the pool itself: the cloud is the record.

    All times are UTC, kept in whole seconds.
    """

    owner: str
    """A digest; see naming.owner."""
    expires_at: datetime
    """Until then the pool is wanted, unless the lease is renewed."""
    ends_at: datetime | None = None
    """No renewal goes beyond it; None: no renewal at all."""
    term: timedelta | None = None
    """How long a renewal lasts; None: no renewal at all."""
    origin: Origin | None = None
    """What the owner's digest was made of; None where nobody said, or where it does not make the digest."""

    def to_labels(self) -> dict[str, str]:
        """Encode in the characters that AWS tags and Google labels both allow (``[a-z0-9_-]``, at most 63)."""
        labels = {MANAGED_BY: MANAGER, OWNER: self.owner, EXPIRES: _seconds(self.expires_at)}
        if self.ends_at is not None:
            labels[ENDS] = _seconds(self.ends_at)
        if self.term is not None:
            labels[TERM] = str(int(self.term.total_seconds()))
        return labels | (self.origin.to_labels() if self.origin else {})

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Lease | None:
        """Read a lease back; None when the pool is not ours or its lease cannot be read."""
        if labels.get(MANAGED_BY) != MANAGER:
            return None
        origin = Origin.from_labels(labels)
        try:
            return cls(
                owner=labels[OWNER],
                expires_at=read_moment(labels[EXPIRES]),
                ends_at=read_moment(labels[ENDS]) if ENDS in labels else None,
                term=_duration(labels[TERM]) if TERM in labels else None,
                origin=origin if origin and origin.owner == labels[OWNER] else None,
            )
        except (KeyError, ValueError, OverflowError):
            return None


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def read_moment(seconds: str) -> datetime:
    """Read epoch seconds that others may have written. Raises ValueError or OverflowError for what is no moment."""
    moment = FIRST + timedelta(seconds=int(seconds))
    if not FIRST <= moment <= LAST:
        raise ValueError(f"{moment} is no moment of a lease")
    return moment


def _duration(seconds: str) -> timedelta:
    duration = timedelta(seconds=int(seconds))
    if not timedelta() <= duration <= LONGEST:
        raise ValueError(f"{duration} is no term")
    return duration
