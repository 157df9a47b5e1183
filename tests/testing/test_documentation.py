"""docs/testing-your-dags.md works to the letter: its files stand in a project of their own, and its tests run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing-your-dags.md"
NAMED = re.compile(r"`([\w./]+\.(?:py|ini))`[^\n`]*\n\n```\w+\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def project(folder: Path, *names: str) -> None:
    """Write the blocks of the page that follow these file names into the files."""
    files = dict(NAMED.findall(PAGE.read_text()))
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name])


def run_tests(folder: Path, *arguments: str) -> dict[str, int]:
    """Run pytest in the folder as a user does, and return how many tests ended how."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "AIRFLOW"))}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    counted = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?)", result.stdout)}
    assert counted, result.stdout + result.stderr
    return counted


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_first_test_of_the_page_passes(tmp_path):
    project(tmp_path, "pytest.ini", "dags/train.py", "test_train.py")

    assert run_tests(tmp_path, "test_train.py") == {"passed": 3}


@pytest.mark.timeout(120)
def test_the_page_s_own_clusters_answer(tmp_path):
    project(tmp_path, "conftest.py")
    (tmp_path / "test_clusters.py").write_text(BLOCK.findall(PAGE.read_text())[-1])

    assert run_tests(tmp_path) == {"passed": 1}
