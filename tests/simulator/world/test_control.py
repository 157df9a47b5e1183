"""Another process can ask for faults and for the report, with the token only."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from multicluster.simulator import FAULTS, World
from multicluster.simulator.remote import RemoteWorld


@pytest.fixture
def ask(env: dict[str, str]) -> Any:
    def request(method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        given = env["MULTICLUSTER_SIMULATOR_TOKEN"] if token is None else token
        url, headers = env["MULTICLUSTER_SIMULATOR_URL"] + path, {"Authorization": f"Bearer {given}"}
        return requests.request(method, url, json=body, headers=headers, timeout=5)

    return request


def test_without_the_token_nothing_is_told(ask: Any) -> None:
    assert [ask("GET", "/report", token="").status_code, ask("GET", "/faults", token="x").status_code] == [401, 401]


def test_faults_are_listed(ask: Any) -> None:
    assert ask("GET", "/faults").json() == FAULTS


def test_a_fault_is_put_in_force_and_taken_out(ask: Any, client: Any) -> None:
    ask("PUT", "/faults/throttled", {"operation": "ListClusters"})

    with pytest.raises(ClientError, match="ThrottlingException"):
        client("eks").list_clusters()

    ask("DELETE", "/faults/throttled")
    assert client("eks").list_clusters()["clusters"] == []


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [("nonsense", {}, "no fault named 'nonsense'"), ("slow", {"hue": 1}, "unknown option 'hue'")],
)
def test_nonsense_is_refused_with_its_reason(ask: Any, name: str, body: Any, reason: str) -> None:
    answer = ask("PUT", f"/faults/{name}", body)

    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_a_misspelt_fault_is_told_its_likely_name_when_it_is_put_in_force_and_when_it_is_cleared(ask: Any) -> None:
    for verb, body in (("PUT", {}), ("DELETE", None)):
        answer = ask(verb, "/faults/throtled", body)

        assert answer.status_code == 400
        assert answer.json()["error"] == "no fault named 'throtled'; did you mean throttled?"


def test_the_report_is_the_worlds(world: World, ask: Any, client: Any, group: dict[str, Any]) -> None:
    world.add_eks("gpu")
    client("eks").create_nodegroup(**group)
    world.settle()

    report = ask("GET", "/report").json()

    assert report["aws"]["pools_left"] == ["gpu/train"]
    assert report["aws"]["instances_left"] == list(world.report().instances_left)
    assert report["aws"]["calls"] == {"eks:CreateNodegroup": 1}


def test_what_is_not_there_is_404(ask: Any) -> None:
    assert ask("GET", "/nothing").status_code == 404


def test_a_remote_world_does_the_same_over_the_wire(world: World, env: dict[str, str], client: Any) -> None:
    remote = RemoteWorld.from_environment()
    remote.inject("throttled", operation="ListClusters", times=1)

    with pytest.raises(ClientError, match="ThrottlingException"):
        client("eks").list_clusters()

    remote.inject("hang", operation="ListClusters")
    remote.remove()
    assert client("eks").list_clusters()["clusters"] == []
    assert remote.faults() == FAULTS
    assert remote.report()["aws"]["calls"] == {"eks:ListClusters": 2}
    with pytest.raises(ValueError, match="no fault named 'nonsense'"):
        remote.inject("nonsense")


def test_without_a_served_world_in_the_environment_it_says_how_to_get_one() -> None:
    with pytest.raises(LookupError, match="printed by `multicluster simulator`"):
        RemoteWorld.from_environment({})
