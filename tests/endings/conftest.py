"""Endings that are true, on a real Airflow; only where it is asked for: ``-m endings`` or MULTICLUSTER_ENDINGS=1.

MULTICLUSTER_ENDINGS=sqlite does without PostgreSQL where there is one.

One Airflow serves all tests of a run, and all plays are on at once; each test then looks at how its own one ended.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOM = str(Path(__file__).parent)
for room in (ROOM, str(Path(ROOM).with_name("canaries"))):
    if room not in sys.path:
        sys.path.insert(0, room)


SECONDS = 900
"""For a test: the first one starts everything."""
TABLE, STAGE = pytest.StashKey[list[tuple[str, str, str]]](), pytest.StashKey[str]()
PLAYS = pytest.StashKey[list[Any]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scripts(*scripts): what happens in the plays that the test is about")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of this room alone unless they are asked for."""
    from airflow_stage.asked import wanted

    return True if collection_path.name.startswith("test_") and not wanted(config) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kill parts of Airflow last: tests before that want it whole. Whoever looks at what is left looks in the end."""
    here = [at for at, item in enumerate(items) if str(item.path).startswith(ROOM)]
    ordered = sorted((items[at] for at in here), key=_lateness)
    for at, item in zip(here, ordered, strict=True):
        items[at] = item
        item.add_marker(pytest.mark.timeout(SECONDS))


def _lateness(item: pytest.Item) -> int:
    order = ("test_triggerer", "test_scheduler", "test_what_is_left", "test_nothing_secret")
    return next((at + 1 for at, name in enumerate(order) if item.path.name.startswith(name)), 0)


@pytest.fixture(scope="session")
def stage(request):
    """Start the world, an Airflow on it, and the plays of all tests that were selected."""
    from endings_stage.stage import Stage

    casts = {}
    for item in request.session.items:
        if (marker := item.get_closest_marker("scripts")) is not None:
            mode = item.callspec.params["mode"]
            casts.update({(script.name, mode): (script, mode) for script in marker.args})
    with Stage(list(casts.values())) as stage:
        why = stage.deployment.no_postgres
        database = f"SQLite with one triggerer: {why}" if why else "PostgreSQL, two triggerers"
        request.config.stash[STAGE] = f"{database}; {len(casts)} plays"
        request.config.stash[PLAYS] = list(stage.plays.values())
        yield stage


@pytest.fixture
def scripts(request):
    return request.node.get_closest_marker("scripts").args


@pytest.fixture
def endings(stage, scripts, mode, request):
    """How the plays of this test ended in this mode."""
    endings = [stage.ending(script, mode) for script in scripts]
    for ended in endings:
        request.node.add_report_section("setup", "story", ended.story)  # shown when the test fails
    return endings


@pytest.fixture
def ended(endings):
    """How the only play of this test ended."""
    (ended,) = endings
    return ended


@pytest.fixture
def play(stage, scripts, mode):
    """The play of this test and mode, started; the test acts and ends it."""
    play = stage.plays[scripts[0].name, mode]
    if play.script.late:
        play.start()
    return play


@pytest.fixture
def beside(request):
    """Write a line of the table that shows the anchor beside us: case, stock, ours."""

    def write(case: str, stock: str, ours: str) -> None:
        request.config.stash.setdefault(TABLE, []).append((case, stock, ours))

    return write


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if STAGE not in config.stash:
        return
    terminalreporter.section("endings")
    terminalreporter.line(config.stash[STAGE])
    write_table(terminalreporter, HEAD, [row_of(play) for play in config.stash.get(PLAYS, [])])
    write_table(terminalreporter, ("case", "stock", "ours"), config.stash.get(TABLE, []))


HEAD = ("ending", "mode", "task", "run", "tries", "pods", "in the end", "seconds")


def row_of(play: Any) -> tuple[str, ...]:
    ended = play.ending.row if play.ending else ("did not end",)
    return (play.script.name, play.mode, *ended, *[""] * (6 - len(ended)))


def write_table(terminalreporter, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows) if rows else ():
        terminalreporter.line(" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
