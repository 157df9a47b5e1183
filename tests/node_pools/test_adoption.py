"""What becomes of a pool that is there already when its owner asks for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from multicluster.errors import NodePoolBusyError, NodePoolConflictError
from multicluster.node_pools.adoption import take_over
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePool, NodePoolState

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = Lease(owner="0" * 20, expires_at=NOW + HOUR, ends_at=NOW + 9 * HOUR, term=HOUR)
LOST = replace(LEASE, expires_at=NOW - HOUR)
POOL = NodePool(
    name="mc-train-0", state=NodePoolState.ACTIVE, status="ACTIVE", node_selector=("pool", "mc-train-0"), lease=LEASE
)
FAILED = replace(POOL, state=NodePoolState.FAILED, status="CREATE_FAILED")
DOOMED = [FAILED, replace(POOL, lease=LOST)]


@pytest.mark.parametrize("pool", DOOMED, ids=["failed", "past its lease"])
def test_what_cannot_be_used_any_more_is_deleted_to_be_made_again(pool):
    deleted = []

    with pytest.raises(NodePoolBusyError, match="asked for, ask again"):
        take_over(pool, LEASE, now=NOW, delete=deleted.append, renew=lambda *_: None)
    assert deleted == [pool.name]


@pytest.mark.parametrize("pool", DOOMED, ids=["failed", "past its lease"])
def test_what_a_person_keeps_is_not_deleted_to_be_made_again(pool):
    deleted = []

    with pytest.raises(NodePoolConflictError, match="a person keeps it"):
        take_over(replace(pool, keep=True), LEASE, now=NOW, delete=deleted.append, renew=lambda *_: None)
    assert deleted == []
