"""Say where people look at EKS node groups; nobody is asked."""

from __future__ import annotations

from urllib.parse import quote

from multicluster.kinds.eks.options import EksOptions

CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
"""By how the region begins; partitions without a known console (isolated, European Sovereign Cloud) have none here."""
UNKNOWN = ("us-iso", "eu-isoe-", "eusc-")


def region(options: EksOptions) -> str:
    """Return the region whose prices count."""
    return options.region


def console_url(options: EksOptions, pool: str) -> str | None:
    """Return the page of a node group in AWS's console, in the right partition; None where that is not known."""
    if options.region.startswith(UNKNOWN):
        return None
    own = (console for start, console in CONSOLES.items() if options.region.startswith(start))
    host = next(own, f"{options.region}.console.aws.amazon.com")
    cluster, group = quote(options.cluster_name, safe=""), quote(pool, safe="")
    return f"https://{host}/eks/clusters/{cluster}/nodegroups/{group}?region={options.region}"
