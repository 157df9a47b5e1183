"""A bracket that runs again, or twice at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState

HERE = Path(__file__).parent
MEET = """
touch {folder}/$HOSTNAME
for i in $(seq 300); do [ $(ls {folder} | wc -l) -gt 1 ] && exit 0; sleep 0.1; done
exit 1
"""


def pools_created(world):
    return world.report().aws.calls.get("eks:CreateNodegroup", 0)


def clear(dag, task_id, run_id):
    """Clear a task as the web interface does: with the setups and teardowns that belong to it."""
    stored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    subset = stored.partial_subset(task_ids={task_id}, include_downstream=True, include_upstream=False)
    return subset.clear(run_id=run_id, dry_run=False)


def drive(dag, dag_run, *, instead=None):
    """Do what the scheduler does, until the run has ended; *instead* of a task of that id, what is given for it."""
    with create_session() as session:
        dag_run = session.merge(dag_run)
        session.refresh(dag_run)
        dag_run.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        dag_run.state = DagRunState.RUNNING
        while dag_run.state == DagRunState.RUNNING:
            session.expire_all()
            ready, _ = dag_run.update_state(session=session)
            for one in ready:
                one.try_number += 1
                one.state = TaskInstanceState.SCHEDULED
            session.commit()
            for one in ready:
                if instead and one.task_id in instead:
                    instead[one.task_id](one, session)
                else:
                    _run_task(ti=one, task=dag.task_dict[one.task_id], run_triggerer=True)
        session.commit()
        return dag_run


def test_pain_15_a_cleared_task_runs_again_in_a_pool_of_the_same_name(run, world, find, outcome):
    dag = find("work")
    dag_run = dag.test(run_conf={"command": "echo $NODE_NAME; exit 1"})
    assert outcome(dag_run).state == "failed"
    before = pools_created(world)

    clear(dag, "train.fit", dag_run.run_id)
    again = outcome(drive(dag, dag_run))

    assert pools_created(world) == before + 1
    assert again.tasks["train.fit"] == "failed"
    assert {state for name, state in again.tasks.items() if name != "train.fit"} == {"success"}
    assert (world.report().pools_left, world.report().instances_left) == ((), ())


def test_pain_15_a_run_marked_failed_mid_work_still_deletes_its_pool(run, world, find, outcome):
    dag = find("work")
    dag_run = dag.test()
    stored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    pools = []

    def mark_failed(ti, session):
        pools.extend(world.report().pools_left)
        ti.state = TaskInstanceState.RUNNING
        session.commit()
        set_dag_run_state_to_failed(dag=stored, run_id=dag_run.run_id, commit=True, session=session)
        session.commit()

    clear(dag, "train.fit", dag_run.run_id)
    again = outcome(drive(dag, dag_run, instead={"train.fit": mark_failed}))

    assert len(pools) == 1
    assert (again.state, again.tasks["train.fit"]) == ("failed", "failed")
    assert {again.tasks[f"train.{name}"] for name in ("delete_node_pool", "node_pool_gone")} == {"success"}
    assert (world.report().pools_left, world.report().instances_left) == ((), ())


def test_two_runs_at_a_time_have_two_pools(world, tmp_path):
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    conf = json.dumps({"command": MEET.format(folder=meeting)})
    before = pools_created(world)

    command = [sys.executable, str(HERE / "one_run.py")]
    rest = [str(HERE / "dags" / "cases.py"), "work", conf]
    runs = [
        subprocess.Popen(
            [*command, str(tmp_path / name), *rest], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name in ("one", "other")
    ]
    texts = [one.communicate(timeout=100)[0] for one in runs]

    assert ["outcome success" in text for text in texts] == [True, True], texts
    assert len(list(meeting.iterdir())) == 2
    assert pools_created(world) == before + 2
    assert (world.report().pools_left, world.report().instances_left) == ((), ())
