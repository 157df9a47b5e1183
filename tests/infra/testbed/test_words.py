"""The words of the command: what is read, and what is refused before anything happens."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from testbed import cli, commands, preflight
from testbed.kubelet import Taint


def read(*words: str):
    return cli.parser().parse_args(words)


def test_a_node_is_read_with_all_that_a_cloud_sets():
    node = read(
        "node", "add", "gpu-1", "--gpus", "2", "--label", "a=b", "--label", "c=", "--taint", "k=v:NoSchedule",
        "--taint", "k:NoExecute", "--capacity", "x/y=3", "--provider-id", "aws:///z/i-1", "--home", "/h",
    )  # fmt: skip

    assert (node.name, node.gpus, node.provider_id, node.home) == ("gpu-1", 2, "aws:///z/i-1", "/h")
    assert dict(node.label) == {"a": "b", "c": ""}
    assert node.taint == [
        Taint(key="k", value="v", effect="NoSchedule"),
        Taint(key="k", value="", effect="NoExecute"),
    ]
    assert dict(node.capacity) == {"x/y": "3"}


@pytest.mark.parametrize(
    "words",
    [
        ["node", "add", "n", "--label", "novalue"],
        ["node", "add", "n", "--taint", "k=v"],
        ["node", "add", "n", "--taint", "k=v:Sometimes"],
        ["node", "add", "n", "--taint", "=v:NoSchedule"],
        ["node", "gpus", "n", "-1"],
        ["up", "--nodes", "-1"],
        ["up", "--nodes", "many"],
        ["node"],
        [],
        ["start"],
    ],
)
def test_misuse_ends_with_2_before_anything_is_done(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)

    assert caught.value.code == 2
    assert "usage: testbed" in capsys.readouterr().err


def test_the_home_comes_from_the_option_then_the_environment_then_the_cache(monkeypatch):
    monkeypatch.setenv("MULTICLUSTER_TESTBED_HOME", "/of/environment")
    assert read("status").home == "/of/environment"
    assert read("status", "--home", "/of/option").home == "/of/option"

    monkeypatch.delenv("MULTICLUSTER_TESTBED_HOME")
    assert read("status").home == str(Path.home() / ".cache/airflow-multicluster/testbed/default")


@pytest.mark.parametrize("words", [["up"], ["down"], ["status"], ["node", "remove", "n"], ["kubeconfig"], ["logs"]])
def test_nothing_is_tried_without_root(words, monkeypatch, tmp_path, capsys):
    lacking = preflight.of_machine(system="linux", user=lambda: 1000)
    monkeypatch.setattr(preflight, "of_machine", lambda: lacking)

    assert cli.main([*words, "--home", str(tmp_path / "home")]) == 1

    assert "you are not root" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_json_is_one_document_on_stdout(monkeypatch, capsys):
    answer = commands.Answer(facts={"a": 1}, text=["said to people"], good=False)
    monkeypatch.setattr(commands, "preflight", lambda *_: answer)

    assert cli.main(["preflight", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    assert cli.main(["preflight"]) == 1
    assert capsys.readouterr().out == "said to people\n"


def test_the_documentation_names_every_command_and_option():
    page = (Path(__file__).parents[3] / "docs" / "testbed.md").read_text()

    assert [word for word in sorted(words(cli.parser())) if word not in page] == []


def words(parser) -> set[str]:
    """Collect the names of all commands below *parser* and of their options."""
    found = set()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= set(action.choices).union(*(words(one) for one in action.choices.values()))
        else:
            found |= {option for option in action.option_strings if option not in {"-h", "--help"}}
    return found
