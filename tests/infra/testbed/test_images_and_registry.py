"""Images from one busybox, and the registry that nodes pull them from."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import socket
import tarfile
import threading

import pytest

from testbed import images, registry


@pytest.fixture(scope="module")
def busybox(tmp_path_factory):
    """A script that lists commands as busybox does."""
    path = tmp_path_factory.mktemp("bin") / "busybox"
    path.write_text("#!/bin/sh\nprintf 'busybox\\nsh\\nwget\\n'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory, busybox):
    return registry.Store.read(images.archive(tmp_path_factory.mktemp("cache"), busybox))


@pytest.fixture
def ask(store):
    server = registry.server(0, store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)

    def ask(path, method="GET"):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read()

    yield ask
    connection.close()
    server.shutdown()
    server.server_close()


def test_an_archive_is_packed_once_and_is_the_same_bytes_each_time(tmp_path, busybox):
    path = images.archive(tmp_path, busybox)
    first = path.read_bytes()
    born = path.stat().st_mtime_ns

    assert images.archive(tmp_path, busybox) == path
    assert path.stat().st_mtime_ns == born
    assert images.pack(busybox) == first


def test_the_names_are_those_that_tests_and_airflow_ask_for(store):
    from airflow.providers.cncf.kubernetes.utils.xcom_sidecar import XCOM_SIDECAR_IMAGE

    assert {"library/busybox:1.36", "library/busybox:latest", "library/alpine:latest", "pause:3.10"} < set(store.names)
    assert f"library/{XCOM_SIDECAR_IMAGE}" in store.names


@pytest.mark.parametrize("reference", ["1.36", "latest"])
def test_a_pull_gives_a_manifest_and_what_it_names(ask, reference):
    answer, manifest = ask(f"/v2/library/busybox/manifests/{reference}?ns=docker.io")
    named = json.loads(manifest)

    assert answer.headers["Docker-Content-Digest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert answer.headers["Content-Type"] == named["mediaType"]
    for part in [named["config"], *named["layers"]]:
        _, blob = ask(f"/v2/library/busybox/blobs/{part['digest']}")
        assert (len(blob), f"sha256:{hashlib.sha256(blob).hexdigest()}") == (part["size"], part["digest"])


def test_the_layer_is_what_the_configuration_says(ask):
    manifest = json.loads(ask("/v2/library/alpine/manifests/latest")[1])
    config = json.loads(ask(f"/v2/library/alpine/blobs/{manifest['config']['digest']}")[1])

    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    with tarfile.open(
        fileobj=io.BytesIO(ask(f"/v2/library/alpine/blobs/{config['rootfs']['diff_ids'][0]}")[1])
    ) as root:
        assert root.getmember("bin/sh").linkname == "busybox"
        assert root.getmember("bin/busybox").mode & 0o111 == 0o111
        assert root.getmember("var/run").linkname == "../run"
        assert root.getmember("tmp").mode == 0o1777


@pytest.mark.parametrize(
    "path",
    [
        "/v2/library/nope/manifests/1",
        "/v2/library/busybox/manifests/9.9",
        "/v2/library/busybox/blobs/sha256:00",
        "/elsewhere",
    ],
)
def test_what_is_not_there_is_404(ask, path):
    assert ask(path)[0].status == 404


def test_head_answers_without_a_body(store):
    with registry.server(0, store) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with socket.create_connection(server.server_address[:2], timeout=10) as connection:
            connection.sendall(b"HEAD /v2/library/busybox/manifests/latest HTTP/1.1\r\nConnection: close\r\n\r\n")
            head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert b"Content-Length: 0" not in head
    assert body == b""
