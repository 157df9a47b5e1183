"""Callbacks: which are called, when, and with what."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from kubernetes.client import CoreV1Api

CALLS: list[tuple[str, dict]] = []


def noting(name):
    return staticmethod(lambda **facts: CALLS.append((name, facts)))


NAMES = [name for name, value in vars(KubernetesPodOperatorCallback).items() if isinstance(value, staticmethod)]
Noting = type("Noting", (KubernetesPodOperatorCallback,), {name: noting(name) for name in NAMES})
ALWAYS = ["on_pod_manifest_created", "on_pod_creation", "progress_callback", "on_pod_completion", "on_pod_teardown",
          "on_pod_cleanup"]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_noted():
    CALLS.clear()


def called():
    return [name for name, _ in CALLS if name != "on_sync_client_creation"]


def test_the_installed_provider_has_no_callback_nobody_looked_at():
    known = {*ALWAYS, "on_sync_client_creation", "on_pod_starting", "on_operator_resuming"}

    assert set(NAMES) == known


def test_callbacks_come_in_the_order_of_the_pods_life(drive, fit, deferrable):
    drive.run(fit(callbacks=Noting))

    starting = [] if deferrable else ["on_pod_starting"]  # the stock operator is in the triggerer by then
    assert called() == [*ALWAYS[:2], *starting, *ALWAYS[2:]]


def test_several_callbacks_are_called_one_after_another(drive, fit):
    drive.run(fit(callbacks=[Noting, Noting]))

    assert called().count("on_pod_creation") == 2


def test_callbacks_get_the_clusters_client_and_the_operator(drive, fit):
    operator = fit(callbacks=Noting)
    drive.run(operator)

    facts = dict(CALLS)["on_pod_creation"]
    assert isinstance(facts["client"], CoreV1Api)
    assert facts["client"].api_client.configuration.host == drive.kubernetes.url
    assert facts["operator"].cluster_name == drive.cluster
    assert facts["pod"].metadata.labels["airflow-multicluster/cluster"] == drive.cluster


def test_a_failed_pod_is_told_too(drive, fit):
    ran = drive.run(fit("echo broke; exit 3", callbacks=Noting))

    assert ran.error is not None
    assert {"on_pod_completion", "progress_callback"} <= set(called())


def test_a_manifest_changed_by_a_callback_is_what_is_made(drive, fit):
    class Marking(KubernetesPodOperatorCallback):
        @staticmethod
        def on_pod_manifest_created(*, pod_request, **_):
            pod_request.metadata.annotations["marked"] = "yes"

    assert drive.run(fit(callbacks=Marking)).pod["metadata"]["annotations"]["marked"] == "yes"
