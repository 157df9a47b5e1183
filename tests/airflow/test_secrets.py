"""Only names travel: what Airflow keeps of a run holds nothing that opens a door."""

from __future__ import annotations

import json
import sqlite3

import pytest

from airflow_multicluster import airflow_registry


@pytest.fixture
def canaries(world):
    """Every secret that was used, and every address: none of it may be kept."""
    admin = [entrance.admin_token for entrance in world.entrances.values()]
    servers = [entrance.kubernetes.url for entrance in world.entrances.values()]
    return [world.aws.key.secret, *admin, *servers, "k8s-aws-v1.", "ya29.", "BEGIN CERTIFICATE"]


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])
def test_pain_36_a_run_leaves_no_secret_and_no_address_in_the_database(run, database, canaries, dag_id, cluster):
    assert run(dag_id, cluster=cluster).state == "success"

    with sqlite3.connect(database) as connection:
        kept = "\n".join(connection.iterdump())
    assert [canary for canary in canaries if canary in kept] == []
    assert f'"{cluster}"' in kept


def test_xcom_holds_names_and_numbers(run):
    outcome = run("work")

    names = outcome.results["train.create_node_pool"]
    texts, numbers = {"cluster", "name", "profile"}, {"nodes", "lease", "max_lifetime"}
    assert set(names) == texts | numbers | {"origin"}
    assert set(names["origin"]) == {"deployment", "dag_id", "run_id", "group_id", "map_index"}
    assert all(isinstance(names[name], str) for name in texts)
    assert all(isinstance(names[name], (int, float, type(None))) for name in numbers)


def test_the_repr_of_a_cluster_shows_its_name_only(world):
    clusters = airflow_registry().values()

    assert [repr(cluster) for cluster in clusters] == [f"<Cluster {cluster.name!r}>" for cluster in clusters]
    assert all("token" not in json.dumps(repr(cluster)) for cluster in clusters)
