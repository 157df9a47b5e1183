"""What waiting without polling relies on in the stock trigger and operator."""

from __future__ import annotations

import inspect
import json
from types import SimpleNamespace

import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook
from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.providers.cncf.kubernetes.utils import pod_manager
from airflow.providers.cncf.kubernetes.utils.pod_manager import AsyncPodManager, PodManager
from kubernetes.client import models as k8s

from airflow_multicluster import ClusterPodOperator
from airflow_multicluster.hooks.pod_watches import MADE_BY_AIRFLOW

SIGNATURES = {
    AsyncKubernetesHook.get_pod: ["self", "name", "namespace"],
    AsyncPodManager.read_pod: ["self", "pod"],
    AsyncPodManager.watch_pod_events: ["self", "pod", "startup_check_interval"],
    AsyncPodManager.fetch_container_logs_before_current_sec: ["self", "pod", "container_name", "since_time"],
    PodManager.fetch_container_logs: [
        "self", "pod", "container_name", "follow", "since_time", "post_termination_timeout",
        "container_name_log_prefix_enabled", "log_formatter",
    ],
    PodManager._log_message: [
        "self", "message", "container_name", "container_name_log_prefix_enabled", "log_formatter"
    ],
    PodManager.container_is_running: ["self", "pod", "container_name"],
    pod_manager._parse_log_level: ["message"],
    pod_manager.is_log_group_marker: ["line"],
    KubernetesPodTrigger._get_pod: ["self"],
    KubernetesPodTrigger._wait_for_pod_start: ["self"],
    KubernetesPodTrigger._wait_for_container_completion: ["self"],
}  # fmt: skip


@pytest.mark.parametrize("method", SIGNATURES, ids=lambda method: method.__qualname__)
def test_stock_method_takes_what_we_pass(method):
    assert list(inspect.signature(inspect.unwrap(method)).parameters) == SIGNATURES[method]


def test_each_stock_loop_looks_once_and_pauses_once():
    completion = inspect.getsource(KubernetesPodTrigger._wait_for_container_completion)
    start = inspect.getsource(pod_manager.await_pod_start)

    assert [completion.count(text) for text in ("self._get_pod()", "sleep(", "sleep(self.poll_interval)")] == [1, 1, 1]
    assert [start.count(text) for text in ("await pod_manager.read_pod(pod)", "sleep(", "sleep(check_interval)")] == [
        1
    ] * 3


def test_logs_are_read_while_deferred_by_the_method_that_is_replaced_only():
    completion = inspect.getsource(KubernetesPodTrigger._wait_for_container_completion)

    assert completion.count("self.last_log_time = await self.pod_manager.fetch_container_logs_before_current_sec(") == 1
    assert completion.count('"last_log_time": self.last_log_time') == completion.count('"status":')


def test_what_the_stock_manager_keeps_of_a_log_is_handed_back_to_the_method_that_is_replaced():
    source = inspect.getsource(PodManager)

    assert (
        source.count("since_time = self.container_log_times.get(") == source.count("= self.fetch_container_logs(") == 2
    )


def test_nothing_else_of_the_stock_manager_reads_the_pod_at_our_pace():
    assert inspect.getsource(AsyncPodManager).count("read_pod(") == 1  # its definition


@pytest.fixture
def build(monkeypatch, tmp_path):
    path = tmp_path / "clusters.json"
    auth = {"kubeconfig": {"path": str(tmp_path / "none"), "context": "none"}}
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
    path.write_text(json.dumps({**document, "clusters": [{"name": "nam", "auth": auth, "pods": {"namespace": "ml"}}]}))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    ti = SimpleNamespace(dag_id="d", task_id="fit", map_index=-1, try_number=1, run_id="r")
    context = {"ti": ti, "run_id": "r", "dag": SimpleNamespace(parent_dag=False)}

    def build(**given):
        operator = ClusterPodOperator(task_id="fit", cluster="nam", **given)
        monkeypatch.setattr(type(operator.hook), "is_in_cluster", False)
        return operator.build_pod_request_obj(context)

    return build


SPEC = k8s.V1Pod(
    metadata=k8s.V1ObjectMeta(name="own", labels={"kubernetes_pod_operator": "no", "team": "ml"}),
    spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base", image="x")]),
)
TEMPLATE = {"metadata": {"labels": {"team": "ml"}}, "spec": {"containers": [{"name": "base", "image": "x"}]}}
GIVEN = {
    "arguments": {"image": "x"},
    "labels": {"image": "x", "labels": {"team": "ml"}},
    "full_pod_spec": {"full_pod_spec": SPEC},
    "template": {"pod_template_dict": TEMPLATE},
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_every_pod_of_a_task_carries_the_label_that_the_watch_selects_by(build, given):
    labels = build(**given).metadata.labels

    assert labels.items() >= MADE_BY_AIRFLOW.items()
