from __future__ import annotations

import json

import pytest
import requests
from google.oauth2.credentials import Credentials
from requests.adapters import BaseAdapter

from multicluster.access.kind import Network
from multicluster.kinds.gke.session import GoogleSession


class CountedCredentials(Credentials):
    """Google credentials whose refresh counts up: t1, t2, ..."""

    def __init__(self) -> None:
        super().__init__("t1")
        self.refreshed = 0

    def refresh(self, request):
        self.refreshed += 1
        self.token = f"t{self.refreshed + 1}"


class Refusing(BaseAdapter):
    """Answers 401 to the tokens it is given, 200 to others; keeps what it saw."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self.refused = refused
        self.seen: list[str] = []

    def send(self, request, **_how):
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        response = requests.Response()
        response.status_code = 401 if token in self.refused else 200
        response.request, response.connection, response.url = request, self, request.url
        return response

    def close(self):
        return None


@pytest.fixture
def gpu(world, enter):
    world.add_gke("gpu")
    enter()


@pytest.fixture(params=["metadata server", "key file"])
def options(request, world, tmp_path):
    if request.param == "metadata server":
        return {}
    path = tmp_path / "key.json"
    path.write_text(json.dumps(world.google.key_file("trainer")))
    return {"credentials": {"serviceAccountFile": str(path)}}


def session(*refused: str):
    made, adapter = GoogleSession.of(CountedCredentials(), Network()), Refusing(*refused)
    made.http.mount("https://", adapter)
    return made, adapter


def test_a_good_token_is_sent_as_it_is():
    google, server = session()

    assert google.http.get("https://container.test/", timeout=1).status_code == 200
    assert (server.seen, google.credentials.refreshed) == (["t1"], 0)


def test_a_refused_token_is_refreshed_and_the_request_replayed_once():
    google, server = session("t1")

    assert google.http.get("https://container.test/", timeout=1).status_code == 200
    assert server.seen == ["t1", "t2"]


def test_a_token_refused_twice_is_the_callers_to_judge():
    google, server = session("t1", "t2", "t3")

    assert google.http.get("https://container.test/", timeout=1).status_code == 401
    assert server.seen == ["t1", "t2"]


def test_the_token_goes_to_google_kubernetes_engine_and_nowhere_else(gpu, clusters, core, watcher, options):
    with watcher.watching() as seen:
        access = clusters.gke(endpoint="public", **options)
        core(access).list_namespace()
        list(access.node_pools().list())

    assert set(seen.hosts) == {"127.0.0.1"}
