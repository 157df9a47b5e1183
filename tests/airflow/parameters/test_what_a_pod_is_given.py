"""Secrets, ConfigMaps, volumes, init containers and ports reach the process, on clusters and on node pools."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

SCRATCH = k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource())
AT_SCRATCH = k8s.V1VolumeMount(name="scratch", mount_path="/scratch")
SETTINGS = k8s.V1Volume(name="settings", config_map=k8s.V1ConfigMapVolumeSource(name="settings"))
AT_SETTINGS = k8s.V1VolumeMount(name="settings", mount_path="/settings", read_only=True)
SECRET_WORD = "c4n4ry-secret"


def test_keys_of_secrets_are_variables_and_files(drive, fit, place):
    ran = drive.run(
        fit(
            'echo "$ONE $user $(cat /keys/user /one/name)"; test "$word" = "$(cat /keys/word)" && echo the same',
            secrets=[
                Secret("env", "ONE", "keys", "user"),
                Secret("env", None, "keys"),
                Secret("volume", "/keys", "keys"),
                Secret("volume", "/one", "keys", items=[k8s.V1KeyToPath(key="user", path="name")]),
            ],
            **place,
        )
    )

    assert ran.error is None, ran.text
    assert "[base] ann ann annann" in ran.log
    assert "[base] the same" in ran.log
    assert SECRET_WORD not in ran.text


def test_config_maps_are_variables_and_files(drive, fit, place):
    ran = drive.run(
        fit(
            'echo "$EPOCHS $(cat /settings/EPOCHS)"',
            configmaps=["settings"],
            volumes=[SETTINGS],
            volume_mounts=[AT_SETTINGS],
            **place,
        )
    )

    assert ran.error is None, ran.text
    assert "[base] 3 3" in ran.log


def test_what_an_init_container_writes_is_there_for_the_work(drive, fit, place):
    prepare = k8s.V1Container(
        name="prepare",
        image="busybox:1.37",
        command=["sh", "-c", "echo prepared > /scratch/data"],
        volume_mounts=[AT_SCRATCH],
    )
    ran = drive.run(
        fit("cat /scratch/data", volumes=[SCRATCH], volume_mounts=[AT_SCRATCH], init_containers=[prepare], **place)
    )

    assert ran.error is None, ran.text
    assert "[base] prepared" in ran.log


def test_an_init_container_that_fails_fails_the_task(drive, fit, place):
    prepare = k8s.V1Container(name="prepare", image="busybox:1.37", command=["sh", "-c", "exit 4"])
    ran = drive.run(fit(init_containers=[prepare], **place))

    assert ran.error is not None
    assert "[base] trained" not in ran.log


@pytest.mark.parametrize("key", ["user", "missing"])
def test_a_secret_that_is_not_there_is_named(drive, fit, place, key):
    secret = Secret("env", "ONE", "keys" if key == "user" else "nobody", "user")
    ran = drive.run(fit('echo "$ONE"', secrets=[secret], startup_timeout_seconds=2, **place))

    if key == "user":
        assert "[base] ann" in ran.log
    else:
        assert 'secret "nobody" not found' in str(ran.error) + ran.text


def test_pain_36_the_error_of_a_failed_pod_shows_no_secret_variable(drive, fit, place):
    ran = drive.run(fit("exit 3", env_vars={"API_TOKEN": "c4n4ry-variable", "EPOCHS": "3"}, **place))

    assert {"name": "API_TOKEN", "value": "c4n4ry-variable"} in ran.container["env"]
    told = " ".join(str(ran.error).split())  # the pod stands in the error, as it ever did
    assert "'name': 'EPOCHS', 'value': '3'" in told
    assert "c4n4ry" not in told + ran.text
