"""Where Airflow finds the cluster registry."""

from __future__ import annotations

import json

import pytest

from airflow_multicluster.connections import connection_facts
from airflow_multicluster.hooks.cluster import ClusterHook, find_cluster
from airflow_multicluster.registry import airflow_registry
from multicluster.errors import RegistryDocumentError, UnknownClusterError


def document(*names):
    clusters = [{"name": name, "auth": {"inCluster": {}}} for name in names]
    return {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": clusters}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in ("MULTICLUSTER_REGISTRY", "AIRFLOW__MULTICLUSTER__REGISTRY", "AIRFLOW__MULTICLUSTER__CONNECTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path):
    def write(name, *clusters):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document(*clusters)))
        return str(path)

    return write


@pytest.fixture
def connection(monkeypatch):
    def define(connection_id, extra, conn_type="multicluster"):
        facts = {"conn_type": conn_type, "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_{connection_id.upper()}", json.dumps(facts))

    return define


def test_no_source_is_an_error_that_says_where_to_put_one():
    with pytest.raises(RegistryDocumentError, match=r"\[multicluster\] registry.*MULTICLUSTER_REGISTRY.*connection"):
        airflow_registry()


def test_the_sources_are_merged(monkeypatch, file, connection):
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__REGISTRY", file("config", "a"))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "b"))
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__CONNECTIONS", "extra_clusters")
    connection("multicluster_default", document("c"))
    connection("extra_clusters", {"registry": json.dumps(document("d"))})

    assert set(airflow_registry()) == {"a", "b", "c", "d"}


def test_a_connection_may_name_a_path(file, connection):
    connection("multicluster_default", {"path": file("shared", "a")})

    assert set(airflow_registry()) == {"a"}


def test_a_connection_that_config_names_must_exist(monkeypatch, file):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "b"))
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__CONNECTIONS", "missing")

    with pytest.raises(RegistryDocumentError, match="'missing'"):
        airflow_registry()


def test_a_connection_without_a_registry_is_refused(connection):
    connection("multicluster_default", {"something": "else"})

    with pytest.raises(RegistryDocumentError, match=r"multicluster_default.*'registry'.*'path'"):
        airflow_registry()


def test_the_same_cluster_twice_names_both_places(monkeypatch, file, connection):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "a"))
    connection("multicluster_default", document("a"))

    with pytest.raises(
        RegistryDocumentError,
        match=r"(?s)environment\.json.*multicluster_default|multicluster_default.*environment\.json",
    ):
        airflow_registry()


def test_the_same_path_from_two_sources_is_read_once(monkeypatch, file):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "a"))
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__REGISTRY", file("environment", "a"))

    assert set(airflow_registry()) == {"a"}


def test_nothing_is_loaded_again_while_nothing_changed(monkeypatch, file):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "a"))
    first = airflow_registry()

    assert airflow_registry() is first
    assert airflow_registry()["a"] is first["a"]


def test_a_changed_file_is_seen(monkeypatch, file):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "a"))
    assert set(airflow_registry()) == {"a"}
    file("environment", "a", "b")

    assert set(airflow_registry()) == {"a", "b"}


def test_an_unknown_cluster_is_told_with_the_nearest(monkeypatch, file):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", file("environment", "gpu-prod"))

    with pytest.raises(UnknownClusterError, match="did you mean 'gpu-prod'"):
        find_cluster("gpu-prd")


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(TypeError, match="non-empty text"):
        find_cluster(name)


def test_connection_facts_are_plain(connection):
    connection("cloud", {"role_arn": "arn:aws:iam::1:role/r"}, conn_type="aws")

    facts = connection_facts("cloud")

    assert (facts["conn_type"], facts["extra"]) == ("aws", {"role_arn": "arn:aws:iam::1:role/r"})


def test_an_unknown_connection_is_a_lookup_error():
    with pytest.raises(LookupError, match="'missing'"):
        connection_facts("missing")


def test_the_forms_test_button_counts_the_clusters(connection):
    connection("multicluster_default", document("a", "b"))

    assert ClusterHook(multicluster_conn_id="multicluster_default").test_connection() == (True, "2 clusters: a, b")


def test_the_forms_test_button_shows_what_is_wrong(connection):
    connection("broken", {"registry": "clusters: []"})

    ok, text = ClusterHook(multicluster_conn_id="broken").test_connection()

    assert not ok
    assert "RegistryDocumentError" in text
