"""The words of the command: what is read, and what is refused before anything happens."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import cli, commands, preflight, processes
from testbed.home import CACHE
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
        ["node", "add", "n", "--taint", "a b=c:NoSchedule"],
        ["node", "add", "n", "--label", "a b=c"],
        ["node", "add", "n", "--label", "x=1,evil=2"],
        ["node", "add", "n", "--capacity", "foo=1"],
        ["node", "add", "n", "--capacity", "x/y=many"],
        ["node", "add", "a..b"],
        ["node", "gpus", "cpu-1?x=", "1"],
        ["node", "remove", "../x"],
        ["node", "gpus", "n", "-1"],
        ["up", "--nodes", "-1"],
        ["up", "--nodes", "many"],
        ["up", "--verifier-argument", "cluster=gpu"],
        ["up", "--verifier-argument=cluster=gpu"],
        ["up", "--authentication-webhook-cache-ttl", "soon"],
        ["up", "--authentication-webhook-cache-ttl", "10"],
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


@pytest.mark.parametrize(
    "words",
    [
        ["--label", "a=1", "--label", "b=1", "--label", "a=1"],
        ["--capacity", "nvidia.com/gpu=1", "--gpus", "2"],
        ["--taint", "k=v:NoSchedule", "--taint", "k:NoSchedule"],
    ],
)
def test_what_is_given_twice_is_misuse(words, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(preflight, "of_machine", list)

    assert cli.main(["node", "add", "n", *words, "--home", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("testbed: ")


def test_interrupted_it_says_what_is_left(monkeypatch, tmp_path, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(preflight, "of_machine", list)
    monkeypatch.setattr(commands, "node_add", interrupted)
    monkeypatch.setattr(commands, "up", lambda *_: interrupted())

    assert cli.main(["node", "add", "gpu-1", "--home", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "testbed: interrupted; node gpu-1 is taken away again\n"
    assert cli.main(["up", "--home", f"{tmp_path}/a b"]) == 130
    assert f"down --home '{tmp_path}/a b'" in capsys.readouterr().err


def test_an_answer_that_nobody_reads_is_said(tmp_path):
    command = f"exec {sys.executable} -m testbed preflight --home {tmp_path} >/dev/full"
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}

    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "could not be written" in done.stderr


def test_the_cache_is_where_the_user_wants_it(tmp_path):
    environment = {"PYTHONPATH": str(Path(cli.__file__).parents[1]), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", "from testbed.home import CACHE; print(CACHE)"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(tmp_path / "airflow-multicluster" / "testbed")


def test_the_home_comes_from_the_option_then_the_environment_then_the_cache(monkeypatch):
    monkeypatch.setenv("MULTICLUSTER_TESTBED_HOME", "/of/environment")
    assert read("status").home == "/of/environment"
    assert read("status", "--home", "/of/option").home == "/of/option"

    monkeypatch.delenv("MULTICLUSTER_TESTBED_HOME")
    assert read("status").home == str(CACHE / "default")


@pytest.mark.parametrize("words", [["up"], ["down"], ["status"], ["node", "remove", "n"], ["kubeconfig"], ["logs"]])
def test_nothing_is_tried_without_root(words, monkeypatch, tmp_path, capsys):
    lacking = preflight.of_machine(system="linux", user=lambda: 1000)
    monkeypatch.setattr(preflight, "of_machine", lambda: lacking)

    assert cli.main([*words, "--home", str(tmp_path / "home")]) == 1

    assert "you are not root" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--authentication-webhook-cache-ttl", "10s"], "needs --authentication-webhook or --verifier-argument"),
        (["up", "--authentication-webhook", "/nowhere"], "/nowhere: there is no such file"),
        (["up", "--authentication-webhook", "/dev/null", "--verifier-argument=-cluster=x"], "exclude each other"),
        (["up", "--home", "/run/testbed"], "each node has a /run of its own"),
        (["up", "--home", str(Path(__file__).parent)], "things that are not a testbed's"),
        (["kubeconfig", "--group", "g"], "--group needs --user"),
        (["kubeconfig", "--user", "admin"], "the administrator's own name"),
        (["status", "--home", "~no-such-user-here/x"], "cannot be a home"),
    ],
)
def test_words_that_do_not_go_together_are_misuse_and_start_nothing(words, said, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(preflight, "of_machine", list)
    monkeypatch.setattr(preflight, "missing", list)
    monkeypatch.setenv("MULTICLUSTER_TESTBED_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(processes, "start", lambda *_, **__: pytest.fail("started"))

    assert cli.main(words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_logs_of_no_testbed_are_said_not_to_be_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(preflight, "of_machine", list)

    for words in (["logs"], ["logs", "etcd"]):
        assert cli.main([*words, "--home", str(tmp_path / "a b")]) == 1
        said = capsys.readouterr()
        assert f"start one: infra/testbed/run up --home '{tmp_path}/a b'" in said.err
        assert not said.out


def test_how_long_answers_count_is_read_as_kubernetes_writes_it():
    for text in ("0s", "90s", "1h30m", "1.5h", "0"):
        words = read("up", "--authentication-webhook-cache-ttl", text)
        assert words.authentication_webhook_cache_ttl == text


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
