"""The two grounds, with the shipped manifests applied."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.kubernetes.grounds.ground import Ground
from tests.conformance.kubernetes.grounds.simulator import simulator
from tests.conformance.kubernetes.grounds.testbed import NoTestbedError, testbed

from .manifests import Document, manifests, path_of
from .work import Site

SOURCES = {"simulator": simulator, "testbed": testbed}
GROUNDS = ["simulator", pytest.param("testbed", marks=pytest.mark.testbed)]


@pytest.fixture(scope="module", params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    source = SOURCES[request.param]()
    try:
        made = source.__enter__()
    except NoTestbedError as error:
        pytest.skip(str(error))
    try:
        for document in manifests():
            put(made, document)
        yield made
        for document in manifests():
            made.raw("DELETE", path_of(document))
    finally:
        source.__exit__(None, None, None)


def put(ground: Ground, document: Document) -> None:
    """Make an object, or replace the one that is there."""
    status, _, answer = ground.raw("POST", path_of(document, name=False), document)
    if status == 409:
        status, _, answer = ground.raw("PUT", path_of(document), document)
    assert status in (200, 201), answer


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Tell what was logged since the last call, whichever way this Airflow logs outside a task runner."""
    caplog.set_level(logging.INFO)

    def tell() -> str:
        text = caplog.text + "".join(capfd.readouterr())
        caplog.clear()
        return text

    return tell


@pytest.fixture
def site(ground: Ground, tmp_path: Path, said: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(ground, tmp_path, said)
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(made.registry))
    return made
