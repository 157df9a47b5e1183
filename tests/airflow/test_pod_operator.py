"""ClusterPodOperator before it meets a cluster."""

from __future__ import annotations

import inspect

import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator
from airflow_multicluster.hooks.cluster import ClusterHook

POOL = {"cluster": "nam", "name": "mc-train-0", "profile": "l4"}
ELSEWHERE = {"config_file": "kubeconfig", "cluster_context": "prod", "in_cluster": True, "kubernetes_conn_id": "gpu"}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_cluster_and_another_way_to_one_are_refused_when_the_dag_is_read(name):
    with pytest.raises(ValueError, match=f"also gives {name}.*{name}=None"):
        ClusterPodOperator(task_id="fit", image="x", cluster="nam", **{name: ELSEWHERE[name]})


@pytest.mark.parametrize("name", ELSEWHERE)
def test_another_way_in_default_args_is_refused_too(name):
    with DAG("d", schedule=None, default_args={name: ELSEWHERE[name]}), pytest.raises(ValueError, match=name):
        ClusterPodOperator(task_id="fit", image="x", cluster="nam")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_none_is_the_way_out_of_default_args(name):
    with DAG("d", schedule=None, default_args={name: ELSEWHERE[name]}):
        task = ClusterPodOperator(task_id="fit", image="x", cluster="nam", **{name: None})

    assert task.cluster_name == "nam"


def test_without_a_cluster_it_is_the_stock_operator():
    task = ClusterPodOperator(task_id="fit", image="x", kubernetes_conn_id=None, config_file="kubeconfig")

    assert type(task.hook) is KubernetesHook
    assert task.hook.config_file == "kubeconfig"


def test_a_named_cluster_is_reached_by_our_hook():
    task = ClusterPodOperator(task_id="fit", image="x", cluster="nam")

    assert type(task.hook) is ClusterHook
    assert task.hook.cluster_name == "nam"


def test_the_pool_brings_its_cluster():
    assert ClusterPodOperator(task_id="fit", image="x", node_pool=POOL).cluster_name == "nam"


def test_a_cluster_that_is_not_the_pools_is_refused():
    fit = ClusterPodOperator(task_id="fit", image="x", cluster="emea", node_pool=POOL)

    with pytest.raises(AirflowFailException, match="asks for cluster 'emea', but its node pool is on 'nam'"):
        _ = fit.cluster_name


def test_a_pool_that_was_not_made_is_no_cluster():
    task = ClusterPodOperator(task_id="fit", image="x", node_pool=POOL)
    task.node_pool = "None"

    with pytest.raises(AirflowFailException, match="no pool was made"):
        _ = task.cluster_name


@pytest.mark.parametrize("names", [{"node_pool": POOL}, {"cluster": "nam"}])
def test_a_name_that_renders_to_nothing_does_not_make_it_the_stock_operator(names):
    task = ClusterPodOperator(task_id="fit", image="x", **names)
    task.cluster = task.node_pool = None

    with pytest.raises(AirflowFailException, match="no cluster to run on"):
        _ = task.hook


def test_hook_and_client_can_be_deleted_and_come_back():
    task = ClusterPodOperator(task_id="fit", image="x", cluster="nam")
    first = task.hook
    del task.hook

    assert task.hook is not first


def test_cluster_and_pool_are_templates():
    assert {"cluster", "node_pool"} <= set(ClusterPodOperator.template_fields)
    assert set(KubernetesPodOperator.template_fields) <= set(ClusterPodOperator.template_fields)


def value_for(name, parameter):
    """A value other than the default, of a type the stock operator takes."""
    special = {
        "on_finish_action": "keep_pod", "on_kill_action": "keep_pod", "callbacks": [], "trigger_kwargs": {"a": 1},
        "labels": {"a": "b"}, "annotations": {"a": "b"}, "node_selector": {"a": "b"}, "env_vars": {"A": "b"},
        "skip_on_exit_code": 5, "configmaps": ["c"], "termination_message_policy": "FallbackToLogsOnError",
    }  # fmt: skip
    if name in special:
        return special[name]
    if isinstance(parameter.default, bool):
        return not parameter.default
    return 7 if isinstance(parameter.default, (int, float)) else None


STOCK = {
    name: parameter
    for name, parameter in inspect.signature(KubernetesPodOperator.__init__).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
    and name not in {"kubernetes_conn_id", "reattach_on_restart", "is_delete_operator_pod", *ELSEWHERE}
}


@pytest.mark.parametrize("name", [name for name, parameter in STOCK.items() if value_for(name, parameter) is not None])
def test_every_stock_parameter_reaches_the_stock_operator(name):
    given = {"task_id": "fit", "image": "x", name: value_for(name, STOCK[name])}
    stock = KubernetesPodOperator(**given)
    ours = ClusterPodOperator(**given, cluster="nam")

    ignored = {"kubernetes_conn_id", "cluster", "node_pool", "own_timeouts", "_BaseOperator__init_kwargs"}
    differing = {key for key in vars(stock).keys() - ignored if vars(stock)[key] != vars(ours).get(key)}
    assert differing == set()
