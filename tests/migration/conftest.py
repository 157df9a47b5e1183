"""Migrate a text, and load texts with the real Airflow."""

from __future__ import annotations

from textwrap import dedent

import pytest

from multicluster.migration.proposal import Proposal
from multicluster.migration.source import migrate


class Room:
    """What one migration came to."""

    def __init__(self, text: str) -> None:
        self.before = dedent(text).lstrip("\n")
        self.proposal = Proposal()
        done = migrate("dag.py", self.before.encode(), self.proposal)
        self.after = done.after.decode()
        self.findings = done.findings

    @property
    def by_hand(self) -> list[str]:
        return [str(finding) for finding in self.findings if finding.by_hand]

    @property
    def looks(self) -> list[str]:
        return [str(finding) for finding in self.findings if not finding.by_hand]

    @property
    def clusters(self) -> dict[str, dict]:
        document = self.proposal.document or {"clusters": []}
        return {cluster["name"]: cluster for cluster in document["clusters"]}


@pytest.fixture
def migrated():
    """Migrate a text; a second time must change nothing."""

    def migrated(text: str) -> Room:
        room = Room(text)
        again = migrate("dag.py", room.after.encode(), Proposal())
        assert again.after.decode() == room.after
        return room

    return migrated


@pytest.fixture
def dag(tmp_path):
    """Load a text as Airflow does, and return its one DAG."""

    def dag(text: str):
        from airflow.dag_processing.dagbag import DagBag

        file = tmp_path / f"dag_{len(list(tmp_path.iterdir()))}.py"
        file.write_text(text)
        bag = DagBag(dag_folder=str(file))
        assert bag.import_errors == {}
        (found,) = bag.dags.values()
        return found

    return dag
