"""Whatever the launcher was doing when it was killed, ``down`` leaves nothing behind, and ``up`` works again."""

from __future__ import annotations

import shutil

import pytest

from .residue import groups, left, links

pytestmark = [pytest.mark.testbed, pytest.mark.slow]

UP = ["claimed", "recorded", "bridged", "certified", "etcd", "api-server", "serving", "controllers", "up"]
JOINING = ["node-recorded", "node-certified", "node-started", "node-registered", "node-completed", "node-ready"]
LEAVING = ["node-killed", "node-deleted"]
DOWN = ["killed", "unmounted", "ungrouped", "unbridged", "cleared"]


def test_every_step_is_tried():
    from testbed.checkpoint import Step

    assert {*UP, *JOINING, *LEAVING, *DOWN} == set(Step)


@pytest.mark.parametrize("step", UP)
def test_down_leaves_nothing_of_an_up_that_was_killed(launcher, step):
    launcher.dies(step, "up", "--nodes", "1")
    assert left(launcher.home) != []

    launcher("down")

    assert left(launcher.home) == []


def test_a_node_that_was_killed_while_joining_or_leaving_can_be_removed(launcher):
    launcher("up", "--nodes", "0")
    for step in JOINING:
        launcher.dies(step, "node", "add", f"in-{step}")
        launcher("node", "remove", f"in-{step}")
    for step in LEAVING:
        launcher("node", "add", f"in-{step}")
        launcher.dies(step, "node", "remove", f"in-{step}")
        launcher("node", "remove", f"in-{step}")

    assert launcher("status")["nodes"] == []
    assert launcher("status")["good"]
    assert [link for link in links(launcher.home) if "mctb" not in link] == []
    assert [group for group in groups(launcher.home) if "/in-" in group] == []


@pytest.mark.parametrize("step", JOINING)
def test_down_leaves_nothing_of_a_node_that_was_killed_while_joining(launcher, step):
    launcher.dies(step, "up", "--nodes", "1")

    launcher("down")

    assert left(launcher.home) == []


@pytest.mark.parametrize("step", DOWN)
def test_down_goes_on_where_another_was_killed(launcher, step):
    launcher("up", "--nodes", "1")
    launcher.dies(step, "down")

    launcher("down")

    assert left(launcher.home) == []


def test_up_works_over_what_a_crash_left(launcher):
    launcher.dies("controllers", "up", "--nodes", "1")

    launcher("up", "--nodes", "1")

    assert launcher("status")["good"]


@pytest.mark.parametrize("damage", ["unreadable", "half", "gone", "everything"])
def test_down_needs_no_state(launcher, damage):
    launcher("up", "--nodes", "1")
    if damage == "unreadable":
        (launcher.home / "state.json").write_text("{")
    elif damage == "half":
        (launcher.home / "state.json").write_text('{"cluster_name": "x"}')
    elif damage == "gone":
        (launcher.home / "state.json").unlink()
    else:
        shutil.rmtree(launcher.home)

    launcher("down")

    assert left(launcher.home) == []
