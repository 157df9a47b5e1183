"""What contradicts the registry is refused while the DAG file is read, wherever it is written, with the way out."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG, TaskGroup, task

from airflow_multicluster import ClusterJobOperator, ClusterPodOperator
from airflow_multicluster.operators.refusals import ELSEWHERE

WAYS = {"config_file": "kubeconfig", "cluster_context": "prod", "in_cluster": True, "kubernetes_conn_id": "gpu"}
POOL = {"cluster": "gpu-use1", "name": "mc-room-0", "profile": "l4"}
NAMED = [{"cluster": "here"}, {"node_pool": POOL}]
OPERATORS = [ClusterPodOperator, ClusterJobOperator]
DECORATORS = ["cluster_pod", "cluster_pod_cmd"]
way = pytest.mark.parametrize("way", WAYS)
operator = pytest.mark.parametrize("operator", OPERATORS)
named = pytest.mark.parametrize("named", NAMED, ids=["cluster", "node_pool"])


def refused(way):
    """Expect the refusal that names the parameter and the way out."""
    return pytest.raises(ValueError, match=f"also gives {way}, here or in default_args.*{way}=None")


def test_each_other_way_to_a_cluster_is_tried():
    assert set(WAYS) == set(ELSEWHERE)


@way
@named
@operator
def test_in_a_task(operator, named, way):
    with refused(way):
        operator(task_id="fit", image="x", **named, **{way: WAYS[way]})


@way
@operator
@pytest.mark.parametrize("place", ["dag", "group", "task"])
def test_in_default_args(operator, place, way):
    defaults = {where: {way: WAYS[way]} if where == place else {} for where in ("dag", "group", "task")}

    with DAG("d", schedule=None, default_args=defaults["dag"]), TaskGroup("g", default_args=defaults["group"]):
        with refused(way):
            operator(task_id="fit", image="x", cluster="here", default_args=defaults["task"])
        assert operator(task_id="other", image="x", cluster="here", **{way: None}).named


@way
@named
@operator
def test_in_a_mapped_task(operator, named, way):
    with DAG("d", schedule=None), refused(way):
        operator.partial(task_id="fit", **named, **{way: WAYS[way]}).expand(image=["a", "b"])


@way
@operator
@pytest.mark.parametrize("place", ["dag", "group", "task"])
def test_in_default_args_of_a_mapped_task(operator, place, way):
    defaults = {where: {way: WAYS[way]} if where == place else {} for where in ("dag", "group", "task")}

    with DAG("d", schedule=None, default_args=defaults["dag"]), TaskGroup("g", default_args=defaults["group"]):
        with refused(way):
            operator.partial(task_id="fit", cluster="here", default_args=defaults["task"]).expand(image=["a", "b"])
        operator.partial(task_id="other", cluster="here", **{way: None}).expand(image=["a", "b"])


@way
@operator
def test_among_what_is_mapped(operator, way):
    with DAG("d", schedule=None), refused(way):
        operator.partial(task_id="fit", image="x", cluster="here").expand(**{way: [WAYS[way], WAYS[way]]})


@way
@operator
def test_beside_clusters_that_are_mapped(operator, way):
    with DAG("d", schedule=None), refused(way):
        operator.partial(task_id="fit", image="x", **{way: WAYS[way]}).expand(cluster=["a", "b"])


@way
@operator
def test_in_one_of_several_sets_of_arguments(operator, way):
    sets = [{"cluster": "a"}, {"cluster": "b", way: WAYS[way]}]

    with DAG("d", schedule=None), refused(way):
        operator.partial(task_id="fit", image="x").expand_kwargs(sets)


@operator
def test_the_stock_operators_own_default_connection_is_nobodys_wish(operator):
    with DAG("d", schedule=None, default_args={"kubernetes_conn_id": "kubernetes_default"}) as dag:
        operator(task_id="fit", image="x", cluster="here")
        operator.partial(task_id="mapped", cluster="here").expand(image=["a", "b"])

    assert set(dag.task_ids) == {"fit", "mapped"}


@way
@operator
def test_without_a_name_nothing_is_refused(operator, way):
    with DAG("d", schedule=None) as dag:
        operator(task_id="fit", image="x", **{way: WAYS[way]})
        operator.partial(task_id="mapped", **{way: WAYS[way]}).expand(image=["a", "b"])
        operator.partial(task_id="many", image="x").expand_kwargs([{way: WAYS[way]}])

    assert set(dag.task_ids) == {"fit", "mapped", "many"}


@way
@named
@pytest.mark.parametrize("mapped", [False, True], ids=["called", "mapped"])
@pytest.mark.parametrize("decorator", DECORATORS)
def test_in_a_decorator(decorator, mapped, named, way):
    def fit(number): ...

    with DAG("d", schedule=None), refused(way):
        made = getattr(task, decorator)(image="x", **named, **{way: WAYS[way]})(fit)
        made.expand(number=[1, 2]) if mapped else made(1)
