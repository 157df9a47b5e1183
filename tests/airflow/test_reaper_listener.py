"""A run that times out nudges the reaper, and the scheduler neither waits nor hears of trouble."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from airflow_multicluster import listener
from airflow_multicluster.listener_plugin import ListenerPlugin

FILE = Path(__file__).parents[2] / "dags" / "reaper.py"
NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
RUN = SimpleNamespace(dag_id="train", run_id="manual")


def nudges():
    return [thread for thread in threading.enumerate() if thread.name == "multicluster-nudge"]


def told(msg):
    listener.on_dag_run_failed(dag_run=RUN, msg=msg)
    for thread in nudges():
        thread.join(60)


@pytest.fixture
def triggered(monkeypatch):
    asked = []
    monkeypatch.setattr(listener, "trigger_reaper", lambda now: asked.append(now) or "timed_out__now")
    return asked


@pytest.mark.parametrize(("msg", "times"), [("timed_out", 1), ("task_failure", 0), ("", 0)])
def test_only_a_run_that_timed_out_nudges_the_reaper(triggered, msg, times):
    told(msg)

    assert len(triggered) == times


def test_the_scheduler_does_not_wait_for_the_nudge_and_makes_one_at_a_time(monkeypatch):
    let_go, begun = threading.Event(), threading.Event()

    def slow(_now):
        begun.set()
        let_go.wait(60)

    monkeypatch.setattr(listener, "trigger_reaper", slow)
    listener.on_dag_run_failed(dag_run=RUN, msg="timed_out")

    assert begun.wait(60)
    for _ in range(100):
        listener.on_dag_run_failed(dag_run=RUN, msg="timed_out")
    assert len(nudges()) == 1
    let_go.set()
    for thread in nudges():
        thread.join(60)


def test_trouble_with_the_nudge_is_logged_and_goes_no_further(monkeypatch, caplog):
    def fail(_now):
        raise RuntimeError("database is locked")

    monkeypatch.setattr(listener, "trigger_reaper", fail)
    told("timed_out")

    assert "could not be asked to run at once" in caplog.text
    assert nudges() == []


def test_airflow_calls_the_listener_of_the_plugin():
    from airflow.listeners.listener import get_listener_manager

    heard = []
    manager = get_listener_manager()
    for one in ListenerPlugin.listeners:
        manager.add_listener(one)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(listener, "trigger_reaper", heard.append)
            manager.hook.on_dag_run_failed(dag_run=RUN, msg="timed_out")
            for thread in nudges():
                thread.join(60)
    finally:
        for one in ListenerPlugin.listeners:
            manager.pm.unregister(one)

    assert len(heard) == 1


@pytest.fixture
def reaper(database, world):
    """Let Airflow know the shipped DAG, by running it once; take away what is asked for."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select, update

    DagBag(dag_folder=str(FILE)).dags[listener.REAPER].test()

    def asked_for():
        with create_session() as session:
            found = session.execute(select(DagRun.run_id, DagRun.state).where(DagRun.dag_id == listener.REAPER))
            return {run_id: str(state) for run_id, state in found if run_id.startswith("timed_out")}

    def pause(paused):
        with create_session() as session:
            session.execute(update(DagModel).where(DagModel.dag_id == listener.REAPER).values(is_paused=paused))

    pause(paused=False)
    yield SimpleNamespace(asked_for=asked_for, pause=pause)
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id == listener.REAPER))


def test_the_reaper_is_asked_for_at_most_once_a_minute(reaper):
    first = listener.trigger_reaper(NOW)
    second = listener.trigger_reaper(NOW + timedelta(seconds=29))
    third = listener.trigger_reaper(NOW + timedelta(seconds=30))

    assert (first, second, third) == ("timed_out__2026-11-21T12:00", None, "timed_out__2026-11-21T12:01")
    assert reaper.asked_for() == {first: "queued", third: "queued"}


def test_a_paused_reaper_is_not_asked_for(reaper):
    reaper.pause(paused=True)

    assert listener.trigger_reaper(NOW) is None
    assert reaper.asked_for() == {}


def test_without_a_reaper_dag_nothing_is_asked_for(database, monkeypatch):
    monkeypatch.setenv("AIRFLOW__MULTICLUSTER__REAPER_DAG", "not_there")

    assert listener.trigger_reaper(NOW) is None
