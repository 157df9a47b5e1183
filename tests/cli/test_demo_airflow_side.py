"""The demo's Airflow side: what it picks out of the log, its events, and the database it keeps."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_multicluster.demo import database
from airflow_multicluster.demo.events import Events
from airflow_multicluster.demo.log_tap import LogTap, sort_out
from multicluster.cli.demo.airflow_process import airflow_environment, dags_folder

POD_MANAGER = "airflow.providers.cncf.kubernetes.utils.pod_manager.PodManager"
TRIGGER = "airflow_multicluster.triggers.node_pool.NodePoolReadyTrigger"


@pytest.mark.parametrize(
    ("logger", "message", "kind"),
    [
        (POD_MANAGER, "[base] epoch 1", ("line", "epoch 1")),
        (POD_MANAGER, "[base] logs: accuracy 0.93", ("line", "accuracy 0.93")),
        (POD_MANAGER, "[base] two\nlines", ("line", "two\nlines")),
        (POD_MANAGER, "Pod eks-train has phase Running", None),
        (TRIGGER, "node pool 'a': 0 of 1 nodes usable", ("note", "node pool 'a': 0 of 1 nodes usable")),
        ("airflow_multicluster.triggers.pod", "Checking pod", None),
        ("airflow.sdk.definitions.dag", "[DAG TEST] running trigger in line", ("deferred", "")),
        ("airflow.sdk.definitions.dag", "[DAG TEST] starting", None),
    ],
)
def test_of_the_log_the_audience_hears_pods_findings_and_deferrals(logger, message, kind):
    assert sort_out(logger, message) == kind


def test_both_logging_systems_are_heard_and_left_as_they_are():
    heard = []
    tap = LogTap(lambda kind, text: heard.append((kind, text)))
    event = {"event": "[%s] %s", "positional_args": ("base", "100 %"), "logger_name": POD_MANAGER}
    returned = tap.process(None, "info", dict(event))
    tap.emit(logging.LogRecord(POD_MANAGER, logging.INFO, "", 0, "[%s] %s", ("base", "stdlib"), None))

    assert heard == [("line", "100 %"), ("line", "stdlib")]
    assert returned == event


def test_events_are_lines_of_json_and_a_parent_that_is_gone_is_no_error():
    reading, writing = os.pipe()
    events = Events(writing)
    events.tell("task", task="eks.train", state="running")
    line = os.read(reading, 65536)
    os.close(reading)
    events.tell("task", task="eks.train", state="success")
    os.close(writing)

    assert line.endswith(b"\n")
    assert json.loads(line).items() >= {"kind": "task", "task": "eks.train", "state": "running"}.items()


def test_the_database_is_copied_from_the_template_of_this_airflow(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "home"
    home.mkdir()
    before = database.ready_database(home)
    database.template().parent.mkdir(parents=True)
    database.template().write_bytes(b"template")
    after = database.ready_database(home)

    assert (before, after) == (False, True)
    assert (home / "airflow.db").read_bytes() == b"template"


def test_a_database_that_is_there_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "airflow.db").write_bytes(b"mine")

    assert database.ready_database(tmp_path)
    assert (tmp_path / "airflow.db").read_bytes() == b"mine"


@pytest.mark.parametrize("writable", [True, False])
def test_a_first_run_makes_the_database_and_keeps_it_where_it_can(tmp_path, writable):
    cache = tmp_path / "cache"
    if not writable:
        cache.write_text("no folder")
    code = (
        "from pathlib import Path; import sys; from airflow_multicluster.demo.database import *; "
        "home = Path(sys.argv[1]); make_database(home); print(template().exists())"
    )
    environment = {**airflow_environment(tmp_path), "XDG_CACHE_HOME": str(cache)}
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    with sqlite3.connect(tmp_path / "airflow.db") as connection:
        tables = {name for (name,) in connection.execute("select name from sqlite_master")}
    connection.close()

    assert result.stdout.split()[-1:] == [str(writable)], result.stderr
    assert {"dag_run", "task_instance"} <= tables


def test_nothing_of_the_user_s_own_airflow_and_clouds_comes_into_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/production/airflow.cfg")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/production/key.json")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://production")
    environment = airflow_environment(tmp_path)

    assert not [name for name, value in environment.items() if "production" in value]
    assert environment["AIRFLOW_HOME"] == str(tmp_path)
    assert environment["HTTPS_PROXY"] == "http://127.0.0.1:9"


def test_the_demo_s_dag_is_where_airflow_is_told_to_look_and_fits_on_a_screen():
    files = [path for path in dags_folder().glob("*.py") if path.name != "__init__.py"]

    assert [path.name for path in files] == ["train_on_gpus.py"]
    assert len(Path(files[0]).read_text().splitlines()) <= 60
