"""What the registry says below ``auth.inCluster``: nothing."""

from __future__ import annotations

from multicluster.node_pools.profile import Document


class InClusterOptions(Document):
    """The cluster that the resolving process runs in."""
