"""The three defects of the stock operators that a live run has shown, beside what ours do in the same Airflow."""

from __future__ import annotations

import pytest
from endings_stage import deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings
MODE = ["deferrable"]
EKS = {"operator": "eks", "cluster": "gpu"}
SLOW = {"poll_interval": 10}
"""The stock EKS operator starts a process for each look at its pod."""


def pair(name, stock, **given):
    """Write the same script for the stock operator and for ours."""
    options = {**given.pop("options", {}), **SLOW}
    cluster = {"cluster": stock["cluster"]}
    return (
        Script(name=f"{name}-stock", options=options, **given, **stock),
        Script(name=f"{name}-ours", options=options, **given, **cluster),
    )


@ending_of(*pair("marked", EKS, deed=deeds.mark("failed")), modes=MODE)
def test_a_deferred_pod_on_eks_ends_when_its_task_is_marked_failed(endings, beside):
    stock, ours = endings
    beside(
        "deferred on EKS, marked failed",
        *("the pod works on" if one.working else "the pod is deleted" for one in (stock, ours)),
    )

    assert (ours.state, ours.made, ours.left) == ("failed", 1, ())


@ending_of(*pair("overdue", EKS, deed=deeds.overdue, options={"execution_timeout": 60}), modes=MODE)
def test_a_deferred_pod_on_eks_ends_at_its_execution_timeout(endings, beside):
    stock, ours = endings
    late = f"{deeds.OVERDUE_SECONDS} s past it the task still waits"
    beside(
        "deferred on EKS, execution_timeout",
        *("the task fails, the pod is deleted" if one.state == "failed" else late for one in (stock, ours)),
    )

    assert (ours.state, ours.made, ours.left) == ("failed", 1, ())


KUBECONFIG = {"operator": "kpo", "cluster": "anchor"}


@ending_of(*pair("kubeconfig", KUBECONFIG, deed=deeds.read_trigger), modes=MODE)
def test_no_token_stands_in_the_row_of_a_trigger(endings, stage, scripts, mode, beside):
    token = stage.world.entrances["anchor"].admin_token
    rows = ["".join(stage.plays[script.name, mode].seen) for script in scripts]
    beside(
        "deferred by a kubeconfig, the trigger's row",
        *("the cluster's token in clear" if token in row else "no token" for row in rows),
    )

    assert [one.state for one in endings] == ["success", "success"]
    assert "ours" in rows[1]
    assert token not in rows[1]
