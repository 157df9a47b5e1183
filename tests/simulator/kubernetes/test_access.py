"""What the API server counts, and whom its certificate is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

PODS = "/api/v1/namespaces/default/pods"


def test_a_token_of_nobody_s_is_refused_and_none_is_nobody(api):
    api.token = "expired"
    assert api("GET", PODS)[0] == 401
    api.token = ""
    assert api("GET", PODS)[0] == 403


def test_without_rbac_every_user_may_do_everything(api):
    assert api("GET", PODS)[0] == 200
    assert api("POST", PODS, {"metadata": {"name": "p"}, "spec": {}})[0] == 422


def test_another_ca_than_the_cluster_s_is_not_trusted(cluster):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(cluster.url, timeout=5)


def test_requests_are_counted_by_verb_and_resource(api, cluster):
    before = cluster.requests["list", "pods"]

    api("GET", PODS)
    api("GET", f"{PODS}/p/log")

    assert (cluster.requests["list", "pods"] - before, cluster.requests["get", "pods/log"]) == (1, 1)


def test_a_rotated_certificate_fails_clients_until_they_trust_the_new_ca(cluster, core, ca_file):
    import urllib3

    from .conftest import Api

    core.list_node()
    old = cluster.ca_pem

    cluster.rotate_certificate()

    with pytest.raises((urllib3.exceptions.MaxRetryError, urllib3.exceptions.SSLError)):
        core.list_node(_request_timeout=5)
    assert cluster.ca_pem != old
    Path(ca_file).write_bytes(cluster.ca_pem)
    assert Api(cluster.url, ca_file)("GET", "/api/v1/nodes")[0] == 200
