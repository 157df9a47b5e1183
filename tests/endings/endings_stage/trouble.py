"""What befalls the API server of a task's cluster, and how often it really did."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from endings_stage.play import Play
from endings_stage.script import Deed
from multicluster.simulator.faults import Delay, Effect, Fault

OUTAGE_SECONDS = 120
"""How long an API server is down: two minutes, as issue 5 has it; past what the client's own retries bridge."""
SLOW_SECONDS = 20
HELD_SECONDS = 10
"""How long a request is held until the token that came with it has expired."""
SIGNED_SECONDS = 2
"""How old a token is, at the least, when it expires: the dates of signatures are whole seconds."""
STEPS = ("create pods", "list pods", "get pods", "watch pods", "get pods/log", "patch pods", "delete pods")
"""What is asked of an API server for one task."""

LISTENING = {"sync": "get pods/log", "deferrable": "watch pods"}
"""What is under way while a task waits."""


def outage(play: Play) -> None:
    """Take the API server away while the task waits, and listens to it."""
    play.waiting()
    play.until(lambda: struck(play)[LISTENING[play.mode]], "the listening")
    play.laid.cut()
    threading.Event().wait(OUTAGE_SECONDS)
    play.laid.mend()
    play.release()


def slow_loris(play: Play) -> None:
    """Let answers drip in while the pod works, and while it ends."""
    play.waiting()
    play.laid.slow = True
    play.core().patch_namespaced_pod(play.working[0], play.namespace, {"metadata": {"labels": {"news": "here"}}})
    _drip(play, "at work")
    play.release()
    _drip(play, "at its end")
    play.laid.slow = False


def _drip(play: Play, when: str) -> None:
    before = play.laid.dripped
    play.until(lambda: play.laid.dripped > before, f"a slow answer to the pod {when}")
    play.seen.append(when)
    threading.Event().wait(SLOW_SECONDS)


def expire_tokens(play: Play) -> None:
    """Let all tokens expire while a request of each step is under way, so that it is refused."""
    left = set(STEPS)

    def expire() -> None:
        if met := {step for step in left if struck(play)[step]}:
            _expire(play)
            left.difference_update(met)
            play.seen.extend(sorted(met))

    play.until(lambda: (expire(), play.rests)[1], "the waiting")
    play.release()
    play.until(lambda: (expire(), play.over)[1], "the end", play.script.patience)


def count(play: Play) -> None:
    """Let nothing happen to any step, and count them."""
    for step in STEPS:
        strike(play, step, Delay(seconds=0), times=None)


def hold(play: Play) -> None:
    """Let the API server take its time for one request of each step; it looks at the token afterwards."""
    for step in STEPS:
        strike(play, step, Delay(seconds=HELD_SECONDS), times=1)


def _expire(play: Play) -> None:
    """Revoke what was signed for the play's own cluster, but for this very second: what is under way is older."""
    threading.Event().wait(SIGNED_SECONDS)
    play.stage.world.host.run(play.stage.tokens[play.place].revoke)


def refused(play: Play) -> int:
    """Count the expired tokens that the play's own cluster has refused."""
    return play.stage.tokens[play.place].refused.count("revoked")


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
