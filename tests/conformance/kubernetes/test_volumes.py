"""What a pod gets from elsewhere: ConfigMaps, Secrets, itself, its service account, and folders of its own."""

from __future__ import annotations

import base64
import json

import pytest

from .pods import container, pod, status_of, waits

SHOW = "cd /v && for f in $(ls); do echo $f=$(cat $f); done"


@pytest.fixture
def given(pods):
    """A ConfigMap and a Secret, both called `given`."""
    pods.make("configmaps", "given", data={"a": "one", "b": "two"})
    pods.make("secrets", "given", stringData={"a": "hush", "b": "quiet"})
    return pods


def mounted(volume, script=SHOW, **mount):
    """A pod with one volume at /v."""
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    return pod(script, volumes=[{"name": "v", **volume}], volumeMounts=mounts)


def variable(name, **source):
    return {"name": name, "valueFrom": source}


@pytest.mark.parametrize(("kind", "value"), [("configMap", "one"), ("secret", "hush")])
def test_a_variable_from_one_key(given, kind, value):
    reference = {f"{kind}KeyRef": {"name": "given", "key": "a"}}

    assert given.output(pod("echo $V", env=[variable("V", **reference)])) == f"{value}\n"


@pytest.mark.parametrize("reference", [{"name": "given", "key": "absent"}, {"name": "absent", "key": "a"}])
def test_an_optional_variable_may_be_missing(given, reference):
    source = {"configMapKeyRef": {**reference, "optional": True}}

    assert given.output(pod("echo ${V-unset}", env=[variable("V", **source)])) == "unset\n"


def test_all_variables_of_a_source(given):
    sources = [{"configMapRef": {"name": "given"}}, {"prefix": "S_", "secretRef": {"name": "given"}}]

    assert given.output(pod("echo $a $b $S_a $S_b", envFrom=sources)) == "one two hush quiet\n"


def test_an_own_variable_wins_over_that_of_a_source(given):
    document = pod("echo $a", envFrom=[{"configMapRef": {"name": "given"}}], env=[{"name": "a", "value": "own"}])

    assert given.output(document) == "own\n"


def test_an_optional_source_may_be_missing(given):
    document = pod("echo fine", envFrom=[{"secretRef": {"name": "absent", "optional": True}}])

    assert given.output(document) == "fine\n"


def test_variables_are_expanded_in_variables_and_in_the_command(pods):
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": "$(A)y"}, {"name": "C", "value": "$(NO) $$(A)"}]

    assert pods.output(pod("echo '$(B)' '$(NO)' '$$(A)' $C", env=env)) == "xy $(NO) $(A) $(NO) $(A)\n"


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"configMap": {"name": "given"}}, "a=one\nb=two\n"),
        ({"secret": {"secretName": "given"}}, "a=hush\nb=quiet\n"),
        ({"configMap": {"name": "given", "items": [{"key": "a", "path": "other"}]}}, "other=one\n"),
        ({"configMap": {"name": "absent", "optional": True}}, ""),
        ({"secret": {"secretName": "absent", "optional": True}}, ""),
        (
            {
                "projected": {
                    "sources": [
                        {"configMap": {"name": "given", "items": [{"key": "a", "path": "a"}]}},
                        {"secret": {"name": "given", "items": [{"key": "b", "path": "b"}]}},
                    ]
                }
            },
            "a=one\nb=quiet\n",
        ),
    ],
    ids=["configmap", "secret", "items", "optional configmap", "optional secret", "projected"],
)
def test_a_volume_holds_the_entries_of_its_source(given, volume, text):
    assert given.output(mounted(volume)) == text


def test_a_key_may_become_a_path(given):
    volume = {"configMap": {"name": "given", "items": [{"key": "a", "path": "deep/down"}]}}

    assert given.output(mounted(volume, "cat /v/deep/down")) == "one"


def test_one_key_may_be_mounted_as_a_file(given):
    assert given.output(mounted({"configMap": {"name": "given"}}, "cat /v", subPath="a")) == "one"


def test_binary_entries_stay_what_they_are(pods):
    pods.make("configmaps", "given", binaryData={"b": base64.b64encode(bytes([0, 255, 10])).decode()})

    assert pods.output(mounted({"configMap": {"name": "given"}}, "od -An -tx1 /v/b")).split() == ["00", "ff", "0a"]


@pytest.mark.parametrize(("options", "mode"), [({}, "644"), ({"defaultMode": 0o400}, "400")])
def test_entries_have_the_mode_asked_for(given, options, mode):
    volume = {"secret": {"secretName": "given", **options}}

    assert given.output(mounted(volume, "echo mode $(stat -L -c %a /v/a)")) == f"mode {mode}\n"


@pytest.mark.parametrize("source", [{"configMap": {"name": "given"}}, {"secret": {"secretName": "given"}}])
def test_a_missing_item_holds_the_pod_back(given, record, source):
    ((kind, reference),) = source.items()
    given.create(mounted({kind: {**reference, "items": [{"key": "absent", "path": "x"}]}}))

    record("event", given.said("FailedMount")["message"])
    assert given.until(waits("ContainerCreating"))


def test_a_volume_that_no_container_mounts_holds_nothing_back(pods):
    assert pods.output(pod("echo here", volumes=[{"name": "v", "configMap": {"name": "absent"}}])) == "here\n"


