"""ClusterPodOperator: parameters of which a real kubelet says whether they do what they say."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

from .pods import ended

pytestmark = pytest.mark.parametrize("tasks", ["ours"], indirect=True)
DEFERRABLE = pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
PREPARE = k8s.V1Container(
    name="prepare", image="busybox:1.36", image_pull_policy="IfNotPresent", command=["sh", "-c", "echo prepared"]
)
SETTINGS = k8s.V1Volume(name="settings", config_map=k8s.V1ConfigMapVolumeSource(name="settings"))
SCRATCH = k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource())


@pytest.fixture
def go(tasks, deferrable):
    return tasks.deferred if deferrable else tasks.run


@DEFERRABLE
def test_logs_of_init_containers_are_written_in_the_formatters_words(go, said):
    go(
        "echo trained",
        init_containers=[PREPARE],
        init_container_logs=True,
        log_formatter=lambda name, line: f"{name} says {line}",
    )

    log = said()
    assert "prepare says prepared" in log
    assert "base says trained" in log


@DEFERRABLE
def test_secrets_and_config_maps_are_read_as_variables_and_files(go, pods, said):
    pods.make("secrets", "keys", stringData={"user": "ann", "word": "w"})
    pods.make("configmaps", "settings", data={"EPOCHS": "3"})
    go(
        'echo "$USER $EPOCHS $(cat /keys/user /keys/word /one/w /settings/EPOCHS)"; ls /scratch && echo empty',
        secrets=[
            Secret("env", "USER", "keys", "user"),
            Secret("env", None, "keys"),
            Secret("volume", "/keys", "keys"),
            Secret("volume", "/one", "keys", items=[k8s.V1KeyToPath(key="word", path="w")]),
        ],
        configmaps=["settings"],
        volumes=[SETTINGS, SCRATCH],
        volume_mounts=[
            k8s.V1VolumeMount(name="settings", mount_path="/settings", read_only=True),
            k8s.V1VolumeMount(name="scratch", mount_path="/scratch"),
        ],
    )

    log = said()
    assert "ann 3 annww3" in log
    assert "empty" in log


@DEFERRABLE
def test_a_pod_that_is_kept_although_it_never_started_is_ended(go, pods, record):
    with pytest.raises(Exception, match=r"too long to start|returned a failure"):
        go(
            "true",
            volumes=[k8s.V1Volume(name="missing", config_map=k8s.V1ConfigMapVolumeSource(name="missing"))],
            startup_timeout_seconds=2,
            on_finish_action="keep_pod",
        )

    kept = pods.until(ended)
    assert kept["status"]["reason"] == "DeadlineExceeded"
    record("phase", kept["status"]["phase"])
