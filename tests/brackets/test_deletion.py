"""Whose pool a bracket may delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from multicluster.brackets.deletion import delete_pool
from multicluster.brackets.place import Place
from multicluster.errors import NodePoolConflictError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePool, NodePoolState

OWNER = "0" * 20
OURS = NodePool(
    name="mc-train-0",
    state=NodePoolState.ACTIVE,
    status="ACTIVE",
    node_selector=("pool", "mc-train-0"),
    lease=Lease(owner=OWNER, expires_at=datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=1)),
)


def deleted(pool):
    """Return what a bracket deletes when *pool* is what the cloud has."""
    asked = []
    pools = SimpleNamespace(get=lambda _: pool, delete=asked.append)
    delete_pool(SimpleNamespace(node_pools=lambda: pools), Place(cluster="nam", pool=pool.name, owner=OWNER))
    return asked


def test_a_bracket_deletes_its_own_pool():
    assert deleted(OURS) == [OURS.name]


def test_a_bracket_leaves_alone_what_a_person_keeps():
    with pytest.raises(NodePoolConflictError, match="kept by a person"):
        deleted(replace(OURS, keep=True))
