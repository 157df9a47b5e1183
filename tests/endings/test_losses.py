"""What becomes of a task whose pod is taken from it."""

from __future__ import annotations

import pytest
from endings_stage import deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings
CPU = {"container_resources": {"requests": {"cpu": "2"}}}


@ending_of(Script(name="pod-deleted", deed=deeds.delete_pod))
def test_pain_05_a_pod_deleted_from_outside_is_no_success(ended):
    assert (ended.state, ended.run, ended.tries) == ("failed", "failed", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="pod-evicted", deed=deeds.evict))
def test_pain_14_an_evicted_pod_is_made_anew_without_a_try_of_the_task(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 1, 2)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="pod-preempted", before=deeds.urgency, deed=deeds.preempt, nodes=2, options=CPU))
def test_pain_14_a_preempted_pod_is_made_anew_without_a_try_of_the_task(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 1, 2)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="node-lost", deed=deeds.lose_node, nodes=2))
def test_pain_14_a_pod_lost_with_its_node_is_made_anew_without_a_try_of_the_task(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 1, 2)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="evicted-with-a-try", deed=deeds.evict, options={"retries": 1}))
def test_pain_14_no_try_takes_up_an_evicted_pod_again(ended):
    assert (ended.state, ended.made) == ("success", 2)
    assert (ended.working, ended.left) == ((), ())
