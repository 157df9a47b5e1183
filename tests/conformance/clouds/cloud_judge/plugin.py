"""Give tests the judge: whoever uses ``judged`` fails when a request or an answer breaks a published model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cloud_judge.exchange import Exchange
    from cloud_judge.recorder import Recorder


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unjudged(reason): the answers of this test break the clouds' models on purpose")


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """Stand at the doors of every world that is made from here on."""
    from cloud_judge.recorder import Recorder

    made = Recorder()
    with made.open():
        yield made


@pytest.fixture
def judged(recorder: Recorder) -> Iterator[list[Exchange]]:
    """Give what passes the doors during the test, and hold all of it against the models when the test is over."""
    with recorder.listen() as exchanges:
        yield exchanges
    assert findings(exchanges) == []


@pytest.fixture
def answers_judged(recorder: Recorder, request: pytest.FixtureRequest) -> Iterator[list[Exchange]]:
    """Do the same for answers only: for tests that send what a cloud must refuse."""
    with recorder.listen() as exchanges:
        yield exchanges
    if request.node.get_closest_marker("unjudged") is None:
        assert [finding for finding in findings(exchanges) if ": request" not in finding] == []


def findings(exchanges: list[Exchange]) -> list[str]:
    """Judge exchanges; each finding is told once."""
    from cloud_judge.judge import judge

    return list(dict.fromkeys(finding for one in exchanges for finding in judge(one)))
