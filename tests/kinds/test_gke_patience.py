"""Google is asked again where it is too busy, and a source whose token was revoked gets a new one."""

from __future__ import annotations

import json

import pytest

from multicluster.errors import ClusterUnreachableError, CredentialUnavailableError

TRAINER = "trainer@acme.iam.gserviceaccount.com"


@pytest.fixture
def gpu(world, enter, monkeypatch):
    monkeypatch.setattr("multicluster.kinds.gke.patience.PAUSE_FACTOR", 0)
    world.google.accounts.add("trainer", "acme")
    cluster = world.add_gke("gpu")
    enter()
    return cluster


@pytest.fixture
def acting(world, gpu, clusters, tmp_path):
    """Reach the cluster as the trainer, by way of a service account's key."""
    file = tmp_path / "key.json"
    file.write_text(json.dumps(world.google.key_file("keeper")))
    return clusters.gke(credentials={"serviceAccountFile": str(file), "impersonate": [TRAINER]})


def test_a_cluster_is_found_although_google_is_too_busy_three_times(world, gpu, clusters):
    world.inject("throttled", operation="clusters.get", times=3)

    assert clusters.gke().endpoint().server == gpu.kubernetes.url
    assert world.faults.struck("throttled") == 3


def test_google_too_busy_for_long_is_a_transient_error(world, gpu, clusters):
    world.inject("throttled", operation="clusters.get")

    with pytest.raises(ClusterUnreachableError, match="answered 429"):
        clusters.gke().endpoint()
    assert world.faults.struck("throttled") == 4


def test_an_account_is_impersonated_although_iam_is_too_busy_three_times(world, acting, core):
    world.inject("throttled", operation="generateAccessToken", times=3)

    assert core(acting).list_namespace().items
    assert world.faults.struck("throttled") == 3


def test_iam_too_busy_for_long_is_a_transient_error(world, acting):
    world.inject("throttled", operation="generateAccessToken")

    with pytest.raises(CredentialUnavailableError, match=TRAINER):
        acting.tokens.token()


def test_a_source_whose_token_was_revoked_gets_a_new_one_and_impersonates_again(world, acting, core):
    namespaces = core(acting)
    namespaces.list_namespace()
    world.inject("tokens-expire")

    assert namespaces.list_namespace().items
    assert world.google.calls["iamcredentials:generateAccessToken"] == 3
