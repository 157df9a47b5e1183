"""The steps of the launcher, and a way to let it die at one of them."""

from __future__ import annotations

import os
import signal
from enum import StrEnum

DIE_AT = "TESTBED_DIE_AT"
"""The launcher kills itself when it passes the step that this variable names. For tests of what a crash leaves."""


class Step(StrEnum):
    """Each place where the launcher has just changed something outside of itself."""

    CLAIMED = "claimed"
    RECORDED = "recorded"
    BRIDGED = "bridged"
    CERTIFIED = "certified"
    ETCD = "etcd"
    API_SERVER = "api-server"
    SERVING = "serving"
    CONTROLLERS = "controllers"
    UP = "up"
    NODE_RECORDED = "node-recorded"
    NODE_CERTIFIED = "node-certified"
    NODE_STARTED = "node-started"
    NODE_REGISTERED = "node-registered"
    NODE_COMPLETED = "node-completed"
    NODE_READY = "node-ready"
    NODE_KILLED = "node-killed"
    NODE_DELETED = "node-deleted"
    KILLED = "killed"
    UNMOUNTED = "unmounted"
    UNGROUPED = "ungrouped"
    UNBRIDGED = "unbridged"
    CLEARED = "cleared"


def passed(step: Step) -> None:
    """Say that *step* is done, and die if that is asked for."""
    if os.environ.get(DIE_AT) == step:
        os.kill(os.getpid(), signal.SIGKILL)
