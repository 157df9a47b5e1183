"""Let every Python on this path know shorter times after a lease than those that a real cloud is given."""

from __future__ import annotations

from datetime import timedelta

from multicluster.node_pools import lease

lease.LATE, lease.GRACE = timedelta(seconds=20), timedelta(seconds=40)
