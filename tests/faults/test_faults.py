"""What our code does and says when a fault of the catalogue strikes."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes_asyncio.client.exceptions import ApiException as AsyncApiException

from multicluster import errors
from multicluster.simulator.catalogue import DEEDS, ENTRIES, FAULTS
from multicluster.simulator.faults import Delay, Hang

from . import table_access, table_pools
from .acts import ACTS, WITH_POOL
from .document import HEAD, written
from .identities import IDENTITIES
from .row import Row
from .stage import NETWORK, Stage

TABLE = [*table_pools.TABLE, *table_access.TABLE]
ELSEWHERE = {
    "dead-man-refused": "simulator/aws/test_schedules.py",
    "dead-man-late": "simulator/aws/test_schedules.py",
}
TESTS = Path(__file__).resolve().parents[1]


def class_of(error: BaseException) -> type[BaseException]:
    """Return the class that a caller branches on: one of ours, or the Kubernetes clients' own."""
    if isinstance(error, ApiException | AsyncApiException):
        return ApiException
    return next((kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__), type(error))


def silent(row: Row) -> bool:
    effect = ENTRIES[row.fault].effect if row.fault in ENTRIES else None
    return isinstance(effect, Hang) or (isinstance(effect, Delay) and "seconds" not in row.options)


def test_every_fault_of_the_catalogue_has_its_line() -> None:
    assert set(FAULTS) - {row.fault for row in TABLE} - set(ELSEWHERE) == set()
    assert {row.fault for row in TABLE} | set(ELSEWHERE) <= set(FAULTS)


@pytest.mark.parametrize(("fault", "file"), ELSEWHERE.items())
def test_what_our_code_never_meets_is_proven_where_it_strikes(fault: str, file: str) -> None:
    assert f'inject("{fault}"' in (TESTS / file).read_text()


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_what_we_do_and_say(row: Row, stage: Stage, request: pytest.FixtureRequest) -> None:
    if row.identity:
        IDENTITIES[row.identity](stage)
    if row.act in WITH_POOL:
        stage.make(row.on)
    if row.used:
        ACTS[row.act](stage, row.on)
    if silent(row):
        stage.forget()
        stage.network = NETWORK
        request.getfixturevalue("impatient")
    stage.world.inject(row.fault, **row.options)

    if row.error is None:
        said = ACTS[row.act](stage, row.on)
    else:
        with pytest.raises((row.error, AsyncApiException)) as caught:
            ACTS[row.act](stage, row.on)
        said = str(caught.value)
        assert class_of(caught.value) is row.error
        assert getattr(caught.value, "transient", None) is getattr(row.error, "transient", None)

    assert [word for word in row.words if word not in said] == [], said
    assert row.fault in DEEDS or stage.world.faults.struck(row.fault)


def test_the_page_on_faults_has_a_line_for_each_with_what_comes_of_it() -> None:
    page = (TESTS.parent / "docs" / "faults.md").read_text().splitlines()

    assert page[page.index(HEAD[0]) :] == written(TABLE, ELSEWHERE)
