"""What is handed to readers: the client's own models, as if it had asked."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from kubernetes_asyncio.client import CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException

from multicluster.pods.entry import Sighting
from multicluster.pods.kubernetes_source import no_such_pod, pod_model


def test_a_pod_from_the_watch_is_the_one_that_the_client_reads(stage, kit):
    stage.add("fit")
    stage.phase("fit", "Running")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            ours = pod_model(scene.client, await pod.read())
            return ours, await CoreV1Api(scene.client).read_namespaced_pod("fit", "default")

    ours, read = asyncio.run(main())
    read.metadata.managed_fields = None
    assert ours.to_dict() == read.to_dict()


@pytest.fixture
def client():
    """Give a client that only notes what it was asked to read."""

    class Client:
        def __init__(self):
            self.read = []

        def deserialize(self, answer, kind):
            self.read.append(kind)
            return SimpleNamespace(spec=None, data=answer.data)

    return Client()


def seen(version, spec):
    return Sighting.of({"metadata": {"name": "fit", "resourceVersion": version}, "spec": spec})


def test_a_spec_that_is_the_same_is_not_read_again(client):
    first = seen("1", {"containers": []})
    model = pod_model(client, first)
    again = pod_model(client, seen("2", {"containers": []}), (first, model))

    assert again.spec is model.spec
    assert client.read == ["V1Pod", "V1PodSpec", "V1Pod"]


def test_a_spec_that_changed_is_read(client):
    first = seen("1", {"containers": []})
    model = pod_model(client, first)
    again = pod_model(client, seen("2", {"containers": [], "nodeName": "n"}), (first, model))

    assert again.spec.data == '{"containers": [], "nodeName": "n"}'


def test_a_pod_that_is_not_there_is_the_error_that_the_client_raises(stage):
    async def main():
        async with stage.watching() as scene:
            await CoreV1Api(scene.client).read_namespaced_pod("fit", "default")

    with pytest.raises(ApiException) as caught:
        asyncio.run(main())
    ours = no_such_pod("fit")
    assert (type(ours), ours.status, ours.reason) == (ApiException, caught.value.status, caught.value.reason)
    assert '"pods \\"fit\\" not found"' in str(ours)
    assert '"pods \\"fit\\" not found"' in str(caught.value)
