"""A world whose STS everybody asks, and both releases of AWS's verifier."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from multicluster.simulator import World
from multicluster.simulator.delays import Delays

from .aws_verifier import MODULES, NotBuiltError, Verifier, build
from .signing import Signer


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    with World(delays=Delays.none()) as made:
        yield made


@pytest.fixture(scope="package")
def signer(world: World) -> Signer:
    return Signer(world.aws.iam, lambda: dt.datetime.now(dt.UTC))


@pytest.fixture(scope="package", params=MODULES)
def verifier(request: pytest.FixtureRequest, world: World) -> Verifier:
    try:
        return Verifier(release=request.param, program=build(request.param), world=world)
    except NotBuiltError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def release(verifier: Verifier) -> str:
    return verifier.release
