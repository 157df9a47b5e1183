"""The job controller: pods for each job until enough have succeeded or too many have failed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from multicluster.simulator.kubernetes.admission import Admission
from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, copied, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.events import EventRecorder
from multicluster.simulator.kubernetes.resources import JOBS, PODS
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Store

_log = logging.getLogger(__name__)
_COMPONENT = "job-controller"
_RETRY = 1.0
_LIMIT = "Job has reached the specified backoff limit"


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What the pods of a job add up to."""

    active: int
    succeeded: int
    failed: int
    wanted: int
    suspended: bool
    exhausted: bool

    @property
    def complete(self) -> bool:
        """Whether enough pods have succeeded."""
        return self.succeeded >= self.wanted

    @property
    def missing(self) -> int:
        """How many pods to add."""
        if self.suspended or self.exhausted:
            return 0
        return max(0, self.wanted - self.succeeded - self.active)


def job_state(job: Document, pods: list[Document]) -> JobState:
    """Return what the pods of a job add up to. Pods being deleted count neither as active nor as failed."""
    phases = [at(pod, "status", "phase") for pod in pods]
    living = sum(
        phase in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
        for phase, pod in zip(phases, pods, strict=True)
    )
    spec = job["spec"]
    failed = phases.count("Failed")
    parallel, completions = int(spec.get("parallelism", 1)), int(spec.get("completions", 1))
    succeeded = phases.count("Succeeded")
    return JobState(
        active=living,
        succeeded=succeeded,
        failed=failed,
        wanted=min(completions, succeeded + parallel) if succeeded < completions else completions,
        suspended=bool(spec.get("suspend")),
        exhausted=failed > int(spec.get("backoffLimit", 6)),
    )


class JobController:
    """Reconciles all jobs whenever something has changed."""

    def __init__(self, store: Store, admission: Admission, deletion: Deletion, events: EventRecorder) -> None:
        self._store = store
        self._admission = admission
        self._deletion = deletion
        self._events = events

    async def run(self) -> None:
        """Reconcile until cancelled. A job that cannot be reconciled is reported and holds up no other."""
        while True:
            jobs = [job for job in self._store.all(JOBS) if not _finished(job)]
            results = [self._reconciled(job) for job in jobs if "deletionTimestamp" not in job["metadata"]]
            await self._store.changed(self._store.version)
            if not all(results):
                await self._store.clock.sleep(_RETRY)  # the report of a failure is a change, too

    def _reconciled(self, job: Document) -> bool:
        try:
            self._reconcile(job)
        except ApiError as error:
            self._events.warning(job, "FailedCreate", f"Error creating: {error}", _COMPONENT)
            return False
        except Exception:  # noqa: BLE001 - the loop goes on for the other jobs; it is logged
            _log.exception("job %s/%s cannot be reconciled", namespace_of(job), name_of(job))
            return False
        return True

    def _reconcile(self, job: Document) -> None:
        pods = [pod for pod in self._store.all(PODS, namespace_of(job)) if _owns(job, pod)]
        state = job_state(job, pods)
        if state.complete or state.exhausted or state.suspended:
            self._end_pods(pods)
        for _ in range(0 if state.complete else state.missing):
            pod = self._store.create(PODS, self._admission.new(PODS, namespace_of(job), _pod(job)))
            self._events.normal(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}", _COMPONENT)
        self._report(job, job_state(job, [p for p in self._store.all(PODS, namespace_of(job)) if _owns(job, p)]))

    def _end_pods(self, pods: list[Document]) -> None:
        for pod in pods:
            if at(pod, "status", "phase") in ("Pending", "Running"):
                self._deletion.delete(PODS, namespace_of(pod), name_of(pod), DeleteOptions())

    def _report(self, job: Document, state: JobState) -> None:
        now = stamp(self._store.clock.now())

        def write(edited: Document) -> None:
            status = edited.setdefault("status", {})
            counts = {"active": state.active, "succeeded": state.succeeded, "failed": state.failed}
            for name, count in counts.items():
                if count:
                    status[name] = count
                else:
                    status.pop(name, None)
            if not state.suspended:
                status.setdefault("startTime", now)
            for condition in _conditions(state, status, now):
                set_condition(edited, condition)
            if state.complete and not state.exhausted:
                status.setdefault("completionTime", now)

        self._store.change(JOBS, namespace_of(job), name_of(job), write, uid_of(job))


def _conditions(state: JobState, status: Document, now: str) -> list[Document]:
    """Return the conditions that have changed."""
    if state.complete:
        return [_condition("SuccessCriteriaMet", now), _condition("Complete", now)]
    if state.exhausted:
        reason = {"reason": "BackoffLimitExceeded", "message": _LIMIT}
        return [_condition("FailureTarget", now, **reason), _condition("Failed", now, **reason)]
    known = next((c["status"] for c in status.get("conditions") or [] if c["type"] == "Suspended"), "False")
    wanted = "True" if state.suspended else "False"
    return [] if known == wanted else [{**_condition("Suspended", now), "status": wanted}]


def _condition(kind: str, now: str, **reason: str) -> Document:
    return {"type": kind, "status": "True", "lastTransitionTime": now, **reason}


def _finished(job: Document) -> bool:
    held = [c["type"] for c in at(job, "status", "conditions", default=[]) if c["status"] == "True"]
    return "Complete" in held or "Failed" in held


def _owns(job: Document, pod: Document) -> bool:
    return any(owner.get("uid") == uid_of(job) for owner in at(pod, "metadata", "ownerReferences", default=[]))


def _pod(job: Document) -> Document:
    template = job["spec"]["template"]
    metadata = copied(template.get("metadata") or {})
    labels = {"job-name": name_of(job), "controller-uid": uid_of(job)}
    prefixed = {f"batch.kubernetes.io/{key}": value for key, value in labels.items()}
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name_of(job),
        "uid": uid_of(job),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "metadata": {
            **metadata,
            "generateName": f"{name_of(job)}-",
            "labels": {**metadata.get("labels", {}), **labels, **prefixed},
            "ownerReferences": [owner],
        },
        "spec": copied(template["spec"]),
    }
