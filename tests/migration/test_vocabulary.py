"""The lists of stock arguments are those of the installed providers."""

from __future__ import annotations

import inspect

import pytest
from airflow.providers.amazon.aws.operators.eks import (
    EksCreateNodegroupOperator,
    EksDeleteNodegroupOperator,
    EksPodOperator,
)
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import BaseOperator

from multicluster.migration.vocabulary import EKS_ONLY, PLACE, POD_ARGUMENTS, TASK_ARGUMENTS, Role


def parameters(operator: type) -> set[str]:
    return set(inspect.signature(operator.__init__).parameters) - {"self", "args", "kwargs"}


def test_every_argument_of_a_pod_is_known():
    assert parameters(KubernetesPodOperator) == POD_ARGUMENTS


def test_every_argument_of_a_task_is_known():
    assert parameters(BaseOperator) - POD_ARGUMENTS <= TASK_ARGUMENTS


def test_every_own_argument_of_an_eks_pod_is_known():
    assert parameters(EksPodOperator) <= PLACE[Role.EKS_POD] | EKS_ONLY | POD_ARGUMENTS


@pytest.mark.parametrize(
    ("role", "operator"), [(Role.CREATE, EksCreateNodegroupOperator), (Role.DELETE, EksDeleteNodegroupOperator)]
)
def test_what_says_where_a_node_group_is_exists(role, operator):
    assert parameters(operator) & PLACE[role] >= {"cluster_name", "nodegroup_name"}
