"""A world for the simulator's own tests, and boto3 clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from multicluster.simulator import Delays, ManualClock, World


@pytest.fixture(autouse=True)
def judge_of_the_clouds(answers_judged: object) -> None:
    """Hold every answer of the clouds against the models that AWS and Google publish."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Start a world without delays, or with realistic ones on the fixture `clock`."""
    if getattr(request, "param", "none") == "realistic":
        made = World(delays=Delays.realistic(), clock=request.getfixturevalue("clock"))
    else:
        made = World(delays=Delays.none())
    with made as world:
        yield world


@pytest.fixture
def env(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    variables = world.env()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(scope="session")
def models() -> Any:
    """Keep the API models read once: they are most of what a boto3 client costs."""
    return botocore.session.get_session().get_component("data_loader")


@pytest.fixture
def client(env: dict[str, str], models: Any) -> Callable[[str], Any]:
    """Make a boto3 client as a program in the world's environment does, without retries and in no hurry to give up."""
    inner = botocore.session.get_session()
    inner.register_component("data_loader", models)
    session, made = boto3.Session(botocore_session=inner), {}

    def make(service: str, read_timeout: float = 5) -> Any:
        if (service, read_timeout) not in made:
            config = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
            made[service, read_timeout] = session.client(service, config=config)
        return made[service, read_timeout]

    return make
