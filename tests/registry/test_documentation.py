"""What docs/registry.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from multicluster.cli import main

TEXT = (Path(__file__).parents[2] / "docs" / "registry.md").read_text()
FILES = dict(re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL))
PYTHON = "\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
CONSOLE = re.findall(
    r"^\$ multicluster (.+)\n((?:(?!\$ ).+\n)*)",
    "".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)),
    re.MULTILINE,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of the page, where the examples run."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_python_of_the_page_runs():
    names = {}
    exec(compile(PYTHON, "registry.md", "exec"), names)  # the page's own text

    assert names["registry"]["two"].name == "two"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("command", "answer"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_a_command_of_the_page_answers_as_shown(command, answer, capfd):
    main(command.split())
    results, talk = capfd.readouterr()

    assert results + talk == answer


def test_the_page_has_examples_of_every_sort():
    assert set(FILES) == {"registry.yaml", "defaults.yaml", "cordoned.yaml", "wrong.yaml"}
    assert len(CONSOLE) == 3
