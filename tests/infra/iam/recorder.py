"""A pytest plugin that writes down which actions and permissions were asked for in the worlds of a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from multicluster.simulator import World


@pytest.fixture(autouse=True)
def record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Append them to the file that ASKED names, whenever a world ends."""
    stop = World.stop

    def note_and_stop(world: World) -> None:
        asked = [*world.aws.policies.asked.values(), *world.google.grants.asked.values()]
        with Path(os.environ["ASKED"]).open("a") as file:
            file.writelines(f"{action}\n" for actions in asked for action in actions)
        stop(world)

    monkeypatch.setattr(World, "stop", note_and_stop)
