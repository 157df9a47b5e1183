"""The job controller: pods for each job until enough have succeeded or too many have failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from multicluster.simulator.kubernetes.admission import Admission
from multicluster.simulator.kubernetes.controllers.job_state import (
    ENDED,
    JobState,
    held,
    job_state,
    new_conditions,
    seconds_left,
)
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
_CARRIED = ("labels", "annotations", "finalizers")
"""What a pod takes from its template's metadata: not the name, which Airflow's job operator writes there."""
_TOLD = {"Complete": ("Completed", "Job completed"), "JobSuspended": ("Suspended",), "JobResumed": ("Resumed",)}


class JobController:
    """Reconciles all jobs whenever something has changed or a moment of theirs has come."""

    def __init__(self, store: Store, admission: Admission, deletion: Deletion, events: EventRecorder) -> None:
        self._store = store
        self._admission = admission
        self._deletion = deletion
        self._events = events

    async def run(self) -> None:
        """Reconcile until cancelled. A job that cannot be reconciled is reported and holds up no other."""
        while True:
            results = [self._reconciled(job) for job in self._jobs()]
            left = [
                seconds for job in self._jobs() if (seconds := seconds_left(job, self._store.clock.now())) is not None
            ]
            waits = [self._store.changed(self._store.version), *([self._store.clock.sleep(min(left))] if left else [])]
            await _first(*waits)
            if not all(results):
                await self._store.clock.sleep(_RETRY)  # the report of a failure is a change, too

    def _jobs(self) -> list[Document]:
        return [job for job in self._store.all(JOBS) if "deletionTimestamp" not in job["metadata"]]

    def _reconciled(self, job: Document) -> bool:
        try:
            if not any(held(job, kind) for kind in ENDED):
                self._reconcile(job)
            elif (left := seconds_left(job, self._store.clock.now())) is not None and left <= 0:
                self._deletion.delete(JOBS, namespace_of(job), name_of(job), DeleteOptions())
        except ApiError as error:
            self._events.warning(job, "FailedCreate", f"Error creating: {error}", _COMPONENT)
            return False
        except Exception:  # noqa: BLE001 - the loop goes on for the other jobs; it is logged
            _log.exception("job %s/%s cannot be reconciled", namespace_of(job), name_of(job))
            return False
        return True

    def _reconcile(self, job: Document) -> None:
        state = self._state(job)
        if state.over:
            self._end_pods(job)
        for _ in range(state.missing):
            pod = self._store.create(PODS, self._admission.new(PODS, namespace_of(job), _pod(job)))
            self._events.normal(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}", _COMPONENT)
        self._report(job, state if state.failure and not held(job, "FailureTarget") else self._state(job))

    def _state(self, job: Document) -> JobState:
        return job_state(job, self._pods(job), self._store.clock.now())

    def _pods(self, job: Document) -> list[Document]:
        return [pod for pod in self._store.all(PODS, namespace_of(job)) if _owns(job, pod)]

    def _end_pods(self, job: Document) -> None:
        for pod in self._pods(job):
            alive = at(pod, "status", "phase") in ("Pending", "Running")
            if alive and "deletionTimestamp" not in pod["metadata"]:
                self._deletion.delete(PODS, namespace_of(pod), name_of(pod), DeleteOptions())
                self._events.normal(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", _COMPONENT)

    def _report(self, job: Document, state: JobState) -> None:
        now, conditions = stamp(self._store.clock.now()), new_conditions(state, job)

        def write(edited: Document) -> None:
            status = edited.setdefault("status", {})
            for name in ("active", "succeeded", "failed"):
                status.pop(name, None)
                if getattr(state, name):
                    status[name] = getattr(state, name)
            status.update(ready=state.ready, terminating=state.terminating, uncountedTerminatedPods={})
            if not state.suspended and ("startTime" not in status or held(edited, "Suspended")):
                status["startTime"] = now
            if state.complete:
                status["completionTime"] = now
            for condition in conditions:
                set_condition(edited, {**condition, "lastProbeTime": now, "lastTransitionTime": now})

        changed = self._store.change(JOBS, namespace_of(job), name_of(job), write, uid_of(job))
        for condition in conditions:
            self._tell(changed, condition)

    def _tell(self, job: Document, condition: Document) -> None:
        if condition["type"] == "Failed":
            self._events.warning(job, condition["reason"], condition["message"], _COMPONENT)
        told = _TOLD.get(condition["type"]) or _TOLD.get(condition["reason"])
        if told:
            self._events.normal(job, told[0], told[-1] if len(told) > 1 else condition["message"], _COMPONENT)


async def _first(*coroutines: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _owns(job: Document, pod: Document) -> bool:
    return any(owner.get("uid") == uid_of(job) for owner in at(pod, "metadata", "ownerReferences", default=[]))


def _pod(job: Document) -> Document:
    template = job["spec"]["template"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name_of(job),
        "uid": uid_of(job),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    carried = {name: copied(template["metadata"][name]) for name in _CARRIED if name in template["metadata"]}
    metadata = {**carried, "generateName": f"{name_of(job)}-", "ownerReferences": [owner]}
    return {"metadata": metadata, "spec": copied(template["spec"])}
