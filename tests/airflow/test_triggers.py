"""What of a trigger is stored in Airflow's database."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import UTC, datetime

import pytest
from airflow.providers.cncf.kubernetes.triggers.job import KubernetesJobTrigger
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import BaseTrigger

import airflow_multicluster.triggers
from airflow_multicluster.triggers.ask_again import AskAgainTrigger
from airflow_multicluster.triggers.job import ClusterJobTrigger
from airflow_multicluster.triggers.node_pool import NodePoolGoneTrigger, NodePoolReadyTrigger
from airflow_multicluster.triggers.pod import ClusterPodTrigger

CANARY = "canary-4f1c"
WHEN = {"poll_interval": 0.1, "deadline": 1e9}
PLACE = {"cluster": "nam", "pool": "mc-train-0", "owner": "0", "address": "0" * 16, "sure": True}
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def stock_pod_trigger():
    return KubernetesPodTrigger(
        pod_name="fit",
        pod_namespace="ml",
        trigger_start_time=NOW,
        base_container_name="base",
        kubernetes_conn_id=CANARY,
        connection_extras={"kube_config": CANARY},
        config_dict={"users": [{"user": {"token": CANARY}}]},
        cluster_context=CANARY,
        in_cluster=False,
        startup_timeout=900,
        trigger_kwargs={"_execution_deadline": 5},
        log_events_on_startup=False,
    )


def stock_job_trigger():
    return KubernetesJobTrigger(
        job_name="fit",
        job_namespace="ml",
        pod_names=["fit-0"],
        pod_namespace="ml",
        base_container_name="base",
        kubernetes_conn_id=CANARY,
        config_file=CANARY,
        cluster_context=CANARY,
        in_cluster=False,
    )


TRIGGERS = [
    ClusterPodTrigger.instead_of(stock_pod_trigger(), cluster="nam"),
    NodePoolReadyTrigger(**PLACE, profile="l4", nodes=2, **WHEN),
    NodePoolGoneTrigger(**PLACE, asks=3, **WHEN),
    AskAgainTrigger(seconds=0.1, asked=2),
    ClusterJobTrigger.instead_of(stock_job_trigger(), cluster="nam"),
]


def all_triggers():
    for module in pkgutil.iter_modules(airflow_multicluster.triggers.__path__):
        for _, kind in inspect.getmembers(importlib.import_module(f"airflow_multicluster.triggers.{module.name}")):
            if inspect.isclass(kind) and issubclass(kind, BaseTrigger) and kind.__module__.startswith("airflow_multi"):
                yield kind


def leaves(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def test_every_trigger_stands_in_the_law_below():
    public = {kind for kind in all_triggers() if not kind.__name__.startswith("_")}

    assert public == {type(trigger) for trigger in TRIGGERS}


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: type(trigger).__name__)
def test_pain_02_trigger_rows_hold_names_and_numbers_only(trigger):
    _, arguments = trigger.serialize()

    assert {type(leaf) for leaf in leaves(arguments)} <= {str, int, float, bool, datetime, type(None)}
    assert all(len(leaf) <= 100 for leaf in leaves(arguments) if isinstance(leaf, str))
    assert CANARY not in str(arguments)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: type(trigger).__name__)
def test_a_trigger_survives_its_row(trigger):
    path, arguments = trigger.serialize()
    module, name = path.rsplit(".", 1)
    again = getattr(importlib.import_module(module), name)(**arguments)

    assert again.serialize() == (path, arguments)


def test_the_stock_triggers_other_arguments_stay_as_they_were():
    _, stock = stock_pod_trigger().serialize()
    _, ours = TRIGGERS[0].serialize()

    gone = {"config_dict", "connection_extras", "cluster_context", "in_cluster", "kubernetes_conn_id"}
    assert ours == {**{name: value for name, value in stock.items() if name not in gone}, "cluster": "nam"}
