"""Nothing that opens a door is left behind: not in the database, not in a log, not in a folder."""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from contextlib import closing

import pytest
from canary_hunt.hunt import hits

PLACES = ("gpu-use1", "by-session", "by-role", "by-connection", "gpu-euw4", "by-key", "by-kubeconfig")
WRITTEN = (
    "task_instance", "trigger", "xcom", "rendered_task_instance_fields", "serialized_dag", "dag_code", "dag_run",
)  # fmt: skip
pytestmark = pytest.mark.timeout(500)


def test_pain_36_no_secret_is_in_the_database_in_logs_or_in_a_folder(left):
    assert hits(left.folder, left.secrets) == []


@pytest.mark.parametrize("mode", ["sync", "deferrable"])
def test_the_tasks_ended_in_every_way(left, mode):
    tasks = left.outcomes[f"canaries_{mode}"]

    good = {*(f"on_{place}" for place in PLACES), "trained"}
    assert {name for name, state in tasks.items() if state == "success"} == good
    assert set(tasks.values()) == {"success", "failed"}


def test_a_migrated_dag_and_the_demos_dag_are_among_them(left):
    assert left.outcomes["migrated"]["state"] == "success"
    assert left.outcomes["train_on_gpus"]["state"] == "success"


@pytest.mark.parametrize("table", WRITTEN)
def test_the_tables_that_tell_of_tasks_were_written(left, table):
    with closing(sqlite3.connect(left.database)) as connection:
        (rows,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()

    assert rows > 0


def test_the_logs_tell_of_the_tasks_and_their_trouble(left):
    output = left.output

    assert "trained" in output
    assert "returned a failure" in output
    assert "Traceback" in output


def test_every_secret_was_used(left):
    world = left.world
    report = world.report()
    users = {world.aws.iam.keys[key].principal.arn.split("/")[1] for key in world.aws.iam.keys}

    assert {"airflow", "of-connection"} <= users
    assert world.aws.iam.minted_sessions >= 2  # the worker's own, and that of the role
    assert report.aws.tokens_seen >= 3  # of the session, the role and the user; two of one second are one token
    assert report.google.tokens_seen >= 2
    assert "'refused'" in left.output  # as the name of the cluster that did not take the token
    assert "no login" in left.output  # as the plugin said
    assert world.entrances["here"].kubernetes.requests["create", "pods"] >= 2


def plant_in_column(database, value):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE task_instance SET next_kwargs = ? WHERE task_id = 'fails'", (value,))
        connection.commit()


@pytest.mark.parametrize("wrap", ["{}", '{{"token": "{}"}}', "Bearer {}"])
def test_what_is_planted_in_a_row_is_found(left, tmp_path, wrap):
    database = shutil.copy(left.database, tmp_path / "airflow.db")
    plant_in_column(database, wrap.format(left.secrets["session token"]))

    assert "session token in task_instance.next_kwargs" in hits(tmp_path, left.secrets)


def test_what_is_planted_compressed_is_found(left, tmp_path):
    database = shutil.copy(left.database, tmp_path / "airflow.db")
    plant_in_column(database, zlib.compress(left.secrets["session's key"].encode()))

    assert "session's key in task_instance.next_kwargs" in hits(tmp_path, left.secrets)


@pytest.mark.parametrize("coding", ["plain", "base64"])
@pytest.mark.parametrize("name", ["session token", "Kubernetes secret", "kubeconfig's key", "connection's key"])
def test_what_is_planted_in_a_file_is_found(left, tmp_path, name, coding):
    import base64

    content = f"x{left.secrets[name]}y".encode()
    (tmp_path / "left").write_bytes(base64.b64encode(content) if coding == "base64" else content)

    assert hits(tmp_path, {name: left.secrets[name]}) == [f"{name} in left"]
