from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from kubernetes.client import CoreV1Api

from multicluster.access.async_client import async_client
from multicluster.access.endpoint import Endpoint
from multicluster.access.route import proxy_url
from multicluster.access.sync_client import sync_client
from multicluster.errors import AccessError

WRONG = {
    "port": {"server": "https://bob:s3cr3t@127.0.0.1:abc"},
    "bracket": {"server": "https://[::1"},
    "scheme": {"server": "ftp://127.0.0.1"},
    "no host": {"server": "https://"},
    "socks": {"proxy_url": "socks5://bob:s3cr3t@127.0.0.1:1"},
    "proxy's port": {"proxy_url": "http://bob:s3cr3t@127.0.0.1:abc"},
    "proxy's bracket": {"proxy_url": "http://bob:s3cr3t@[::1"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_address_that_leads_nowhere_is_an_error_that_names_the_cluster(endpoint, make_access, tokens, wrong):
    access = make_access(replace(endpoint, **WRONG[wrong]), tokens)
    what = "proxy" if "proxy_url" in WRONG[wrong] else "address"

    with pytest.raises(AccessError, match=rf"cluster 'gpu': its {what} ") as in_sync:
        CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")
    with pytest.raises(AccessError, match=rf"cluster 'gpu': its {what} ") as in_async:
        asyncio.run(async_client(access, name="gpu"))
    assert [error for error in (in_sync, in_async) if "s3cr3t" in str(error.value) or error.value.transient] == []


def test_a_proxy_of_the_environment_may_lack_its_scheme(monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "proxy:3128")

    assert proxy_url(Endpoint(server="https://x")) == "http://proxy:3128"
