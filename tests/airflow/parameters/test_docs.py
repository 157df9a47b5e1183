"""docs/pods.md: its examples run, and what it says of parameters is about parameters that exist."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

from airflow_multicluster import ClusterPodOperator

PAGE = (Path(__file__).parents[3] / "docs" / "pods.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
TABLES = re.findall(r"^\| ((?:`\w+`(?:, )?)+)[^|]*\|", PAGE, flags=re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def documented(dag_folder):
    files = [dag_folder / f"pods_md_{number}.py" for number in range(len(BLOCKS))]
    for file, block in zip(files, BLOCKS, strict=True):
        file.write_text(block)
    yield
    for file in files:
        file.unlink()


@pytest.mark.parametrize("dag_id", re.findall(r'DAG\("(\w+)"', PAGE))
def test_an_example_of_the_page_runs(run, dag_id):
    outcome = run(dag_id)

    assert outcome.state == "success", outcome.reasons
    assert set(outcome.tasks.values()) == {"success"}


def test_every_parameter_that_a_table_begins_with_exists():
    known = {
        name
        for operator in (KubernetesPodOperator, *ClusterPodOperator.__mro__)
        if "__init__" in vars(operator)
        for name in inspect.signature(operator.__init__).parameters
    }
    told = {name for row in TABLES for name in re.findall(r"`(\w+)`", row)}

    assert told >= {"cluster", "node_pool", "config_file", "poll_interval", "env_vars"}
    assert told - known == set()
