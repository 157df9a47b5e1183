from __future__ import annotations

from dataclasses import replace

import pytest
from kubernetes.client import CoreV1Api

from multicluster.access.cached_endpoint import PAUSE_SECONDS, CachedEndpoint
from multicluster.access.endpoint import Endpoint
from multicluster.access.sync_client import sync_client
from multicluster.errors import AccessError, ClusterUnreachableError


class Ground:
    """Answers with ``answer``; ``seconds`` is what its clock says."""

    def __init__(self) -> None:
        self.answer: Endpoint | AccessError = Endpoint(server="https://here")
        self.seconds = 1000.0
        self.asked: list[bool] = []
        self.endpoint = CachedEndpoint(self.ask, monotonic=lambda: self.seconds)

    def ask(self, fresh: bool) -> Endpoint:  # noqa: FBT001  the face of what asks
        self.asked.append(fresh)
        if isinstance(self.answer, AccessError):
            raise self.answer
        return self.answer


@pytest.fixture
def ground():
    return Ground()


def test_a_cluster_that_did_not_move_is_asked_for_again_after_a_pause_only(ground):
    ground.endpoint()
    for _ in range(50):
        ground.endpoint(fresh=True)
    in_one_go = list(ground.asked)
    ground.seconds += PAUSE_SECONDS
    ground.endpoint(fresh=True)

    assert in_one_go == [False, True]
    assert ground.asked == [False, True, True]


def test_a_cluster_that_moved_is_asked_for_again_at_once(ground):
    ground.endpoint()
    found = []
    for server in ("https://there", "https://elsewhere"):
        ground.answer = Endpoint(server=server)
        found.append(ground.endpoint(fresh=True).server)

    assert found == ["https://there", "https://elsewhere"]


def test_an_answer_that_failed_is_waited_for_as_well_and_the_last_good_one_stands(ground):
    good = ground.endpoint()
    ground.answer = AccessError("throttled")

    with pytest.raises(AccessError, match="throttled"):
        ground.endpoint(fresh=True)
    assert ground.endpoint(fresh=True) == good
    assert ground.asked == [False, True]


def test_without_a_good_answer_there_is_no_pause(ground):
    ground.answer = AccessError("throttled")

    for _ in range(2):
        with pytest.raises(AccessError, match="throttled"):
            ground.endpoint(fresh=True)
    assert ground.asked == [True, True]


def test_fifty_requests_to_a_dead_server_ask_once_where_it_is(ground, endpoint, make_access, tokens):
    ground.answer = replace(endpoint, server="https://127.0.0.1:1")
    access = make_access(endpoint, tokens)
    access.endpoint = ground.endpoint
    core = CoreV1Api(sync_client(access, name="gpu"))
    link = core.api_client._link

    for _ in range(50):
        with pytest.raises(ClusterUnreachableError):
            core.list_namespaced_pod("ml")
    assert ground.asked == [False, True]
    assert core.api_client._link is link
