"""What this provider relies on in the stock provider: drift in a new release is a red test, not a lost parameter."""

from __future__ import annotations

import inspect
from functools import cached_property

import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook, KubernetesHook
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger

from airflow_multicluster.triggers.pod import WHEREABOUTS

SIGNATURES = {
    KubernetesPodOperator.convert_config_file_to_dict: ["self"],
    KubernetesPodOperator.invoke_defer_method: ["self", "last_log_time", "context"],
    KubernetesPodOperator.trigger_reentry: ["self", "context", "event"],
    KubernetesPodOperator.execute: ["self", "context"],
    KubernetesPodOperator.build_pod_request_obj: ["self", "context", "dry_run"],
    KubernetesPodOperator._get_pod_from_task_state_store: ["self", "context"],
    KubernetesPodOperator._persist_pod_identity_to_task_state_store: ["self", "context", "pod"],
    KubernetesHook.get_conn: ["self"],
    KubernetesHook.get_namespace: ["self"],
    KubernetesPodTrigger.serialize: ["self"],
    KubernetesPodTrigger.on_kill: ["self"],
    KubernetesPodTrigger.get_task_state: ["self"],
}


@pytest.mark.parametrize("method", SIGNATURES, ids=lambda method: method.__qualname__)
def test_stock_method_takes_what_we_pass(method):
    assert list(inspect.signature(method).parameters) == SIGNATURES[method]


@pytest.mark.parametrize("name", ["hook", "client", "pod_manager"])
def test_stock_operator_caches_what_it_deletes_on_401(name):
    assert isinstance(inspect.getattr_static(KubernetesPodOperator, name), cached_property)


@pytest.mark.parametrize("name", ["hook", "pod_manager"])
def test_stock_trigger_caches_its_hook(name):
    assert isinstance(inspect.getattr_static(KubernetesPodTrigger, name), cached_property)


def test_stock_async_hook_lends_its_client():
    assert inspect.isasyncgenfunction(inspect.unwrap(AsyncKubernetesHook.get_conn))


def test_the_arguments_taken_off_the_trigger_are_the_stock_ones():
    assert set(inspect.signature(KubernetesPodTrigger).parameters) >= WHEREABOUTS


def test_the_stock_trigger_has_no_argument_nobody_looked_at():
    known = {
        "base_container_name", "get_logs", "last_log_time", "log_events_on_startup", "logging_interval",
        "on_finish_action", "on_kill_action", "pod_name", "pod_namespace", "poll_interval", "schedule_timeout",
        "startup_check_interval", "startup_timeout", "termination_grace_period", "trigger_kwargs",
        "trigger_start_time", *WHEREABOUTS,
    }  # fmt: skip

    assert set(inspect.signature(KubernetesPodTrigger).parameters) == known


@pytest.mark.parametrize("name", ["config_file", "cluster_context", "in_cluster", "kubernetes_conn_id", "_killed"])
def test_stock_operator_keeps_the_attributes_we_read(name):
    assert hasattr(KubernetesPodOperator(task_id="t", image="x"), name)


def test_stock_startup_timeouts_are_the_ones_we_replace():
    stock = KubernetesPodOperator(task_id="stock", image="x")

    assert (stock.startup_timeout_seconds, stock.schedule_timeout_seconds) == (120, 120)
