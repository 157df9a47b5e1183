"""From a task to its node pool in the cloud's console."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from airflow_multicluster.links import NodePoolConsoleLink
from airflow_multicluster.operators.node_pool import CreateNodePoolOperator, DeleteNodePoolOperator

pytestmark = pytest.mark.usefixtures("world")
PAGES = {
    "gpu-use1": "https://us-east-1.console.aws.amazon.com/eks/clusters/gpu-use1/nodegroups/{}?region=us-east-1",
    "gpu-euw4": "https://console.cloud.google.com/kubernetes/nodepool/europe-west4/gpu-euw4/{}?project=acme",
}
LINK = NodePoolConsoleLink()


def links(dag_run):
    """Return the links that the UI shows, by task."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = XComModel.get_many(key=LINK.xcom_key, run_id=dag_run.run_id, dag_ids=dag_run.dag_id)
        return {one.task_id: XComModel.deserialize_value(one) for one in session.scalars(query)}


@pytest.fixture
def _create_logs_here(monkeypatch):
    monkeypatch.setattr(CreateNodePoolOperator, "log", logging.getLogger("create"))


@pytest.mark.parametrize("cluster", PAGES)
@pytest.mark.usefixtures("database", "_create_logs_here")
def test_every_task_around_a_pool_leads_to_its_page_and_the_log_of_its_create_too(find, outcome, caplog, cluster):
    with caplog.at_level(logging.INFO):
        dag_run = find("work").test(run_conf={"cluster": cluster})

    pool = outcome(dag_run).results["train.create_node_pool"]["name"]
    found, page = links(dag_run), PAGES[cluster].format(pool)
    around = ("create_node_pool", "node_pool_ready", "fit", "delete_node_pool", "node_pool_gone")
    assert {found[f"train.{task}"] for task in around} == {page}
    line = next(line for line in caplog.messages if page in line)
    assert f"node pool {pool!r}" in line
    assert "leased until" in line


def key(**more):
    return SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, **more)


def test_a_cluster_that_the_registry_does_not_know_has_no_page():
    operator = DeleteNodePoolOperator(task_id="t", cluster="nowhere", bracket="train")

    assert LINK.get_link(operator, ti_key=key()) == ""


def test_a_cluster_without_a_console_has_no_page():
    operator = DeleteNodePoolOperator(task_id="t", cluster="here", bracket="train")

    assert LINK.get_link(operator, ti_key=key()) == ""


def test_a_task_without_a_node_pool_has_no_page():
    assert LINK.get_link(SimpleNamespace(node_pool=None), ti_key=key()) == ""


def test_a_pod_leads_to_the_pool_that_it_runs_in():
    operator = SimpleNamespace(node_pool={"cluster": "gpu-euw4", "name": "mc-train-ab"})

    assert LINK.get_link(operator, ti_key=key()) == PAGES["gpu-euw4"].format("mc-train-ab")


def test_mapped_brackets_have_a_page_each():
    operator = DeleteNodePoolOperator(task_id="t", cluster="gpu-use1", bracket="train")
    first, second = (key(), SimpleNamespace(**{**vars(key()), "map_index": 1}))

    assert LINK.get_link(operator, ti_key=first) != LINK.get_link(operator, ti_key=second)


def test_airflow_knows_the_link():
    from airflow.providers_manager import ProvidersManager

    assert "airflow_multicluster.links.NodePoolConsoleLink" in ProvidersManager().extra_links_class_names
