"""ClusterPodOperator: parameters of which a real kubelet says whether they do what they say."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

from .pods import NO_IMAGE, ended, unique
from .tasks import Background

pytestmark = pytest.mark.parametrize("tasks", ["ours"], indirect=True)
DEFERRABLE = pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"])
REAL = pytest.mark.parametrize(  # the simulator's containers are processes of this machine, of its user
    "ground",
    [pytest.param("testbed", marks=[pytest.mark.testbed, pytest.mark.xdist_group("testbed")])],
    indirect=True,
    scope="session",
)
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
        'echo "$USER $EPOCHS $(cat /keys/user /keys/word /one/w /settings/EPOCHS)"; '
        "ls -A /scratch | grep -q . || echo empty",
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
    with pytest.raises(Exception, match=r"too long to start|cannot be pulled|returned a failure"):
        go(
            "true",
            image=NO_IMAGE,
            startup_timeout_seconds=2,
            on_finish_action="keep_pod",
        )

    kept = pods.until(ended)
    assert kept["status"]["reason"] == "DeadlineExceeded"
    record("phase", kept["status"]["phase"])


@DEFERRABLE
def test_what_an_init_container_writes_is_there_for_the_work(go, said):
    at_scratch = k8s.V1VolumeMount(name="scratch", mount_path="/scratch")
    prepare = k8s.V1Container(
        name="prepare",
        image="busybox:1.36",
        image_pull_policy="IfNotPresent",
        command=["sh", "-c", "echo data > /scratch/made"],
        volume_mounts=[at_scratch],
    )
    go("cat /scratch/made", init_containers=[prepare], volumes=[SCRATCH], volume_mounts=[at_scratch])

    assert "data" in said()


@DEFERRABLE
def test_a_pod_knows_its_name_and_a_pull_secret_that_is_missing_harms_nobody(go, said):
    name = k8s.V1EnvVarSource(field_ref=k8s.V1ObjectFieldSelector(field_path="metadata.name"))
    go(
        'echo "I am $POD"',
        pod_runtime_info_envs=[k8s.V1EnvVar(name="POD", value_from=name)],
        image_pull_secrets=[k8s.V1LocalObjectReference(name="nobody")],
    )

    assert "I am p" in said()


@DEFERRABLE
def test_a_result_of_one_mebibyte_arrives_whole(go):
    size = 1024 * 1024 - 2
    command = f"""(printf '"'; head -c {size} /dev/zero | tr '\\0' x; printf '"') > /airflow/xcom/return.json"""

    assert go(command, do_xcom_push=True, get_logs=False) == "x" * size


@DEFERRABLE
@pytest.mark.parametrize("command", ["true", ": > /airflow/xcom/return.json"])
def test_no_result_is_none(go, command):
    assert go(command, do_xcom_push=True) is None


LOOK = """
echo "who $(id -u):$(id -g) $(id -G | tr ' ' '\\n' | sort -n | xargs)"
echo "name $(hostname)"
echo "group of scratch $(stat -c %g /scratch)"
touch /scratch/made && echo "scratch is written"
touch /made 2>/dev/null || echo "root is read-only"
sed 's/^/status /' /proc/self/status
sed 's/^/hosts /' /etc/hosts
sed 's/^/resolv /' /etc/resolv.conf
"""


@REAL
@DEFERRABLE
def test_identity_names_and_addresses_are_what_is_asked_for(go, namespace, said):
    go(
        LOOK,
        security_context=k8s.V1PodSecurityContext(
            run_as_user=1234, run_as_group=2345, fs_group=3456, supplemental_groups=[4567]
        ),
        container_security_context={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        host_aliases=[k8s.V1HostAlias(ip="192.0.2.7", hostnames=["store", "store.example.com"])],
        dnspolicy="None",
        dns_config=k8s.V1PodDNSConfig(
            nameservers=["192.0.2.53"],
            searches=["train.example.com"],
            options=[k8s.V1PodDNSConfigOption(name="ndots", value="3")],
        ),
        hostname="worker-0",
        subdomain="ring",
        volumes=[SCRATCH],
        volume_mounts=[k8s.V1VolumeMount(name="scratch", mount_path="/scratch")],
    )

    told = " ".join(said().split())
    asked = [
        "who 1234:2345 2345 3456 4567",
        "name worker-0",
        "group of scratch 3456",
        "scratch is written",
        "root is read-only",
        "status NoNewPrivs: 1",
        "status CapBnd: 0000000000000000",
        "hosts 192.0.2.7 store store.example.com",
        f"worker-0.ring.{namespace}.svc.cluster.local worker-0",
        "resolv nameserver 192.0.2.53",
        "resolv search train.example.com",
        "resolv options ndots:3",
    ]
    assert [line for line in asked if f"{line} " not in f"{told} "] == []


@pytest.mark.parametrize("end", [(30, 2, "done"), (1, 60, "asked")], ids=["enough", "too-short"])
def test_a_killed_tasks_pod_has_its_grace_period_to_end(tasks, pods, eventually, end):
    seconds, needed, last = end
    script = f"trap 'echo asked; sleep {needed}; echo done; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    task = Background(tasks.make(script, termination_grace_period=seconds))
    eventually(lambda: pods.ground.raw("GET", f"{pods.path}/p")[0] == 200, timeout=60)
    pods.until(lambda found: found["status"]["phase"] == "Running", timeout=60)
    log = pods.follow()
    assert next(log) == b"up\n"

    task.task.on_kill()

    assert b"".join(log).decode().split()[-1] == last
    assert pods.gone()
    assert task.ended() is not None


@DEFERRABLE
def test_a_runtime_class_that_is_not_there_is_refused_in_one_line(go, pods, names, record):
    missing = unique("kata")
    names[missing] = "<class>"

    with pytest.raises(PodLaunchFailedException) as refused:
        go("true", runtime_class_name=missing)

    assert str(refused.value) == (
        f"pod 'p' cannot be made on 'ground': the API server refuses it: pods \"p\" is forbidden: pod rejected: "
        f'RuntimeClass "{missing}" not found [create pod: 403 Forbidden]'
    )
    assert pods.request("GET", pods.path)["items"] == []
