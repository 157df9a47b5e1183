"""The testbeds of worlds that died are found and ended; those of the living are left alone."""

from __future__ import annotations

from pathlib import Path

from multicluster.simulator.clock import SystemClock
from multicluster.simulator.grounds.testbeds import Testbeds, end_abandoned


def test_an_abandoned_testbed_is_ended_and_named(command: Path, orders: Path, tmp_path: Path) -> None:
    worlds = tmp_path / "worlds"
    home = worlds / "dead" / "gpu-use1"
    home.mkdir(parents=True)

    ended = end_abandoned(command, worlds)

    assert ended == ["gpu-use1"]
    assert orders.read_text() == f"down --home {home} --output json\n"
    assert not home.parent.exists()


def test_the_testbed_of_a_living_world_is_left_alone(command: Path, orders: Path, tmp_path: Path) -> None:
    ground = Testbeds(command=command, folder=tmp_path / "worlds", clock=SystemClock())
    (ground.folder / "gpu-use1").mkdir()

    ended = end_abandoned(command, tmp_path / "worlds")

    assert ended == []
    assert not orders.exists()
    assert (ground.folder / "gpu-use1").is_dir()
    ground.stop()
    assert not ground.folder.exists()


def test_where_no_demo_ever_ran_nothing_is_abandoned(command: Path, tmp_path: Path) -> None:
    assert end_abandoned(command, tmp_path / "worlds") == []
