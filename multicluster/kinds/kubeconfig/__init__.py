"""A context of a kubeconfig."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.kinds.kubeconfig.options import KubeconfigOptions

KIND = KindDefinition(
    name="kubeconfig", options=KubeconfigOptions, access="multicluster.kinds.kubeconfig.access:KubeconfigAccess"
)
