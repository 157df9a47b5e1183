"""The command finds its file, keeps stdout for results, and turns errors into exit codes."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from multicluster.cli import main as cli
from multicluster.cli import output
from multicluster.errors import (
    ClusterUnreachableError,
    MissingExtraError,
    RegistryDocumentError,
    UnknownClusterError,
    UnknownProfileError,
)

main = sys.modules["multicluster.cli.main"]


@pytest.fixture
def command(monkeypatch):
    """Put a command in the place of ``nodes``: it does what the test hands in."""

    def put(run):
        module = argparse.Namespace(register=lambda subparsers: subparsers.add_parser("nodes"), run=run)
        monkeypatch.setitem(sys.modules, "multicluster.cli.nodes", module)
        monkeypatch.setattr(main, "_exists", lambda name: name == "nodes")

    return put


def raising(error):
    def run(_):
        raise error

    return run


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_exit_code_is_the_commands(command, code):
    command(lambda _: code)

    assert cli(["nodes"]) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RegistryDocumentError("bad"), 2),
        (UnknownClusterError("bad"), 2),
        (UnknownProfileError("bad"), 2),
        (MissingExtraError("bad"), 2),
        (ClusterUnreachableError("bad"), 1),
    ],
)
def test_an_error_of_ours_is_one_line_on_stderr(command, capfd, error, code):
    command(raising(error))

    assert cli(["nodes"]) == code
    assert capfd.readouterr() == ("", "multicluster: bad\n")


def test_an_error_that_is_not_ours_keeps_its_traceback(command):
    command(raising(ZeroDivisionError("a bug")))

    with pytest.raises(ZeroDivisionError):
        cli(["nodes"])


def test_ctrl_c_ends_with_130_and_one_line(command, capfd):
    command(raising(KeyboardInterrupt()))

    assert cli(["nodes"]) == 130
    assert capfd.readouterr() == ("", "multicluster: interrupted\n")


def test_an_unknown_command_is_misuse():
    with pytest.raises(SystemExit) as caught:
        cli(["nonsense"])

    assert caught.value.code == 2


def test_no_command_at_all_is_misuse():
    with pytest.raises(SystemExit) as caught:
        cli([])

    assert caught.value.code == 2


def test_help_shows_only_commands_whose_file_is_there(command, capsys):
    command(lambda _: 0)

    with pytest.raises(SystemExit) as caught:
        cli(["--help"])

    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "list the nodes of clusters" in text
    assert "reap" not in text


def test_only_the_file_of_the_chosen_command_is_imported():
    code = (
        "import sys; from multicluster.cli import main; main(['registry', 'list', '--registry', '/nowhere']);"
        "print(*[name for name in sys.modules if name.startswith('multicluster.cli.')])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert set(result.stdout.split()) == {
        f"multicluster.cli.{name}" for name in ("main", "output", "registry", "sources")
    }


def test_a_reader_who_leaves_early_is_no_error(tmp_path):
    registry = tmp_path / "a.yaml"
    clusters = "".join(f"- {{name: cluster-{at}, auth: {{inCluster: {{}}}}}}\n" for at in range(5000))
    registry.write_text("apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\nclusters:\n" + clusters)
    code = "import sys; from multicluster.cli import main; sys.exit(main())"
    listing = [sys.executable, "-c", code, "registry", "list", "--registry", str(registry)]

    with subprocess.Popen(listing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        talk = process.stderr.read()
        process.wait(60)

    assert (process.returncode, talk) == (141, b"")


def test_a_table_is_plain_where_no_terminal_is(capsys):
    output.print_table(["name", "kind"], [["a", "eks"], ["longer", "-"]])

    assert capsys.readouterr().out == "NAME    KIND\na       eks\nlonger  -\n"


def test_a_table_on_a_terminal_holds_markup_as_text(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    output.print_table(["name"], [["[red]a[/red]"]])

    assert "[red]a[/red]" in capsys.readouterr().out


def test_rows_are_lists_of_objects_in_json(capsys):
    import json

    output.print_rows(argparse.Namespace(output="json"), [{"name": "a", "labels": {"x": "y"}}], ["name"])

    assert json.loads(capsys.readouterr().out) == [{"name": "a", "labels": {"x": "y"}}]


def test_rows_show_mappings_lists_and_nothing_in_words(capsys):
    rows = [{"labels": {"a": 1, "b": 2}, "list": ["x", "y"], "none": None, "empty": {}}]

    output.print_rows(argparse.Namespace(output="text"), rows, ["labels", "list", "none", "empty"])

    assert capsys.readouterr().out.splitlines()[1].split() == ["a=1,b=2", "x,y", "-", "-"]
