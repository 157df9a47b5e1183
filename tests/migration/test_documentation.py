"""docs/migrating.md says what the command does."""

from __future__ import annotations

import re
from pathlib import Path

from airflow.sdk import task

import airflow_multicluster
from multicluster.migration.vocabulary import DECORATORS, OURS

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()
BEFORE, AFTER = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_pages_example_becomes_what_the_page_says(migrated):
    room = migrated(BEFORE)

    assert (room.after, room.by_hand) == (AFTER, [])


def test_the_pages_examples_are_dags_that_airflow_reads(dag):
    assert len(dag(BEFORE).tasks) == len(dag(AFTER).tasks) == 5


def test_what_people_are_pointed_at_exists():
    for ours in set(OURS.values()):
        assert getattr(airflow_multicluster, ours).__name__ == ours
    for stock, ours in DECORATORS.items():
        assert callable(getattr(task, stock))
        assert callable(getattr(task, ours))


def test_the_page_names_what_people_are_pointed_at():
    named = {*OURS.values(), *(f"@task.{ours}" for ours in DECORATORS.values())}

    assert [one for one in sorted(named) if f"`{one}" not in PAGE] == []
