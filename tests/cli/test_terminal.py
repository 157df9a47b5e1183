"""What is printed reaches any stdout, or one line says why not; no text of a registry commands the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from multicluster.cli import main

CODE = "import sys; from multicluster.cli import main; sys.exit(main())"
HEAD = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\nclusters:\n"


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "a.yaml"
    labels = r'"\e[31mX\x9b\a"'
    path.write_text(
        HEAD + f"- name: a\n  displayName: caf\u00e9 \u2603\n  labels: {{x: {labels}}}\n  auth: {{inCluster: {{}}}}\n"
    )
    return str(path)


def run(line, registry, **environment):
    return subprocess.run(
        ["sh", "-c", line.replace("multicluster", '"$PYTHON" -c "$CODE"', 1)],
        env={**os.environ, "PYTHON": sys.executable, "CODE": CODE, "R": registry, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the machine has no /dev/full")
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_full_disk_is_one_line(registry, output):
    result = run(f"multicluster registry list --registry $R --output {output} >/dev/full", registry)

    told = b"multicluster: the result cannot be written to stdout: No space left on device\n"
    assert (result.returncode, result.stderr) == (1, told)


def test_a_closed_stdout_is_one_line(registry):
    result = run("multicluster registry list --registry $R >&-", registry)

    assert (result.returncode, result.stderr.count(b"\n")) == (1, 1)
    assert result.stderr.startswith(b"multicluster: the result cannot be written to stdout: ")


@pytest.mark.parametrize("action", ["list", "show a", "list --output json", "show a --output json"])
def test_what_an_encoding_does_not_have_is_replaced(registry, action):
    result = run(f"multicluster registry {action} --registry $R", registry, PYTHONIOENCODING="ascii")

    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.isascii()


@pytest.mark.parametrize(
    "action", [["list"], ["show", "a"], ["list", "--output", "json"], ["show", "a", "--output", "json"]]
)
def test_no_text_of_a_registry_commands_the_terminal(registry, capsys, action):
    code = main(["registry", *action, "--registry", registry])

    assert code == 0
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))


def test_json_says_control_characters_as_json_does(registry, capsys):
    main(["registry", "show", "a", "--registry", registry, "--output", "json"])

    assert json.loads(capsys.readouterr().out)["labels"] == {"x": "\x1b[31mX\x9b\x07"}
