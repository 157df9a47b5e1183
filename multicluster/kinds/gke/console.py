"""Say where people look at GKE node pools; nobody is asked."""

from __future__ import annotations

import re
from urllib.parse import quote

from multicluster.kinds.gke.options import GkeOptions


def region(options: GkeOptions) -> str:
    """Return the region whose prices count: a zone's is its own name without the last letter."""
    return re.sub(r"-[a-z]$", "", options.location)


def console_url(options: GkeOptions, pool: str) -> str:
    """Return the page of a node pool in Google's console."""
    place = "/".join(quote(part, safe="") for part in (options.location, options.cluster_name, pool))
    project = quote(options.project_id, safe=":")
    return f"https://console.cloud.google.com/kubernetes/nodepool/{place}?project={project}"
