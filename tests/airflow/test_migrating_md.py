"""The example of docs/migrating.md runs as it comes out of the migration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()


@pytest.fixture
def documented(dag_folder):
    *_, after = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    file = dag_folder / "migrating_md.py"
    file.write_text(after.replace('profile="g6-xlarge"', 'profile="l4"'))  # as the world's registry calls it
    yield
    file.unlink()


def test_the_example_of_the_page_runs_and_leaves_nothing(run, world, documented):
    outcome = run("chain")

    assert outcome.state == "success", outcome.reasons
    assert set(outcome.tasks.values()) == {"success"}
    assert world.report().instances_left == ()
