"""The node of a pod that is gone is looked at with the rights of infra/rbac: to list nodes, and not to get them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_multicluster.hooks.cluster import find_cluster
from airflow_multicluster.operators.lost_pod import _node_trouble
from multicluster.simulator.faults import Fault, HttpError
from multicluster.simulator.kubernetes.nodes import NodeShape

SHAPE = {"capacity": {"cpu": "4", "memory": "8Gi"}, "labels": {}}


@pytest.fixture
def look(drive):
    """Look at a node while the API server refuses some operation; return what is wrong with it, and what was logged."""

    def look(name, refused):
        said = []
        log = SimpleNamespace(info=lambda words, *values: said.append(words % values))
        effect = HttpError(code=403, reason="Forbidden", message="no")
        drive.world.faults.add(Fault(name="refused", service="kubernetes", operation=refused, effect=effect))
        registered = SimpleNamespace(cluster=find_cluster(drive.cluster))
        trouble = _node_trouble(SimpleNamespace(registered=registered, log=log), name)
        drive.world.faults.clear()
        return trouble, said

    return look


def test_pain_14_a_node_that_is_gone_is_known_by_the_right_to_list(look):
    assert look("never-there", refused="get nodes") == ("no longer exists", [])


@pytest.mark.parametrize(
    ("ready", "trouble"),
    [(True, ""), (False, "is NotReady (KubeletNotReady: container runtime network not ready)")],
    ids=["well", "ill"],
)
def test_pain_14_a_node_that_is_there_is_judged_by_what_it_says(drive, look, ready, trouble):
    drive.kubernetes.add_node("judged", NodeShape(**SHAPE, ready=ready))
    told = look("judged", refused="get nodes")
    drive.kubernetes.remove_node("judged")

    assert told == (trouble, [])


def test_what_may_not_be_looked_at_is_no_evidence_and_is_said(look):
    assert look("gpu-7", refused="list nodes") == ("", ["Node gpu-7 cannot be looked at: Forbidden"])
