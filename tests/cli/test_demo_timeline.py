"""What happens becomes lines: each event at most once, on whichever terminal."""

from __future__ import annotations

import io
import os
import pty
import select

import pytest

from multicluster.cli.demo.cloud_watch import CloudEvent, Look, NodeSeen, difference
from multicluster.cli.demo.screen import LiveScreen, PlainScreen, screen
from multicluster.cli.demo.timeline import Line, Timeline


def texts(before: Look, after: Look) -> list[str]:
    return [event.text for event in difference(before, after)]


def test_a_node_is_told_from_joining_to_its_gpus():
    joined = Look(nodes={"c/n": NodeSeen(ready=False, gpus=0)})
    ready = Look(nodes={"c/n": NodeSeen(ready=True, gpus=0)})
    usable = Look(nodes={"c/n": NodeSeen(ready=True, gpus=8)})

    assert texts(Look(), joined) == ["node n joined, not ready yet"]
    assert texts(joined, ready) == ["node n Ready"]
    assert texts(ready, usable) == ["node n advertises 8 GPU"]
    assert texts(usable, usable) == []


def test_steps_that_happened_between_two_looks_are_all_told():
    after = Look(
        pools={"c/p": "ACTIVE"},
        instances={"c/i-1": "g6.xlarge, us-east-1a"},
        nodes={"c/n": NodeSeen(ready=True, gpus=1)},
    )

    assert texts(Look(), after) == [
        "pool p ACTIVE",
        "i-1 launched (g6.xlarge, us-east-1a)",
        "node n joined",
        "node n Ready",
        "node n advertises 1 GPU",
    ]
    assert texts(after, Look()) == ["pool p is gone", "i-1 terminated"]


def test_a_launch_that_failed_is_told_once_with_the_clouds_words():
    once = Look(failures={"c/p": ("no {capacity}",)})
    twice = Look(failures={"c/p": ("no {capacity}", "no {capacity}")})

    assert texts(Look(), once) == ["no instance: no {capacity}"]
    assert texts(once, twice) == []


def test_a_task_that_comes_back_from_its_trigger_is_told_as_one_task():
    timeline = Timeline()
    running = {"kind": "task", "task": "eks.report", "state": "running"}
    lines = [
        timeline.airflow(1.0, running),
        timeline.airflow(2.0, running),
        timeline.airflow(3.5, {**running, "state": "success"}),
    ]

    assert lines == [
        Line(at=1.0, lane="gpu-use1", mark="running", text="report"),
        None,
        Line(at=3.5, lane="gpu-use1", mark="success", text="report  2.5 s"),
    ]


def test_a_finding_that_did_not_change_is_not_repeated():
    timeline = Timeline()
    note = {"kind": "note", "task": "gke.node_pool_ready", "text": "0 of 1 nodes"}

    assert timeline.airflow(1.0, note) == Line(at=1.0, lane="gpu-euw4", mark="note", text="0 of 1 nodes")
    assert timeline.airflow(2.0, note) is None


def test_a_failure_says_why_in_one_line():
    timeline = Timeline()
    line = timeline.airflow(1.0, {"kind": "task", "task": "eks.x", "state": "failed", "error": "\nno\nmore"})

    assert line == Line(at=1.0, lane="gpu-use1", mark="failed", text="x  0.0 s  no")


def test_what_is_no_terminal_gets_whole_lines_without_colours():
    out = io.StringIO()
    with screen(out) as shown:
        shown.doing("something")
        shown.show(Line(at=1.25, lane="gpu-use1", mark="pod", text="x" * 300))

    assert out.getvalue().endswith("x" * 300 + "\n")
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_an_output_that_knows_ascii_only_gets_ascii():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    with PlainScreen(out) as shown:
        shown.show(Line(at=0, lane="world", mark="success", text="done \u2713 \u00e9"))

    assert raw.getvalue() == b"   0.0s  world     + done ? ?\n"


@pytest.fixture
def terminal():
    """The two ends of a pseudo-terminal, 40 columns wide."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as out:
        yield ours, out
    os.close(ours)


def everything(end: int) -> str:
    """Read what was written; a terminal hands it over in as many pieces as it was written in."""
    written = b""
    while select.select([end], [], [], 0.2)[0]:
        written += os.read(end, 65536)
    return written.decode()


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_narrow_terminal_gets_one_line_each_and_no_color_is_obeyed(terminal, monkeypatch, no_color, coloured):
    ours, out = terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", no_color)
    shown = screen(out)
    with shown:
        shown.show(Line(at=1, lane="gpu-use1", mark="success", text="word " * 30))
    out.flush()
    written = everything(ours)

    assert isinstance(shown, LiveScreen)
    assert written.count("word") < 8
    assert ("\x1b[32m" in written) is coloured


def test_cloud_events_stand_in_the_lane_of_their_cluster():
    line = Timeline().cloud(2.0, CloudEvent(cluster="gpu-euw4", text="pool p ACTIVE"))

    assert line == Line(at=2.0, lane="gpu-euw4", mark="cloud", text="pool p ACTIVE")
