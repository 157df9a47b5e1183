"""Amazon EKS: tokens signed in process, managed node groups."""

from __future__ import annotations

from multicluster.access.kind import KindDefinition
from multicluster.kinds.eks.options import EksOptions

KIND = KindDefinition(name="eks", options=EksOptions, access="multicluster.kinds.eks.access:EksAccess", extra="eks")
