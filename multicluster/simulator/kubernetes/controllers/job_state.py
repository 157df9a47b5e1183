"""What the pods of a job add up to: pure functions of the job, its pods and the moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from multicluster.simulator.kubernetes.documents import Document, at, moment

ENDED = ("Complete", "Failed")
_LIMIT = "Job has reached the specified backoff limit"
_DEADLINE = "Job was active longer than specified deadline"
_COMPLETE = {"reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"}
_FAILURES = {"BackoffLimitExceeded": _LIMIT, "DeadlineExceeded": _DEADLINE}
_SUSPENDED = {"reason": "JobSuspended", "message": "Job suspended"}
_RESUMED = {"reason": "JobResumed", "message": "Job resumed"}


@dataclass(frozen=True, kw_only=True)
class JobState:
    """The counts of a job's pods, and what follows. `failure` is the reason it has failed for, or empty."""

    active: int
    ready: int
    terminating: int
    succeeded: int
    failed: int
    wanted: int
    suspended: bool
    failure: str

    @property
    def complete(self) -> bool:
        """Whether enough pods have succeeded."""
        return self.succeeded >= self.wanted and not self.failure

    @property
    def over(self) -> bool:
        """Whether none of its pods may run any more."""
        return self.complete or self.suspended or bool(self.failure)

    @property
    def missing(self) -> int:
        """How many pods to add."""
        return 0 if self.over else max(0, self.wanted - self.succeeded - self.active)


def job_state(job: Document, pods: list[Document], now: dt.datetime) -> JobState:
    """Return what the pods of a job add up to. Pods being deleted are neither active nor failed.

    Once a job is to fail, its living pods count as failed, and the count stays.
    """
    living = [pod for pod in pods if at(pod, "status", "phase") in ("Pending", "Running")]
    going = [pod for pod in living if "deletionTimestamp" in pod["metadata"]]
    phases = [at(pod, "status", "phase") for pod in pods]
    spec = job["spec"]
    active, failed, succeeded = len(living) - len(going), phases.count("Failed"), phases.count("Succeeded")
    parallel, completions = int(spec.get("parallelism", 1)), int(spec.get("completions", 1))
    known = str(held(job, "FailureTarget").get("reason", ""))
    failure = known or _failure(job, failed, now)
    if failure:
        failed = int(at(job, "status", "failed", default=0)) if known else failed + active
    return JobState(
        active=0 if failure else active,
        ready=0 if failure else sum(_ready(pod) for pod in living if pod not in going),
        terminating=len(living) if failure else len(going),
        succeeded=succeeded,
        failed=failed,
        wanted=min(completions, succeeded + parallel) if succeeded < completions else completions,
        suspended=bool(spec.get("suspend")),
        failure=failure,
    )


def _failure(job: Document, failed: int, now: dt.datetime) -> str:
    if failed > int(job["spec"].get("backoffLimit", 6)):
        return "BackoffLimitExceeded"
    deadline, started = job["spec"].get("activeDeadlineSeconds"), at(job, "status", "startTime")
    if deadline is None or started is None or job["spec"].get("suspend"):
        return ""
    return "DeadlineExceeded" if now >= moment(started) + dt.timedelta(seconds=int(deadline)) else ""


def _ready(pod: Document) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in at(pod, "status", "conditions", default=[]))


def held(job: Document, kind: str) -> Document:
    """Return a condition that is true; empty where it is not."""
    conditions = at(job, "status", "conditions", default=[])
    return next((found for found in conditions if found["type"] == kind and found["status"] == "True"), {})


def new_conditions(state: JobState, job: Document) -> list[Document]:
    """Return the conditions a job gets now, without their times."""
    if state.complete:
        return [{"type": kind, "status": "True", **_COMPLETE} for kind in ("SuccessCriteriaMet", "Complete")]
    if state.failure:
        why = {"reason": state.failure, "message": _FAILURES[state.failure]}
        kinds = ("FailureTarget",) if state.terminating else ("FailureTarget", "Failed")
        return [{"type": kind, "status": "True", **why} for kind in kinds if not held(job, kind)]
    if state.suspended == bool(held(job, "Suspended")):
        return []
    why = _SUSPENDED if state.suspended else _RESUMED
    return [{"type": "Suspended", "status": str(state.suspended), **why}]


def seconds_left(job: Document, now: dt.datetime) -> float | None:
    """Return in how many seconds a job has to be looked at again, though nothing may have changed."""
    ended = next((condition for kind in ENDED if (condition := held(job, kind))), None)
    since = ended["lastTransitionTime"] if ended else at(job, "status", "startTime")
    limit = job["spec"].get("ttlSecondsAfterFinished" if ended else "activeDeadlineSeconds")
    if since is None or limit is None:
        return None
    return (moment(since) + dt.timedelta(seconds=int(limit)) - now).total_seconds()
