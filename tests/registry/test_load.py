"""Sources become one registry."""

from __future__ import annotations

import os

import pytest

from multicluster import CredentialError, Registry, RegistryDocumentError, UnknownClusterError, load_registry
from multicluster.registry.source import Source

A = "- name: a\n  auth: {inCluster: {}}\n"
B = "- name: b\n  auth: {inCluster: {}}\n"
IN_CLUSTER = {"auth": {"inCluster": {}}}


def text_of(caught: pytest.ExceptionInfo[Exception]) -> str:
    return str(caught.value)


def test_the_environment_names_files_and_folders_like_path(write, tmp_path, monkeypatch):
    one = write("one.yaml", A)
    write("more/two.yml", B)
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", os.pathsep.join([str(one), str(tmp_path / "more"), ""]))

    assert list(load_registry()) == ["a", "b"]


def test_an_argument_is_taken_in_place_of_the_environment(write, monkeypatch):
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(write("one.yaml", A)))

    assert list(load_registry(write("two.yaml", B))) == ["b"]


def test_no_source_at_all_is_an_error_that_tells_what_to_set(monkeypatch):
    monkeypatch.delenv("MULTICLUSTER_REGISTRY", raising=False)

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry()

    assert text_of(caught) == "no cluster registry: name its file or folder, or set MULTICLUSTER_REGISTRY"


def test_a_folder_is_read_in_the_order_of_its_names_and_not_below(write, tmp_path):
    write("b.yaml", B)
    write("a.yaml", A)
    write("deeper/c.yaml", "- name: c\n  auth: {inCluster: {}}\n")
    (tmp_path / "notes.txt").write_text("not a registry")

    assert list(load_registry(tmp_path)) == ["a", "b"]


def test_a_file_that_is_named_twice_is_read_once(write, tmp_path):
    path = write("a.yaml", A)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)

    assert list(load_registry(path, str(path), link)) == ["a"]


def test_a_home_folder_is_found(write, tmp_path, monkeypatch):
    write("a.yaml", A)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert list(load_registry("~/a.yaml")) == ["a"]


