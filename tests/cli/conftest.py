"""What several commands are tried on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from multicluster.simulator import Delays, World

UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "MULTICLUSTER_REGISTRY")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An EKS cluster and a plain one, with nobody else's credentials in the environment."""
    with World(delays=Delays.none()) as made:
        made.add_eks("gpu-use1")
        made.add_plain("laptop")
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        for name, value in made.env().items():
            monkeypatch.setenv(name, value)
        yield made
