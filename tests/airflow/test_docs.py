"""The examples of docs/bracket.md and the folder dags/ are what a reader can copy and run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bracket.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
DAG = r'DAG\(\s*"(\w+)"'
EXAMPLES = sorted((ROOT / "dags").glob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def documented(dag_folder):
    files = [dag_folder / f"bracket_md_{number}.py" for number in range(len(BLOCKS))]
    for file, block in zip(files, BLOCKS, strict=True):
        file.write_text(block)
    yield
    for file in files:
        file.unlink()


@pytest.mark.parametrize("dag_id", re.findall(DAG, PAGE))
def test_example_of_the_page_runs(run, world, dag_id):
    outcome = run(dag_id)

    assert outcome.state == "success"
    assert set(outcome.tasks.values()) == {"success"}
    assert world.report().instances_left == ()


@pytest.mark.parametrize("dag_id", [re.findall(DAG, file.read_text())[0] for file in EXAMPLES])
def test_example_dag_runs(run, world, dag_id):
    outcome = run(dag_id)

    assert outcome.state == "success"
    assert set(outcome.tasks.values()) == {"success"}
    assert world.report().instances_left == ()


def test_the_result_of_a_pod_reaches_airflow(run, world):
    outcome = run("xcom_from_pod")

    assert outcome.results["report"] == "accuracy 93%"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_dag_fits_on_a_screen(file):
    assert len(file.read_text().splitlines()) <= 40


IMPORT = """
import runpy, sys, warnings
import airflow.sdk, airflow.providers.cncf.kubernetes.operators.pod  # what they warn of is not ours
warnings.simplefilter("error")
for file in sys.argv[1:]:
    runpy.run_path(file)
"""


def test_example_dags_import_without_a_warning(dag_folder):
    command = [sys.executable, "-c", IMPORT, *map(str, EXAMPLES)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (result.returncode, "Warning" in result.stderr) == (0, False), result.stderr
