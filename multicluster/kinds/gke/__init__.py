"""Google GKE: access tokens of google-auth, node pools over REST."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.kinds.gke.console import console_url, region
from multicluster.kinds.gke.node_pool_options import GkeNodePoolOptions
from multicluster.kinds.gke.node_pool_view import LABEL
from multicluster.kinds.gke.options import GkeOptions

KIND = KindDefinition(
    name="gke",
    options=GkeOptions,
    access="multicluster.kinds.gke.access:GkeAccess",
    node_pool_options=GkeNodePoolOptions,
    node_label=LABEL,
    console_url=console_url,
    region=region,
    extra="gke",
)
