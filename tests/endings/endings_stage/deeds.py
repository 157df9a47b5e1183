"""What befalls a task and its pod."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Mapping

from endings_stage.play import Play
from endings_stage.script import Deed
from multicluster.simulator.faults import Delay, Effect, Fault

OUTAGE_SECONDS = 120
"""How long an API server is down: two minutes, as issue 5 has it; past what the client's own retries bridge."""
OVERDUE_SECONDS = 40
"""How long past its time-out a task is watched."""
SLOW_SECONDS = 20
CREATE_SECONDS = 12
"""How long an API server takes for a pod whose making is to be interrupted."""
REVOKED_SECONDS = 2
"""How far two expiries are apart: a token signed in the same second as another one is the same bytes."""
_REVOKING = threading.Lock()
STEPS = ("create pods", "list pods", "get pods", "watch pods", "get pods/log", "patch pods", "delete pods")
"""What is asked of an API server for one task."""


def outlive(play: Play) -> None:
    """Do nothing: a time-out does it."""


def release(play: Play) -> None:
    """Let the pod end once the task waits for it."""
    play.waiting()
    play.release()


def mark(state: str) -> Deed:
    """Mark the task, as a person does."""

    def deed(play: Play) -> None:
        play.waiting()
        play.stage.api.mark(play.dag_id, state)

    return deed


def overdue(play: Play) -> None:
    """Watch a task that has a time-out until that is long past; then let its pod come to its end."""
    play.waiting()
    with contextlib.suppress(TimeoutError):
        play.until(lambda: play.over, "the time-out", OVERDUE_SECONDS + play.script.options["execution_timeout"])
    play.release()


def read_trigger(play: Play) -> None:
    """Read the row of the task's trigger as it stands in the database."""
    play.waiting()
    play.seen.append(play.stage.deployment.trigger_row(play.dag_id))
    play.release()


def mark_run_failed(play: Play) -> None:
    """Mark the whole run failed."""
    play.waiting()
    play.stage.api.mark_run(play.dag_id, "failed")


def clear(play: Play) -> None:
    """Clear the task while it waits, and let what comes then come to its end."""
    play.waiting()
    play.stage.api.clear(play.dag_id)
    play.until(lambda: play.task.get("try_number") == 2, "the second try")
    play.waiting()
    play.release()


def signal_worker(number: signal.Signals) -> Deed:
    """Signal the process of a task that waits in its worker; a second try is let to its end."""

    def deed(play: Play) -> None:
        play.waiting()
        os.kill(int(play.task["pid"]), number)
        play.release_later()

    return deed


def signal_while_creating(number: signal.Signals) -> Deed:
    """Signal the process of a task while the API server makes its pod: nobody has been told of it yet."""

    def deed(play: Play) -> None:
        play.until(lambda: play.asked and play.state == "running", "the making")
        if play.pods:
            raise RuntimeError(f"the pod was made before anything happened\n{play.story()}")
        os.kill(int(play.task["pid"]), number)
        play.release_later()

    return deed


def slow_to_create(play: Play) -> None:
    """Let the API server take its time for the first pod; it makes it in the end."""
    strike(play, "create pods", Delay(seconds=CREATE_SECONDS), times=1)


def delete_pod(play: Play) -> None:
    """Delete the pod at once, as a person with kubectl does."""
    play.kubernetes.delete("pods", play.waiting(), play.namespace)


def evict(play: Play) -> None:
    """Evict the pod, as a drain does; another one may come to its end."""
    name = play.waiting()
    document = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": play.namespace}}
    play.core().create_namespaced_pod_eviction(name, play.namespace, document)
    play.release_after(name)


def urgency(play: Play) -> None:
    """Let there be pods of higher priority."""
    if not any(one["metadata"]["name"] == "urgent" for one in play.kubernetes.objects("priorityclasses")):
        play.kubernetes.create("priorityclasses", {"metadata": {"name": "urgent"}, "value": 1000})


def preempt(play: Play) -> None:
    """Let a pod of higher priority take the place on the node."""
    name = play.waiting()
    (victim,) = (pod for pod in play.kubernetes.objects("pods", play.namespace) if pod["metadata"]["name"] == name)
    container = {"name": "base", "image": "pause", "resources": {"requests": {"cpu": "2"}}}
    spec = {
        "containers": [container],
        "priorityClassName": "urgent",
        "nodeSelector": {"kubernetes.io/hostname": victim["spec"]["nodeName"]},
    }
    play.kubernetes.create("pods", {"metadata": {"name": f"urgent-{play.dag_id}"}, "spec": spec}, "default")
    play.release_after(name)


def lose_node(play: Play) -> None:
    """Let the pod's node vanish."""
    name = play.waiting()
    (pod,) = (pod for pod in play.kubernetes.objects("pods", play.namespace) if pod["metadata"]["name"] == name)
    play.kubernetes.remove_node(pod["spec"]["nodeName"])
    play.release_after(name)


def outage(play: Play) -> None:
    """Take the API server away while the task waits."""
    play.waiting()
    if play.line is None:
        raise ValueError(f"{play.dag_id} has no line")
    play.line.cut()
    threading.Event().wait(OUTAGE_SECONDS)
    play.line.mend()
    play.release()


def slow_loris(play: Play) -> None:
    """Let answers drip in for a while."""
    play.waiting()
    if play.line is None:
        raise ValueError(f"{play.dag_id} has no line")
    play.line.slow = True
    threading.Event().wait(SLOW_SECONDS)
    play.release()
    threading.Event().wait(SLOW_SECONDS)
    play.line.slow = False


def expire_tokens(play: Play) -> None:
    """Let all tokens expire at each step of the pod's life."""
    play.until(lambda: play.pods, "the pod")
    _expire(play)
    play.waiting()
    _expire(play)
    play.release()
    play.until(lambda: "Running" not in play.pods.values(), "the end of the work")
    _expire(play)


def _expire(play: Play) -> None:
    """Revoke what AWS has signed so far; not a second time before those who met the first have new tokens."""
    with _REVOKING:
        world = play.stage.world
        world.host.run(world.aws.tokens.revoke)
        threading.Event().wait(REVOKED_SECONDS)


def weather(effect: Effect, *, times: int = 1) -> Deed:
    """Let every step meet an effect, so many times."""

    def before(play: Play) -> None:
        for step in STEPS:
            strike(play, step, effect, times=times)

    return before


def strike(play: Play, operation: str, effect: Effect, *, times: int | None) -> None:
    """Let an operation on the play's pods meet an effect."""
    target = rf"/api/v1/namespaces/{play.namespace}/pods(/.*)?"
    name = play.fault(operation)
    fault = Fault(name=name, effect=effect, service="kubernetes", operation=operation, target=target, times=times)
    play.stage.world.faults.add(fault)


def struck(play: Play) -> Mapping[str, int]:
    """Count how often each step met its effect."""
    return {step: play.stage.world.faults.struck(play.fault(step)) for step in STEPS}