def test_an_empty_folder_is_shared_by_the_containers_of_a_pod(pods):
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    writer = container("writer", "echo hello > /v/file", **mount)
    reader = "until test -s /v/file; do sleep 0.1; done; cat /v/file"

    document = pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[container("base", reader, **mount), writer])
    pods.run(document)

    assert pods.log(query="container=base") == "hello\n"


def test_an_empty_folder_outlives_its_container(pods):
    script = "test -e /v/file && exit 0; touch /v/file; exit 1"
    document = mounted({"emptyDir": {}}, script)
    document["spec"]["restartPolicy"] = "OnFailure"

    assert status_of(pods.run(document))["restartCount"] == 1


def test_a_part_of_a_folder_may_be_mounted(pods):
    init = container("first", "mkdir /w/sub; echo in > /w/sub/file", volumeMounts=[{"name": "v", "mountPath": "/w"}])
    document = mounted({"emptyDir": {"medium": "Memory"}}, "cat /v/file", subPath="sub")
    document["spec"]["initContainers"] = [init]

    assert pods.output(document) == "in\n"


def test_a_pod_knows_itself_by_variables(pods):
    env = [
        variable("NAME", fieldRef={"fieldPath": "metadata.name"}),
        variable("SPACE", fieldRef={"fieldPath": "metadata.namespace"}),
        variable("TEAM", fieldRef={"fieldPath": "metadata.labels['team']"}),
        variable("NOTE", fieldRef={"fieldPath": "metadata.annotations['example.com/note']"}),
        variable("ACCOUNT", fieldRef={"fieldPath": "spec.serviceAccountName"}),
        variable("CPU", resourceFieldRef={"resource": "limits.cpu"}),
        variable("MEMORY", resourceFieldRef={"resource": "requests.memory", "divisor": "1Mi"}),
    ]
    limits = {"limits": {"cpu": "1500m", "memory": "64Mi"}}
    metadata = {"labels": {"team": "ml"}, "annotations": {"example.com/note": "hi"}}
    script = "echo $NAME $SPACE $TEAM $NOTE $ACCOUNT $CPU $MEMORY"

    text = pods.output(pod(script, env=env, metadata=metadata, resources=limits))

    assert text == f"p {pods.namespace} ml hi default 2 64\n"


def test_a_pod_knows_where_it_is_by_variables(pods):
    fields = {"NODE": "spec.nodeName", "IP": "status.podIP", "HOST": "status.hostIP", "UID_": "metadata.uid"}
    env = [variable(name, fieldRef={"fieldPath": path}) for name, path in fields.items()]

    text = pods.output(pod("echo $NODE $IP $HOST $UID_", env=env))

    found = pods.get()
    status = found["status"]
    assert text.split() == [found["spec"]["nodeName"], status["podIP"], status["hostIP"], found["metadata"]["uid"]]


def test_a_pod_knows_itself_by_files(pods):
    items = [
        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "base", "resource": "limits.cpu"}},
    ]
    document = mounted({"downwardAPI": {"items": items}}, "cat /v/name; echo; cat /v/labels; echo; cat /v/cpu")
    document["metadata"]["labels"] = {"team": "ml", "app": "x"}
    document["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "2"}}

    assert pods.output(document) == 'p\napp="x"\nteam="ml"\n2'


def test_a_container_without_limits_is_told_what_its_node_has(pods, ground):
    env = [variable("CPU", resourceFieldRef={"resource": "limits.cpu"})]

    text = pods.output(pod("echo $CPU", env=env))

    node = pods.request("GET", f"/api/v1/nodes/{pods.get()['spec']['nodeName']}")
    assert text.strip() == node["status"]["allocatable"]["cpu"]


ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_a_pod_carries_its_service_account(pods):
    text = pods.output(pod(f"ls {ACCOUNT}; cat {ACCOUNT}/namespace"))

    assert text == f"ca.crt\nnamespace\ntoken\n{pods.namespace}"


def test_a_pod_may_go_without_a_service_account(pods):
    assert pods.output(pod(f"ls {ACCOUNT} 2>/dev/null || echo none", automountServiceAccountToken=False)) == "none\n"


def test_the_token_of_a_pod_is_that_of_its_service_account(pods):
    pods.make("serviceaccounts", "trainer")

    token = pods.output(pod(f"cat {ACCOUNT}/token", serviceAccountName="trainer"))
    status, _, answer = pods.ground.raw("GET", pods.path, headers={"Authorization": f"Bearer {token}"}, user="")

    assert status == 403
    assert f'User "system:serviceaccount:{pods.namespace}:trainer" cannot list resource "pods"' in answer["message"]


def test_the_token_for_somebody_else_is_not_accepted(pods):
    source = {"serviceAccountToken": {"path": "token", "audience": "example.com"}}
    token = pods.output(mounted({"projected": {"sources": [source]}}, "cat /v/token"))

    status, _, _ = pods.ground.raw("GET", pods.path, headers={"Authorization": f"Bearer {token}"}, user="")

    assert status == 401


def test_a_token_may_be_projected_for_an_audience(pods):
    source = {"serviceAccountToken": {"path": "token", "audience": "example.com", "expirationSeconds": 600}}

    token = pods.output(mounted({"projected": {"sources": [source]}}, "cat /v/token"))

    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == ["example.com"]
    assert claims["sub"] == f"system:serviceaccount:{pods.namespace}:default"
    assert 600 <= claims["exp"] - claims["iat"] <= 607
