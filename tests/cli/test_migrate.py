"""``multicluster migrate`` shows, writes only when told to, and says by its exit code whether work is left."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import yaml

from multicluster.cli import main
from multicluster.registry.load import load_registry

GOOD = """\
from airflow.providers.amazon.aws.operators.eks import EksPodOperator

EksPodOperator(task_id="a", cluster_name="gpu", region="us-east-1", aws_conn_id=None, image="x")
"""
BAD = GOOD.replace('"gpu"', '"{{ params.c }}"')


@pytest.fixture
def dags(tmp_path, monkeypatch):
    folder = tmp_path / "dags"
    (folder / "team").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "team" / "good.py").write_text(GOOD)
    (folder / ".hidden" / "good.py").write_text(GOOD)
    (folder / "other.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    return folder


def test_without_apply_nothing_is_written(dags, capsys):
    code = main(["migrate", "dags"])
    out = capsys.readouterr().out

    assert code == 0
    assert (dags / "team" / "good.py").read_text() == GOOD
    assert '+ClusterPodOperator(task_id="a", cluster="gpu", namespace="default", image="x")' in out
    assert "name: gpu" in out


def test_the_diff_is_one_that_patch_takes(dags, capsys):
    main(["migrate", "dags", "--registry", "registry.yaml"])
    patch = capsys.readouterr().out
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=dags.parent, check=True)

    assert "ClusterPodOperator" in (dags / "team" / "good.py").read_text()


def test_apply_writes_files_and_a_second_time_changes_nothing(dags, capsys):
    first = main(["migrate", "dags", "--apply", "--registry", "registry.yaml"])
    written = (dags / "team" / "good.py").read_text()
    capsys.readouterr()
    second = main(["migrate", "dags", "--apply", "--registry", "registry.yaml"])

    assert (first, second) == (0, 0)
    assert "ClusterPodOperator" in written
    assert capsys.readouterr().out == ""
    assert (dags / "team" / "good.py").read_text() == written
    assert (dags / ".hidden" / "good.py").read_text() == GOOD
    assert list(load_registry(dags.parent / "registry.yaml")) == ["gpu"]


def test_a_registry_file_with_other_words_is_kept_and_nothing_is_written(dags, capsys):
    (dags.parent / "registry.yaml").write_text("mine")
    code = main(["migrate", "dags", "--apply", "--registry", "registry.yaml"])

    assert code == 2
    assert (dags.parent / "registry.yaml").read_text() == "mine"
    assert (dags / "team" / "good.py").read_text() == GOOD


def test_what_is_left_by_hand_is_one(dags, capsys):
    (dags / "bad.py").write_text(BAD)
    code = main(["migrate", "dags"])

    assert code == 1
    assert "dags/bad.py:3: by hand: EksPodOperator: cluster_name" in capsys.readouterr().err


def test_a_path_that_is_not_there_is_misuse(dags, capsys):
    assert main(["migrate", "nowhere.py"]) == 2
    assert "nowhere.py" in capsys.readouterr().err


def test_json_holds_diff_registry_and_findings(dags, capsys):
    (dags / "bad.py").write_text(BAD)
    main(["migrate", "dags", "--output", "json"])
    document = json.loads(capsys.readouterr().out)

    assert [one["file"] for one in document["files"]] == ["dags/team/good.py"]
    assert [(one["file"], one["line"], one["by_hand"]) for one in document["findings"]] == [("dags/bad.py", 3, True)]
    assert yaml.safe_dump(document["registry"])
    assert document["applied"] is False


def test_line_ends_mode_and_encoding_stay(dags, capsys):
    file = dags / "team" / "good.py"
    file.write_bytes(b"# -*- coding: latin-1 -*-\r\n# \xe9\r\n" + GOOD.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    main(["migrate", str(file), "--apply"])
    text = file.read_bytes()

    assert b"# \xe9\r\n" in text
    assert b"ClusterPodOperator" in text
    assert text.count(b"\n") == text.count(b"\r\n")
    assert file.stat().st_mode & 0o777 == 0o640


def test_without_libcst_the_pip_line_is_printed():
    code = (
        "import sys; sys.modules['libcst'] = None; from multicluster.cli import main; sys.exit(main(['migrate', 'x']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "pip install 'airflow-multicluster[migrate]'" in result.stderr
