"""List the faults a world knows by name."""

from __future__ import annotations

from dataclasses import dataclass

from multicluster.simulator.faults import RESPONSE, Delay, Drop, Effect, Hang, HttpError
from multicluster.simulator.launch_faults import STEPS
from multicluster.simulator.refusals import AWS, BOTH, REFUSALS

GROUPS, KUBERNETES, TARGET = "node-groups", "kubernetes", "scheduler-target"
AFTER = f"{RESPONSE}({BOTH})"
PLACES = {
    GROUPS: "a pool's life", BOTH: "AWS, Google", AFTER: "AWS, Google", AWS: "AWS", TARGET: "Scheduler", "eks": "EKS",
    "sts": "STS", "scheduler": "Scheduler", "container": "GKE", "oauth2": "Google", "iamcredentials": "Google",
    "metadata": "Google", "eks|container": "EKS, GKE", KUBERNETES: "Kubernetes",
    RESPONSE + KUBERNETES: "Kubernetes",
}  # fmt: skip
"""Where a fault strikes, in words."""
COMMON = "target", "operation", "service", "after", "times", "probability", "seed"
"""Options that all faults heed, deeds excepted."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A fault by name. ``times`` None means: until it is removed."""

    description: str
    effect: Effect
    service: str = BOTH
    operation: str = ".*"
    times: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options it heeds beside those of COMMON."""
        if isinstance(self.effect, HttpError):
            return () if self.effect.body is not None else ("code", "message")
        return ("seconds",) if isinstance(self.effect, Delay) else ()


ENTRIES: dict[str, Entry] = {
    **{
        name: Entry(
            description=what, effect=HttpError(code=0, reason=code, message=message), service=GROUPS, operation=step
        )
        for name, (step, code, message, what) in STEPS.items()
    },
    **{
        name: Entry(description=what, effect=error, service=service, operation=operation, times=times)
        for name, (service, operation, times, error, what) in REFUSALS.items()
    },
    "dead-man-refused": Entry(
        description="what a schedule fires at refuses; it is tried again as the retry policy says",
        effect=HttpError(code=500, reason="InternalFailure", message="Internal server error"), service=TARGET,
    ),
    "dead-man-late": Entry(
        description="a schedule fires late; AWS promises the minute, not the second",
        effect=Delay(seconds=59), service=TARGET,
    ),
    "lost-response": Entry(
        description="a call is done, then its connection is cut without an answer", effect=Drop(), service=AFTER,
        times=1,
    ),
    "late-response": Entry(
        description="a call is done, its answer comes after the client's time-out", effect=Delay(seconds=90),
        service=AFTER, times=1,
    ),
    "error-after-acting": Entry(
        description="a call is done, its answer is an error all the same",
        effect=HttpError(code=500, reason="InternalFailure", message="Internal server error"), service=AFTER, times=1,
    ),
    "slow": Entry(description="an API answers late", effect=Delay(seconds=2)),
    "hang": Entry(description="a black hole: an API never answers", effect=Hang()),
    "drop": Entry(description="an API cuts the connection, doing nothing", effect=Drop(), times=1),
    "api-server-slow": Entry(
        description="a Kubernetes API server answers late (operation as in 'get pods/log')", effect=Delay(seconds=2),
        service=KUBERNETES,
    ),
    "api-server-hangs": Entry(
        description="a Kubernetes API server never answers", effect=Hang(), service=KUBERNETES,
    ),
    "api-server-lost-response": Entry(
        description="a Kubernetes API server has acted, then the connection is cut without an answer", effect=Drop(),
        service=RESPONSE + KUBERNETES, times=1,
    ),
    "api-server-drops": Entry(
        description="a Kubernetes API server cuts the connection, doing nothing", effect=Drop(), service=KUBERNETES,
        times=1,
    ),
}  # fmt: skip
DEEDS: dict[str, str] = {
    "tokens-expire": "every token handed out or signed before now is answered 401 from now on",
    "sessions-end": "every open session of an AWS role ends now (ExpiredToken)",
    "node-lost": "a node of each matching pool dies at once; its pool rents another",
    "preempted": "a node of each matching pool is taken back by the cloud; nothing replaces it",
    "clock-skew": "AWS's clock runs ahead of the client's by 600 seconds; behind, when seconds are below zero",
    "certificate-rotates": "every cluster gets a new CA and certificate; a copy of the old CA trusts it no more",
}
DEED_OPTIONS = {"node-lost": ("target",), "preempted": ("target",), "clock-skew": ("seconds",)}
FAULTS: dict[str, str] = {**{name: entry.description for name, entry in ENTRIES.items()}, **DEEDS}
"""One line for each fault."""


def rows() -> list[dict[str, object]]:
    """Tell all faults as a table: where each strikes, how often, which options it heeds beside COMMON's, and what."""
    struck: list[dict[str, object]] = [
        {
            "fault": name, "where": PLACES[entry.service], "service": entry.service,
            "operation": entry.operation, "times": entry.times or "always", "options": entry.options,
            "what": entry.description,
        }
        for name, entry in ENTRIES.items()
    ]  # fmt: skip
    done: list[dict[str, object]] = [
        {"fault": name, "where": "the world", "times": "now", "options": DEED_OPTIONS.get(name, ()), "what": what}
        for name, what in DEEDS.items()
    ]
    return [*struck, *done]
