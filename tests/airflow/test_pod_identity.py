"""A pod that was started by an earlier try is looked for on its own cluster only."""

from __future__ import annotations

import pytest
from kubernetes.client import models as k8s

from airflow_multicluster import ClusterPodOperator

KEY = "pod_identifier"


class Store(dict):
    """Stands for Airflow's task_state_store, which has get and set."""

    def set(self, key, value):
        self[key] = value


@pytest.fixture
def store():
    return Store()


def fit(cluster):
    return ClusterPodOperator(task_id="fit", image="x", cluster=cluster)


def pod():
    return k8s.V1Pod(metadata=k8s.V1ObjectMeta(name="fit-1", namespace="ml"))


def test_the_stored_identity_carries_the_cluster(store):
    fit("nam")._persist_pod_identity_to_task_state_store({"task_state_store": store}, pod())

    assert store[KEY] == {"name": "fit-1", "namespace": "ml", "cluster": "nam"}


@pytest.mark.parametrize("stored", [{"cluster": "emea"}, {}])
def test_a_pod_of_another_cluster_is_not_looked_for(store, stored):
    store[KEY] = {"name": "fit-1", "namespace": "ml", **stored}

    # Reaching for the cluster would raise: there is no registry.
    assert fit("nam")._get_pod_from_task_state_store({"task_state_store": store}) is None


def test_without_a_store_nothing_is_kept():
    operator = fit("nam")

    assert operator._persist_pod_identity_to_task_state_store({}, pod()) is None
    assert operator._get_pod_from_task_state_store({}) is None
