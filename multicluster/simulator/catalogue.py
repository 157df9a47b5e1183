"""List the faults a world knows by name, and put them in force."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multicluster.simulator.faults import Delay, Drop, Effect, Fault, Hang, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.world import World

NO_CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our system will be "
    "working on provisioning additional capacity. You can currently get {type} capacity by not specifying an Availability Zone "
    "in your request or choosing {others}."
)
NO_QUOTA = (
    "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified "
    "instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
)
NO_SPOT = "Unable to fulfill capacity due to your request configuration. Please adjust your request and try again."
JOIN = "Instances failed to join the kubernetes cluster"
STUCK = (
    "The Amazon EC2 Auto Scaling group process ReplaceUnhealthy is suspended; resume it and delete the node group again"
)
CREATE, DELETE = "CreateNodegroup|nodePools.create", "DeleteNodegroup|nodePools.delete"
CLOUDS = "eks|sts|autoscaling|ec2|scheduler|container|compute|iamcredentials|oauth2|metadata"
GROUPS = "node-groups"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A fault by name. ``operation`` may be chosen anew when it is injected; ``times`` None means until it is removed."""

    description: str
    effect: Effect
    service: str
    operation: str = ".*"
    times: int | None = None


def _group(step: str, code: str, message: str, description: str) -> Entry:
    return Entry(
        description=description, effect=HttpError(code=0, reason=code, message=message), service=GROUPS, operation=step
    )


def _refusal(status: int, code: str, message: str, operation: str, description: str, times: int | None = None) -> Entry:
    effect = HttpError(code=status, reason=code, message=message)
    return Entry(description=description, effect=effect, service=CLOUDS, operation=operation, times=times)


IN_USE = "Nodegroup cannot be deleted right now: a dependent resource is in use"
ENTRIES: dict[str, Entry] = {
    "no-capacity": _group("launch", "InsufficientInstanceCapacity", NO_CAPACITY, "no machine to be had: failed scaling activities while the pool stays CREATING, CREATE_FAILED after the delay"),
    "no-quota": _group("launch", "VcpuLimitExceeded", NO_QUOTA, "as no-capacity, for a GPU quota of zero"),
    "no-spot": _group("launch", "UnfulfillableCapacity", NO_SPOT, "as no-capacity, for Spot"),
    "create-fails": _group("create", "NodeCreationFailure", JOIN, "the pool turns CREATE_FAILED with a health issue (code, message)"),
    "never-ready": _group("ready", "never-ready", "", "nodes join and stay NotReady; CREATE_FAILED after the delay"),
    "no-gpu": _group("gpu", "no-gpu", "", "nodes turn Ready and never advertise a GPU"),
    "delete-fails": _group("delete", "AutoScalingGroupInvalidConfiguration", STUCK, "a delete that was accepted ends in DELETE_FAILED with a health issue; times=N to let a later one pass"),
    "not-found-yet": _group("read", "not-found", "", "eventual consistency: a pool that was just created is not found, times=N"),
    "unknown-status": _group("status", "QUANTUM_LEAP", "", "describe answers a status no client knows (code)"),
    "throttled": _refusal(429, "Throttling", "Rate exceeded", ".*", "an API answers Throttling, 429 on REST APIs (operation, times)"),
    "server-error": _refusal(500, "InternalFailure", "Internal server error", ".*", "an API answers 500 (operation, times)"),
    "create-denied": _refusal(403, "AccessDenied", "User is not authorized to perform: eks:CreateNodegroup", CREATE, "creating a pool is refused for want of rights"),
    "create-limit": _refusal(400, "ResourceLimitExceededException", "Cannot exceed max of 30 nodegroups per cluster", CREATE, "creating a pool is refused: too many there"),
    "delete-refused": _refusal(409, "ResourceInUseException", IN_USE, DELETE, "deleting a pool is refused once with ResourceInUse (times)", times=1),
    "lost-response": Entry(description="a call is done, then its connection is cut without an answer, once (operation, times)", effect=Drop(), service=f"response:({CLOUDS})", times=1),
    "slow": Entry(description="an API answers late (operation, seconds)", effect=Delay(seconds=2), service=CLOUDS),
    "hang": Entry(description="a black hole: an API never answers (operation)", effect=Hang(), service=CLOUDS),
    "drop": Entry(description="an API cuts the connection without doing anything (operation)", effect=Drop(), service=CLOUDS, times=1),
    "api-server-hangs": Entry(description="a Kubernetes API server never answers (operation as in 'get pods/log')", effect=Hang(), service="kubernetes"),
    "api-server-error": Entry(description="a Kubernetes API server answers 500 (operation, times)", effect=HttpError(code=500, reason="InternalError", message="injected"), service="kubernetes", times=1),
}  # fmt: skip
DEEDS: dict[str, str] = {
    "tokens-expire": "every token handed out or signed before now is answered 401 from now on",
    "sessions-end": "every open session of an AWS role ends now (ExpiredToken)",
    "node-lost": "a node of each matching pool dies at once; its pool rents another",
    "preempted": "a node of each matching pool is taken back by the cloud; nothing replaces it",
    "clock-skew": "AWS's clock runs ahead of the client's by `seconds` (default 600): signatures are expired",
    "certificate-rotates": "every cluster gets a new CA and certificate",
}
FAULTS: dict[str, str] = {**{name: entry.description for name, entry in ENTRIES.items()}, **DEEDS}


def inject(world: World, name: str, *, target: str, times: int | None, options: Mapping[str, str]) -> None:
    """Put a fault in force, or do the deed; runs on the world's loop. Raises ValueError for an unknown name or option."""
    unknown = set(options) - {"operation", "code", "message", "seconds", "after", "service"}
    if unknown:
        raise ValueError(f"unknown option {sorted(unknown)[0]!r} of fault {name!r}")
    if name in ENTRIES:
        world.faults.add(build(name, target=target, times=times, options=options))
    elif name in DEEDS:
        do(world, name, target, options)
    else:
        raise ValueError(f"no fault named {name!r}; known are {', '.join(FAULTS)}")


def build(name: str, *, target: str, times: int | None, options: Mapping[str, str]) -> Fault:
    """Build a fault of the catalogue with the options given."""
    entry = ENTRIES[name]
    effect = entry.effect
    if isinstance(effect, HttpError):
        code, message = options.get("code", effect.reason), options.get("message", effect.message)
        effect = HttpError(code=effect.code, reason=code, message=message)
    elif isinstance(effect, Delay):
        effect = Delay(seconds=float(options.get("seconds", effect.seconds)))
    return Fault(
        name=name,
        effect=effect,
        service=options.get("service", entry.service),
        operation=options.get("operation", entry.operation),
        target=target,
        after=int(options.get("after", "0")),
        times=times if times is not None else entry.times,
    )


def do(world: World, name: str, target: str, options: Mapping[str, str]) -> None:
    """Do a deed of the catalogue once, now."""
    if name == "tokens-expire":
        world.aws.tokens.revoke()
        world.google.tokens.revoke()
    elif name == "sessions-end":
        world.aws.iam.end_sessions()
    elif name == "clock-skew":
        world.aws.gateway.skew = dt.timedelta(seconds=float(options.get("seconds", "600")))
    elif name == "certificate-rotates":
        for entrance in world.entrances.values():
            entrance.kubernetes.rotate_certificate()
    else:
        world.groups.lose_one(target, replace=name == "node-lost")
