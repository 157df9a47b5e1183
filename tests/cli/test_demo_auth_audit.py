"""Child processes and credential files are counted from what the interpreter reports.

An audit hook cannot be taken out again, so each case runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PREAMBLE = """
import json, os, pathlib, subprocess, sys, types
from airflow_multicluster.demo.auth_audit import AuthAudit
audit = AuthAudit()
room = types.ModuleType("multicluster.kinds.eks.access")
def inside(code):
    "Run code as if it stood in a module of the cloud kinds."
    exec(code, room.__dict__ | {"subprocess": subprocess, "pathlib": pathlib, "os": os})
audit.start()
"""
END = """
audit.stop()
print(json.dumps([audit.processes, audit.files, audit.other_processes]))
"""


def counted(code: str, folder) -> list[list[str]]:
    command = [sys.executable, "-c", PREAMBLE + code + END]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("code", "processes", "files", "others"),
    [
        ("pathlib.Path('notes.txt').write_text('x')", 0, 0, 0),
        ("pathlib.Path('kubeconfig').write_text('x')", 0, 1, 0),
        ("inside(\"pathlib.Path('anything').write_text('x')\")", 0, 1, 0),
        ("inside(\"pathlib.Path('notes.txt').exists()\")", 0, 0, 0),
        ("os.mkdir('__pycache__'); inside(\"open(os.path.abspath('__pycache__/a.pyc.1'), 'w').close()\")", 0, 0, 0),
        ("subprocess.run(['true'])", 0, 0, 1),
        ("inside(\"subprocess.run(['true'])\")", 1, 0, 0),
        ("subprocess.run('aws --version || true', shell=True)", 0, 0, 1),
        ("os.path.exists('kubeconfig')", 0, 0, 0),
        ("pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)", 0, 0, 1),
    ],
)
def test_what_serves_authentication_is_told_from_what_does_not(tmp_path, code, processes, files, others):
    found = counted(code, tmp_path)

    assert [len(part) for part in found] == [processes, files, others], found


def test_a_credential_program_counts_whoever_starts_it(tmp_path):
    code = "subprocess.run(['./aws', 'eks', 'get-token'])"
    program = tmp_path / "aws"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert counted(code, tmp_path) == [["./aws eks get-token"], [], []]


def test_a_credential_file_that_is_read_counts_only_where_it_is(tmp_path):
    (tmp_path / "credentials").write_text("secret")
    there = counted("pathlib.Path('credentials').read_text()", tmp_path)
    absent = counted("try: open('no-credentials')\nexcept OSError: pass", tmp_path)

    assert there == [[], ["credentials"], []]
    assert absent == [[], [], []]


def test_nothing_is_counted_before_the_start_and_after_the_stop(tmp_path):
    assert counted("audit.stop(); pathlib.Path('kubeconfig').write_text('x')", tmp_path) == [[], [], []]
