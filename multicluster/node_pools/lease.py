"""Who a node pool belongs to, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MANAGED_BY = "multicluster-managed-by"
OWNER = "multicluster-owner"
EXPIRES = "multicluster-expires"
MANAGER = "airflow-multicluster"


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Owner and expiry of a pool, kept on the pool itself: the cloud is the record.

    ``owner`` is a digest (see naming.owner); ``expires_at`` is UTC, kept in whole seconds.
    """

    owner: str
    expires_at: datetime

    def to_labels(self) -> dict[str, str]:
        """Encode in the characters that AWS tags and Google labels both allow (``[a-z0-9_-]``, at most 63)."""
        return {MANAGED_BY: MANAGER, OWNER: self.owner, EXPIRES: str(int(self.expires_at.timestamp()))}

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Lease | None:
        """Read a lease back; None when the pool is not ours or its lease cannot be read."""
        if labels.get(MANAGED_BY) != MANAGER:
            return None
        try:
            return cls(owner=labels[OWNER], expires_at=datetime.fromtimestamp(int(labels[EXPIRES]), tz=UTC))
        except (KeyError, ValueError, OverflowError):
            return None
