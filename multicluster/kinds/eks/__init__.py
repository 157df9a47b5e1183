"""Amazon EKS: tokens signed in process, managed node groups."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.kinds.eks.console import console_url, region
from multicluster.kinds.eks.node_pool_options import EksNodePoolOptions
from multicluster.kinds.eks.node_pool_view import LABEL
from multicluster.kinds.eks.options import EksOptions

KIND = KindDefinition(
    name="eks",
    options=EksOptions,
    access="multicluster.kinds.eks.access:EksAccess",
    node_pool_options=EksNodePoolOptions,
    node_label=LABEL,
    console_url=console_url,
    region=region,
    extra="eks",
)
