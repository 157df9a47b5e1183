"""The two grounds that every case here runs on, and the comparison of what they answered."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from .answers import comparable
from .comparison import OUTCOME, Comparison, known_differences
from .grounds.ground import Ground
from .grounds.simulator import simulator
from .grounds.testbed import NoTestbedError, require, testbed
from .pods import Pods

T = TypeVar("T")
SOURCES = {"simulator": simulator, "testbed": testbed}
GROUNDS = [  # with `--numprocesses 2 --dist loadgroup` each ground has a process of its own
    pytest.param("simulator", marks=pytest.mark.xdist_group("simulator")),
    pytest.param("testbed", marks=[pytest.mark.testbed, pytest.mark.xdist_group("testbed")]),
]
RECORDED = "answer:"
_comparison = Comparison(known_differences())


@pytest.fixture(scope="session", params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A cluster: the simulator's, or a real one."""
    source = SOURCES[request.param]()
    try:
        made = source.__enter__()
    except NoTestbedError as error:
        pytest.skip(str(error))
    yield made
    source.__exit__(None, None, None)


@pytest.fixture
def namespace(ground: Ground, names: dict[str, str], eventually: Callable[..., Any]) -> Iterator[str]:
    """A fresh namespace with its service account; its deletion is begun afterwards."""
    core, name = client.CoreV1Api(ground.admin), f"conformance-{uuid.uuid4().hex[:8]}"
    names[name] = "<namespace>"
    core.create_namespace({"metadata": {"name": name}})
    eventually(lambda: _found(lambda: core.read_namespaced_service_account("default", name)))
    yield name
    _found(lambda: core.delete_namespace(name))


@pytest.fixture
def names() -> dict[str, str]:
    """What one run alone knows, with the word that stands for it in recorded answers. A case may add to it."""
    return {}


@pytest.fixture
def record(request: pytest.FixtureRequest, names: dict[str, str]) -> Callable[[str, Any], None]:
    """Keep an answer under a name, to be compared between the grounds."""

    def keep(name: str, answer: Any) -> None:
        plain = json.loads(json.dumps(client.ApiClient().sanitize_for_serialization(answer)))
        request.node.user_properties.append((RECORDED + name, json.dumps(comparable(plain, names))))

    return keep


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Wait until a condition is truthy and return what it gave; an assertion error after `timeout` seconds."""

    def wait(condition: Callable[[], T], timeout: float = 20.0) -> T:
        end = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < end, f"not within {timeout:g} s; last: {found!r}"
            time.sleep(0.05)
        return found

    return wait


@pytest.fixture
def pods(ground: Ground, namespace: str, eventually: Callable[..., Any]) -> Pods:
    """The pods of a fresh namespace."""
    return Pods(ground, namespace, eventually)


@pytest.fixture(params=["stock", "ours"])
def tasks(
    request: pytest.FixtureRequest, ground: Ground, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Airflow tasks in a fresh namespace, of the stock operator and of ours."""
    from .tasks import Tasks, registry

    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(registry(ground.kubeconfig, tmp_path)))
    return Tasks(request.param, ground.kubeconfig, namespace)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was logged, whichever way this Airflow logs outside a task runner."""
    caplog.set_level(logging.INFO)
    return lambda: caplog.text + "".join(capfd.readouterr())


@pytest.fixture(scope="session")
def gpu_node(ground: Ground) -> Iterator[str]:
    """A node with two GPUs, labelled and tainted as a node pool's are, that all cases share."""
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    with ground.node(gpus=2, labels={"pool": "conformance"}, taints=[taint]) as name:
        yield name


def _found(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ApiException as error:
        if error.status != 404:
            raise
        return None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run demand what otherwise it does without."""
    parser.addoption("--both-grounds", action="store_true", help="fail at once where no testbed runs")


def pytest_sessionstart(session: pytest.Session) -> None:
    """End with 1 where a testbed is demanded and none runs: every case on it would be skipped."""
    if session.config.getoption("--both-grounds") and not hasattr(session.config, "workerinput"):
        try:
            require()
        except NoTestbedError as error:
            pytest.exit(str(error), returncode=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the known differences of outcome, so that one that is no more fails."""
    expected = {entry.case: entry.reason for entry in known_differences() if entry.differs == OUTCOME}
    for item in items:
        case, ground = _parts(item.nodeid)
        if ground == "simulator" and case in expected:
            item.add_marker(pytest.mark.xfail(strict=True, reason=expected[case]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect what each ground answered."""
    case, ground = _parts(report.nodeid)
    if ground in SOURCES and (report.when == "call" or report.outcome != "passed"):
        outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
        answers = {name.removeprefix(RECORDED): text for name, text in report.user_properties if RECORDED in name}
        _comparison.add(case, ground, outcome, answers)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail on a difference that no reason explains, where both grounds ran; of several processes the first judges."""
    if hasattr(session.config, "workerinput"):
        return
    if _comparison.possible and _comparison.problems() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, where both grounds ran."""
    if not _comparison.cases:
        return
    terminalreporter.section("conformance: the simulator and a real Kubernetes")
    if not _comparison.possible:
        terminalreporter.write_line("not compared: no case ran on both grounds")
        return
    for line in _comparison.table():
        terminalreporter.write_line(line)
    for reason in _comparison.reasons():
        terminalreporter.write_line(f"known: {reason}")
    for problem in _comparison.problems():
        terminalreporter.write_line(f"UNEXPLAINED: {problem}", red=True)


def _parts(nodeid: str) -> tuple[str, str]:
    """Return the case of a test's id without its folder and ground, and the ground."""
    path, _, rest = re.sub(r"@\w+$", "", nodeid).partition("::")  # after @ stands the group of pytest-xdist
    file = path.rpartition("/")[2]
    name, _, parameters = rest.partition("[")
    left = parameters.removesuffix("]").split("-") if parameters else []
    ground = next((part for part in left if part in SOURCES), "")
    others = "-".join(part for part in left if part not in SOURCES)
    return f"{file}::{name}" + (f"[{others}]" if others else ""), ground
