from __future__ import annotations

import pytest

from multicluster.access.endpoint import Endpoint
from multicluster.access.route import proxy_url


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in (
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


def test_the_clusters_own_proxy_wins(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")

    assert proxy_url(Endpoint(server="https://x.example", proxy_url="http://own:2")) == "http://own:2"


def test_the_environments_proxy_is_for_https_and_not_for_exceptions(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    monkeypatch.setenv("HTTP_PROXY", "http://plain:1")
    monkeypatch.setenv("NO_PROXY", "internal.example,10.0.0.0/8")
    servers = ("https://x.example", "https://a.internal.example", "https://10.1.2.3")

    assert [proxy_url(Endpoint(server=server)) for server in servers] == ["http://environment:1", None, None]


def test_without_any_there_is_none():
    assert proxy_url(Endpoint(server="https://x.example")) is None
