"""The testbeds of worlds that died are found and ended; those of the living are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from multicluster.grounds.launcher import TestbedError
from multicluster.grounds.testbeds import Testbeds, end_abandoned
from multicluster.simulator import World
from multicluster.simulator.clock import SystemClock


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


def test_a_testbed_that_does_not_come_up_is_ended_with_its_world(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text(
        f'#!/bin/sh\necho "$1" >> {tmp_path}/orders\n[ "$1" = down ] && echo "{{}}" || echo no room >&2\n'
    )
    script.chmod(0o700)
    ground = Testbeds(command=script, folder=tmp_path / "worlds", clock=SystemClock())
    with World(ground=ground) as world, pytest.raises(TestbedError, match="testbed up --cluster-name gpu: no room"):
        world.add_eks("gpu")

    assert (tmp_path / "orders").read_text().split() == ["up", "down"]
    assert not ground.folder.exists()


def test_no_testbed_is_forgotten_when_another_does_not_end(tmp_path: Path) -> None:
    ended: list[str] = []

    class Stubborn:
        def __init__(self, name: str) -> None:
            self.kubernetes, self.name = self, name

        def stop(self) -> None:
            ended.append(self.name)
            if self.name == "first":
                raise TestbedError("it does not end")

    world = World()
    world.entrances |= {"first": Stubborn("first"), "second": Stubborn("second")}
    with pytest.raises(TestbedError, match="does not end"):
        world.stop()

    assert sorted(ended) == ["first", "second"]
    assert not world.root.exists()
