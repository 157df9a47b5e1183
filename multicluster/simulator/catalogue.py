"""List the faults a world knows by name."""

from __future__ import annotations

from dataclasses import dataclass

from multicluster.simulator.faults import Delay, Drop, Effect, Hang, HttpError

NO_CAPACITY = (
    "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). "
    "Our system will be working on provisioning additional capacity. You can currently get {type} capacity by "
    "not specifying an Availability Zone in your request or choosing {others}."
)
NO_QUOTA = (
    "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the "
    "specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an "
    "adjustment to this limit."
)
NO_SPOT = "Unable to fulfill capacity due to your request configuration. Please adjust your request and try again."
NOT_JOINED = "Instances failed to join the kubernetes cluster"
SUSPENDED = "Couldn't terminate instances in ASG as Terminate process is suspended"
IN_USE = "Nodegroup cannot be deleted right now: a dependent resource is in use"
DENIED = "User is not authorized to perform: eks:CreateNodegroup"
TOO_MANY = "Cannot exceed max of 30 nodegroups per cluster"
CREATE, DELETE = "CreateNodegroup|nodePools.create", "DeleteNodegroup|nodePools.delete"
CLOUDS = "eks|sts|autoscaling|ec2|scheduler|container|compute|iamcredentials|oauth2|metadata"
GROUPS = "node-groups"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A fault by name. ``times`` None means: until it is removed."""

    description: str
    effect: Effect
    service: str = CLOUDS
    operation: str = ".*"
    times: int | None = None


def step(description: str, name: str, code: str, message: str = "") -> Entry:
    """Describe a step of a node group's life that goes wrong."""
    effect = HttpError(code=0, reason=code, message=message)
    return Entry(description=description, effect=effect, service=GROUPS, operation=name)


def refusal(description: str, error: HttpError, operation: str = ".*", times: int | None = None) -> Entry:
    """Describe an API's refusal."""
    return Entry(description=description, effect=error, operation=operation, times=times)


ENTRIES: dict[str, Entry] = {
    "no-capacity": step(
        "no machine to be had: failed scaling activities while the pool stays CREATING; CREATE_FAILED in the end",
        "launch", "InsufficientInstanceCapacity", NO_CAPACITY,
    ),
    "no-quota": step("as no-capacity, for a GPU quota of zero", "launch", "VcpuLimitExceeded", NO_QUOTA),
    "no-spot": step("as no-capacity, for Spot", "launch", "UnfulfillableCapacity", NO_SPOT),
    "create-fails": step(
        "the pool turns CREATE_FAILED with a health issue (code, message)", "create", "NodeCreationFailure", NOT_JOINED
    ),
    "never-ready": step("nodes join and stay NotReady; CREATE_FAILED in the end", "ready", "never-ready"),
    "no-gpu": step("nodes turn Ready and never advertise a GPU", "gpu", "no-gpu"),
    "delete-fails": step(
        "a delete that was accepted ends in DELETE_FAILED with a health issue (code, message, times)",
        "delete", "AutoScalingGroupInvalidConfiguration", SUSPENDED,
    ),
    "not-found-yet": step("eventual consistency: a pool just created is not found (times)", "read", "not-found"),
    "unknown-status": step("describe answers a status no client knows (code)", "status", "QUANTUM_LEAP"),
    "throttled": refusal(
        "an API answers Throttling, 429 on REST APIs (operation, times)",
        HttpError(code=429, reason="Throttling", message="Rate exceeded"),
    ),
    "server-error": refusal(
        "an API answers 500 (operation, times)",
        HttpError(code=500, reason="InternalFailure", message="Internal server error"),
    ),
    "create-denied": refusal(
        "creating a pool is refused for want of rights",
        HttpError(code=403, reason="AccessDenied", message=DENIED), CREATE,
    ),
    "create-limit": refusal(
        "creating a pool is refused: too many are there",
        HttpError(code=400, reason="ResourceLimitExceededException", message=TOO_MANY), CREATE,
    ),
    "delete-refused": refusal(
        "deleting a pool is refused once with ResourceInUse (times)",
        HttpError(code=409, reason="ResourceInUseException", message=IN_USE), DELETE, times=1,
    ),
    "lost-response": Entry(
        description="a call is done, then its connection is cut without an answer, once (operation, times)",
        effect=Drop(), service=f"response:({CLOUDS})", times=1,
    ),
    "slow": Entry(description="an API answers late (operation, seconds)", effect=Delay(seconds=2)),
    "hang": Entry(description="a black hole: an API never answers (operation)", effect=Hang()),
    "drop": Entry(description="an API cuts the connection, doing nothing (operation, times)", effect=Drop(), times=1),
    "api-server-hangs": Entry(
        description="a Kubernetes API server never answers (operation, as in 'get pods/log')",
        effect=Hang(), service="kubernetes",
    ),
    "unauthorized": Entry(
        description="a Kubernetes API server answers 401 to a good token, once (operation, times)",
        effect=HttpError(code=401, reason="Unauthorized", message="Unauthorized"), service="kubernetes", times=1,
    ),
    "api-server-error": Entry(
        description="a Kubernetes API server answers 500 (operation, times)",
        effect=HttpError(code=500, reason="InternalError", message="injected"), service="kubernetes", times=1,
    ),
}  # fmt: skip
DEEDS: dict[str, str] = {
    "tokens-expire": "every token handed out or signed before now is answered 401 from now on",
    "sessions-end": "every open session of an AWS role ends now (ExpiredToken)",
    "node-lost": "a node of each matching pool dies at once; its pool rents another",
    "preempted": "a node of each matching pool is taken back by the cloud; nothing replaces it",
    "clock-skew": "AWS's clock runs ahead of the client's (seconds, 600 by default): signatures are expired",
    "certificate-rotates": "every cluster gets a new CA and certificate",
}
FAULTS: dict[str, str] = {**{name: entry.description for name, entry in ENTRIES.items()}, **DEEDS}
"""One line for each fault; in brackets the options it heeds beside ``target`` and ``after``."""
