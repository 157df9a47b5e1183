"""What befalls a task and its pod."""

from __future__ import annotations

import contextlib
import os
import signal

from endings_stage.play import Play
from endings_stage.script import Deed
from endings_stage.trouble import strike, struck
from multicluster.simulator.faults import Delay

OVERDUE_SECONDS = 40
"""How long past its time-out a task is watched."""
CREATE_SECONDS = 12
"""How long an API server takes for a pod whose making is to be interrupted."""


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


def kill_on_return(play: Play) -> None:
    """Kill the process in which a deferred task goes on, while it asks for the pod that has ended."""
    play.waiting()
    strike(play, "get pods", Delay(seconds=CREATE_SECONDS), times=None)
    deferred = play.task["pid"]
    play.release()
    play.until(lambda: play.state == "running" and play.task["pid"] != deferred, "the return")
    play.until(lambda: struck(play)["get pods"], "what it asks when it is back")
    os.kill(int(play.task["pid"]), signal.SIGKILL)
    play.stage.world.faults.remove(play.fault("get pods"))


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