def test_json_is_read_too(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(
        '{"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry",'
        '\n\t"clusters": [{"name": "a", "auth": {"inCluster": {}}}]}'
    )

    assert list(load_registry(path)) == ["a"]


def test_a_name_in_two_sources_is_an_error_with_both_places(write, document):
    path = write("a.yaml", B + A)

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(path, Source.of_value("connection multicluster_default", document(a=IN_CLUSTER)))

    assert text_of(caught) == (
        f"connection multicluster_default: cluster 'a': name: is taken already, by the cluster at {path}:6"
    )


def test_the_problems_of_all_sources_are_told_at_once(write, tmp_path):
    bad = write("bad.yaml", "- name: A\n  auth: {inCluster: {}}\n")
    gone = tmp_path / "gone.yaml"
    below = bad / "deeper.yaml"

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(bad, gone, below)

    lines = text_of(caught).splitlines()
    assert lines[0] == "3 problems in the registry:"
    assert lines[1] == f"  {gone}: no such file or folder"
    assert lines[2] == f"  {below}: cannot be read: Not a directory"
    assert lines[3].startswith(f"  {bad}:4:9: cluster 'A': name: must be an RFC 1123 label")


def test_a_text_with_a_label_has_lines_like_a_file():
    text = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\nclusters: [{name: A, auth: {inCluster: {}}}]\n"

    with pytest.raises(RegistryDocumentError, match=r"^connection x:3:19: cluster 'A': name: must be"):
        load_registry(Source(label="connection x", text=text))


def test_a_file_larger_than_ten_mebibytes_is_refused(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * (10 * 1024 * 1024 + 1))

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(path)

    assert text_of(caught) == f"{path}: larger than 10 MiB"


def test_a_document_read_elsewhere_may_hold_tuples_and_times(document):
    from datetime import UTC, datetime

    until = datetime(2026, 12, 1, tzinfo=UTC)
    cluster = {**IN_CLUSTER, "pods": {"imagePullSecrets": ("ecr",)}, "cordoned": {"reason": "upgrade", "until": until}}

    registry = Registry.from_document(document(a=cluster))

    assert registry["a"].pods.image_pull_secrets == ("ecr",)
    assert registry["a"].document.cordoned.until == until


def test_a_document_with_an_object_in_it_is_refused(document):
    with pytest.raises(RegistryDocumentError, match="argument: no plain document: a object has no place in it"):
        Registry.from_document(document(a={"auth": object()}))


def test_an_unknown_name_is_answered_with_the_nearest(document):
    registry = Registry.from_document(document(**{"gpu-prod": IN_CLUSTER}), source="connection multicluster_default")

    with pytest.raises(UnknownClusterError) as caught:
        registry["gpu-prd"]

    assert text_of(caught) == (
        "no cluster named 'gpu-prd' in the registry connection multicluster_default; did you mean 'gpu-prod'?"
    )


def test_an_unknown_name_far_from_all_is_answered_with_the_first_ten(document):
    names = {f"cluster-{at:02}": IN_CLUSTER for at in range(12)}
    registry = load_registry(document(**names), document(other=IN_CLUSTER))

    with pytest.raises(UnknownClusterError) as caught:
        registry["xyz"]

    assert text_of(caught).startswith(
        "no cluster named 'xyz' in 2 registries (argument, argument); known: cluster-00, "
    )
    assert text_of(caught).endswith("cluster-09 and 3 more")


def test_a_registry_is_a_mapping(document):
    registry = load_registry(document(a=IN_CLUSTER, b=IN_CLUSTER))

    assert len(registry) == 2
    assert "a" in registry
    assert "c" not in registry
    assert registry.get("c") is None
    assert repr(registry) == "<Registry of 2: a, b>"


def test_an_empty_registry_says_so(document):
    with pytest.raises(UnknownClusterError, match="no cluster named 'a' in the registry argument; there are none"):
        load_registry(document())["a"]


def test_clusters_are_selected_by_all_of_the_labels(document):
    prod = {**IN_CLUSTER, "labels": {"tier": "prod", "region": "x"}}
    registry = load_registry(document(a=prod, b={**IN_CLUSTER, "labels": {"tier": "prod"}}, c=IN_CLUSTER))

    assert [one.name for one in registry.select({"tier": "prod"})] == ["a", "b"]
    assert [one.name for one in registry.select({"tier": "prod", "region": "x"})] == ["a"]
    assert [one.name for one in registry.select({})] == ["a", "b", "c"]


def test_a_document_that_holds_itself_is_refused():
    endless = {}
    endless["clusters"] = [endless]

    with pytest.raises(RegistryDocumentError, match="argument: no plain document: Circular reference"):
        load_registry(endless)


@pytest.mark.parametrize("kind", ["eks", "gke"])
def test_an_airflow_connection_that_nobody_knows_is_named_at_first_use(document, kind):
    options = {
        "eks": {"clusterName": "a", "region": "us-east-1"},
        "gke": {"projectId": "acme-prod", "location": "europe-west4", "clusterName": "a"},
    }[kind]
    cluster = load_registry(document(a={"auth": {kind: {**options, "credentials": {"connection": "aws_prod"}}}}))["a"]

    with pytest.raises(CredentialError, match="'aws_prod' is an Airflow connection; it can be resolved inside Airflow"):
        cluster.token()


def deep(levels):
    made = {}
    for _ in range(levels):
        made = {"a": made}
    return made


@pytest.mark.parametrize("levels", [50, 300, 900, 5000])
def test_a_deep_document_read_elsewhere_is_refused(document, levels):
    with pytest.raises(RegistryDocumentError, match="argument: n"):
        load_registry(document(a={**IN_CLUSTER, "labels": deep(levels)}))


@pytest.mark.parametrize("text", ["\ud800", float("nan")])
def test_a_value_that_json_cannot_say_is_refused(document, text):
    with pytest.raises(RegistryDocumentError, match="argument: no plain document"):
        load_registry(document(a={**IN_CLUSTER, "displayName": text}))


@pytest.mark.timeout(10)
def test_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(path)

    assert text_of(caught) == f"{path}: is a pipe, a socket or a device; name a file or a folder"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/dev/zero", "/dev/zero: is a pipe, a socket or a device; name a file or a folder"),
        ("~nosuchuser/x.yaml", "~nosuchuser/x.yaml: nobody of that name has a home folder"),
        ("/x/" + "y" * 5000, "/x/" + "y" * 5000 + ": cannot be read: File name too long"),
        ("/x\0y", "/x\\u0000y: no path looks like that"),
        ("", "'': names no file and no folder"),
        (" ", "'': names no file and no folder"),
    ],
    ids=["device", "no such user", "too long", "nul", "empty", "blank"],
)
def test_a_path_that_cannot_be_one_is_refused_with_words(path, message):
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(path)

    assert text_of(caught) == message


@pytest.mark.parametrize("source", [[1], 5, None])
def test_a_source_of_another_type_is_refused_with_words(source):
    with pytest.raises(RegistryDocumentError, match="a registry is a file, a folder or a document, not a"):
        load_registry(source)


def test_an_unknown_field_is_unknown_when_it_is_null_too(document):
    with pytest.raises(RegistryDocumentError, match="cordonned: unknown field; did you mean 'cordoned'"):
        load_registry(document(a={**IN_CLUSTER, "cordonned": None}))


def test_a_known_field_that_is_null_is_as_if_left_out(document):
    fields = dict.fromkeys(("displayName", "labels", "network", "pods", "nodePools", "identity", "cordoned"))

    assert load_registry(document(a={**IN_CLUSTER, **fields}))["a"].labels == {}


@pytest.mark.parametrize("key", ["\x1b[31mX", "\x07", "\x9b31m", "\u202ex", "a\nb"])
def test_no_message_holds_a_control_character_of_the_document(document, key):
    with pytest.raises(RegistryDocumentError, match="unknown field") as caught:
        load_registry(document(a={**IN_CLUSTER, key: 1}))

    assert text_of(caught).isprintable()


def test_a_key_that_stands_twice_is_repeated_neither_raw_nor_at_length():
    head = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\n"
    for key in ("\\e[31m", "k" * 300, "AKIAIOSFODNN7EXAMPLE"):
        with pytest.raises(RegistryDocumentError, match="stands twice in this mapping") as caught:
            load_registry(Source(label="x", text=f'{head}clusters: [{{"{key}": 1, "{key}": 2}}]'))
        assert text_of(caught).isprintable()
        assert len(text_of(caught)) < 120
        assert "AKIA" not in text_of(caught)


def test_a_very_long_key_is_shown_in_part(document):
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(document(a={**IN_CLUSTER, "k" * 300_000: 1}))

    assert len(text_of(caught)) < 500
