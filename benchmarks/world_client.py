"""A client of the served clusters in a process of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fresh import bare_environment
from peer import Peer


@contextmanager
def world_client(found: dict[str, Any], script: str, kind: str) -> Iterator[Peer]:
    """Start a child that finds the clusters of ``waiting_world.py``; each kind in its own way."""
    with tempfile.TemporaryDirectory(prefix="multicluster-bench-") as home:
        environment = {**bare_environment(home), **found["environment"]}
        if kind == "eks":  # its token names the canonical STS host, see eks_first_reply
            environment.pop("AWS_ENDPOINT_URL_STS")
        registry = Path(home) / "registry.json"
        registry.write_text(json.dumps(found["registry"]))
        environment["MULTICLUSTER_REGISTRY"] = str(registry)
        with Peer(script, kind, environment=environment) as child:
            yield child
