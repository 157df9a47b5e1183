"""Open a world for one test, and lead its clients there."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from multicluster.errors import MissingExtraError

if TYPE_CHECKING:
    import pytest

    from multicluster.registry.registry import Registry
    from multicluster.simulator.world import World

UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN",
         "AWS_WEB_IDENTITY_TOKEN_FILE", "KUBECONFIG")  # fmt: skip
"""What would win over the world's own environment, or lead out of it."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses, so that no token of the world goes to a real cloud: google-auth sends every token to
iamcredentials.googleapis.com to ask for its allowed locations, whatever endpoint was configured."""


@contextlib.contextmanager
def open_world(clusters: Mapping[str, Sequence[str]]) -> Iterator[World]:
    """Open a world of these clusters, by kind (``eks``, ``gke``, ``plain``), in which nothing takes time."""
    try:
        from multicluster.simulator.delays import Delays
        from multicluster.simulator.world import World
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the simulator needs {error.name}: pip install 'airflow-multicluster[simulator]'"
        ) from error
    with World(delays=Delays.none()) as world:
        add: Mapping[str, Callable[[str], object]] = {
            "eks": world.add_eks,
            "gke": world.add_gke,
            "plain": world.add_plain,
        }
        for kind, names in clusters.items():
            if kind not in add:
                raise ValueError(f"no simulated kind {kind!r}; there are {', '.join(add)}")
            for name in names:
                add[kind](name)
        yield world


def enter(world: World, path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Write the world's registry to *path*, set the environment for as long as *monkeypatch* lives, and load it."""
    from multicluster.registry.load import load_registry

    path.write_text(json.dumps(world.registry()))
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
    for name, value in {**proxies, **world.env(), "MULTICLUSTER_REGISTRY": str(path)}.items():
        monkeypatch.setenv(name, value)
    _move_metadata_server(monkeypatch, world.metadata_host)
    return load_registry()


def _move_metadata_server(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Tell google-auth, which reads the environment once, when it is imported, that the server has moved."""
    module = sys.modules.get("google.auth.compute_engine._metadata")
    moved = {
        "_GCE_METADATA_HOST": host,
        "_METADATA_ROOT": f"http://{host}/computeMetadata/v1/",
        "_METADATA_IP_ROOT": f"http://{host}",
    }
    for name, value in moved.items():
        if isinstance(getattr(module, name, None), str):  # which of them there are depends on the version
            monkeypatch.setattr(module, name, value)
