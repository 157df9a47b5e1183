"""The cluster that this process runs in, reached with its pod's service account."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.kinds.in_cluster.options import InClusterOptions

KIND = KindDefinition(
    name="inCluster", options=InClusterOptions, access="multicluster.kinds.in_cluster.access:InClusterAccess"
)
