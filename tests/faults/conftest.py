"""One world for all faults of a module, and real clients of ours in it, in no hurry and without pauses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.loaders
import pytest
from botocore.config import Config

from multicluster.simulator import Delays, World

from .stage import Stage

UNSET = (
    "GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "KUBECONFIG", "MULTICLUSTER_REGISTRY",
)  # fmt: skip
NO_PAUSE = SimpleNamespace(**{**vars(time), "sleep": lambda _seconds: None})


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.fixture(scope="module")
def world(patch: pytest.MonkeyPatch) -> Iterator[World]:
    delays = replace(Delays.none(), capacity_timeout=600)  # a lack of capacity lasts as long as the test
    with World(delays=delays) as made:
        for cluster in (made.add_eks("gpu", "us-east-1"), made.add_gke("gke", location="europe-west4-a")):
            if hasattr(cluster, "max_groups"):
                cluster.max_groups = 1000
        made.add_plain("laptop")
        enter(made, patch)
        yield made


def enter(world: World, patch: pytest.MonkeyPatch) -> None:
    """Lead the process to the world; API models are read once, and retries follow each other at once."""
    for name in UNSET:
        patch.delenv(name, raising=False)
    for name, value in world.env().items():
        patch.setenv(name, value)
    patch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", world.metadata_host)
    patch.setattr("google.auth._exponential_backoff.time", NO_PAUSE)
    patch.setattr("botocore.endpoint.time", NO_PAUSE)
    patch.setattr("urllib3.util.retry.time", NO_PAUSE)
    loader = botocore.loaders.create_loader()
    patch.setattr("botocore.session.create_loader", lambda _path: loader)


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(world=world, patch=monkeypatch, folder=tmp_path)
    yield made
    made.clear()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a silent API soon."""
    config: Any = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=2)
    monkeypatch.setattr("multicluster.kinds.eks.node_pools.CONFIG", config)
    monkeypatch.setattr("multicluster.kinds.gke.node_pool_calls.TIMEOUT", (5, 2))
