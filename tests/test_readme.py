"""A stranger follows README to the letter: what it shows must be so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from multicluster import load_registry
from multicluster.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_the_registry_example_loads():
    (document,) = blocks("yaml")

    registry = load_registry(yaml.safe_load(document))

    assert list(registry) == ["gpu-use1", "gpu-euw4", "laptop", "here"]
    assert registry["gpu-use1"].profile("l4").instance_types == ("g6.xlarge",)


def test_the_bracket_example_builds_five_tasks_without_a_warning(tmp_path):
    (code,) = blocks("python")
    path = tmp_path / "train.py"
    path.write_text(f"{code}\nfor model in (pool.dag,):\n    print(sorted(model.task_ids))\n")
    environment = {"HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-W", "error::UserWarning", str(path)]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)

    tasks = ["create_node_pool", "delete_node_pool", "fit", "node_pool_gone", "node_pool_ready"]
    assert result.stdout.strip().splitlines()[-1:] == [str([f"gpu.{task}" for task in tasks])], result.stderr


@pytest.mark.parametrize("words", re.findall(r"^\| `multicluster ([a-z ]+)`", README, flags=re.MULTILINE))
def test_every_command_of_the_table_explains_itself(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), "--help"])

    assert ended.value.code == 0
    assert f"usage: multicluster {words}" in capsys.readouterr().out


@pytest.mark.parametrize("page", sorted(set(re.findall(r"\]\(([^):]+)\)", README))))
def test_every_page_that_is_linked_exists(page):
    assert (ROOT / page).is_file()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)`", README))))
def test_every_make_target_that_is_named_exists(target):
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_it_can_be_read_in_one_go():
    assert len(README.splitlines()) <= 150
