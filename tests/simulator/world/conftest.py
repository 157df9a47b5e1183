from __future__ import annotations

from collections.abc import Iterator

import pytest

from multicluster.simulator import Delays, World


@pytest.fixture
def world() -> Iterator[World]:
    with World(delays=Delays.none()) as world:
        yield world


@pytest.fixture
def env(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    variables = world.env()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
