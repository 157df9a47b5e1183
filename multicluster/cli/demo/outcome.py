"""Judge whether a run ended as its scenario promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multicluster.cli.demo.facts import Facts
    from multicluster.cli.demo.scenarios import Scenario


RUNTIME = "containerd://"


def differences(scenario: Scenario, facts: Facts) -> list[str]:
    """Return what differs from the promise, a sentence each; nothing when all is as promised."""
    if facts.broken:
        return [f"Airflow ended before the DAG run did: {facts.broken}"]
    return [*_run(scenario, facts), *_clouds(facts), *_containers(facts), *_authentication(scenario, facts)]


def _run(scenario: Scenario, facts: Facts) -> list[str]:
    found = []
    if facts.run_state != scenario.run_state:
        found.append(f"the run is {facts.run_state}, promised was {scenario.run_state}")
    for task in sorted({*scenario.tasks, *facts.tasks}):
        promised, actual = scenario.tasks.get(task, "absent"), facts.tasks.get(task, "absent")
        if promised != actual:
            found.append(f"task {task} is {actual}, promised was {promised}")
    return found


def _clouds(facts: Facts) -> list[str]:
    return [
        *(f"node pool {name} is left" for name in facts.pools_left),
        *(f"instance {name} is left" for name in facts.instances_left),
        *(f"node {name} is left" for name in facts.nodes_left),
    ]


def _containers(facts: Facts) -> list[str]:
    """Look that every pod was run by a real container runtime, where that was promised."""
    if facts.ground != "testbed":
        return []
    found = []
    for group, cloud in (("eks", facts.aws), ("gke", facts.google)):
        pods = [facts.tasks.get(f"{group}.{step}") in {"success", "failed"} for step in ("train", "report")]
        if len(cloud.containers) < sum(pods):
            found.append(f"{sum(pods)} pods of {group} ended, and containerd ran {len(cloud.containers)} containers")
        found += [f"container {one} is not containerd's" for one in cloud.containers if not one.startswith(RUNTIME)]
        if any(pods) and not cloud.tokens_accepted:
            found.append(f"pods of {group} ran, and the token verifier has accepted no token")
    return found


def _authentication(scenario: Scenario, facts: Facts) -> list[str]:
    found = [f"a child process was started to authenticate: {line}" for line in facts.auth_subprocesses]
    found += [f"a file was used to authenticate: {name}" for name in facts.auth_files]
    if facts.tokens_refused < scenario.tokens_refused:
        found.append(f"{facts.tokens_refused} tokens were refused, promised was at least {scenario.tokens_refused}")
    return found
