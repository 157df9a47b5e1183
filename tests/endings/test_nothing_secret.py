"""When all is over, nothing that opens a door stands in Airflow's database, in its logs or in its folders."""

from __future__ import annotations

import contextlib

import pytest
from canary_hunt.hunt import found, places
from endings_stage import canaries, deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings
TELLS = Script(
    name="tells",
    deed=deeds.release,
    then="""echo '{"loss": 1}' > /airflow/xcom/return.json""",
    options={"do_xcom_push": True},
)
FAILS = Script(name="fails", deed=deeds.release, then="exit 3", cluster="gpu", options={"log_events_on_failure": True})


@ending_of(TELLS, FAILS)
def test_tasks_with_secrets_end_well_and_badly(endings):
    assert [one.state for one in endings] == ["success", "failed"]


@ending_of(TELLS, FAILS)
def test_pain_36_no_secret_is_in_the_database_the_logs_or_the_folders_of_a_real_airflow(stage, endings):
    assert found(canaries.left(stage), canaries.secrets(stage)) == []


@pytest.fixture
def cursor(stage):
    """Write into Airflow's database, and undo it."""
    if stage.deployment.no_postgres:
        pytest.skip(stage.deployment.no_postgres)
    with contextlib.closing(stage.deployment.connect()) as connection:
        yield connection.cursor()
        connection.rollback()


TRIGGER = "INSERT INTO trigger (classpath, kwargs, created_date) VALUES ('planted', %s, now())"


@pytest.mark.parametrize("name", ["session token", "kubeconfig's token", "Kubernetes secret", "Airflow variable"])
def test_what_is_planted_in_the_row_of_a_trigger_is_found(stage, cursor, name):
    secrets = canaries.secrets(stage)
    cursor.execute(TRIGGER, (f'{{"token": "Bearer {secrets[name]}"}}',))

    assert f"{name} in trigger.kwargs" in found(canaries.rows(cursor), secrets)


def test_what_was_planted_in_the_row_of_a_trigger_that_is_gone_is_found(stage, cursor):
    secrets = canaries.secrets(stage)
    cursor.execute(TRIGGER, (secrets["session token"],))
    cursor.execute("DELETE FROM trigger WHERE classpath = 'planted'")

    assert "session token in deleted_rows.content" in found(canaries.rows(cursor), secrets)


def test_what_is_planted_in_a_log_is_found(stage):
    secrets = canaries.secrets(stage)
    log = stage.deployment.home / "logs" / "planted.log"
    log.write_text(f"x{secrets['environment']}y")
    try:
        hits = found(places(log.parent), secrets)
    finally:
        log.unlink()

    assert hits == ["environment in planted.log"]
