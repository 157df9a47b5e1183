"""Kinds are found by name: built-in ones in a table, others by entry point, and no name is taken over."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from multicluster import MissingExtraError, RegistryDocumentError, load_registry
from multicluster.registry.kinds import BUILT_IN, Kinds


def kinds_with(*entry_points):
    return Kinds(installed=lambda: [EntryPoint(name, value, "multicluster.kinds") for name, value in entry_points])


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_kind_bears_the_name_of_its_key(name):
    assert Kinds()[name].name == name


@pytest.mark.usefixtures("toy_wheel")
def test_a_kind_of_another_wheel_is_found_by_its_entry_point(document):
    registry = load_registry(document(a={"auth": {"toy": {"server": "http://127.0.0.1:9"}}}))

    assert registry["a"].kind == "toy"
    assert registry["a"].document.auth.options.server == "http://127.0.0.1:9"


@pytest.mark.usefixtures("toy_wheel")
def test_a_kind_of_another_wheel_is_known_to_messages(document):
    with pytest.raises(RegistryDocumentError, match=r"did you mean .toy."):
        load_registry(document(a={"auth": {"toyy": {}}}))


@pytest.mark.usefixtures("toy_wheel")
def test_a_kind_without_node_pools_refuses_their_settings(document):
    with pytest.raises(
        RegistryDocumentError, match=r"nodePools\.toy: this kind of cluster has no settings for node pool"
    ):
        load_registry(document(a={"auth": {"toy": {}}, "nodePools": {"toy": {}}}))


def test_built_in_kinds_are_read_without_asking_for_entry_points(document):
    def installed():
        raise AssertionError("asked")

    registry = load_registry(document(a={"auth": {"inCluster": {}}}), kinds=Kinds(installed=installed))

    assert registry["a"].kind == "inCluster"


def test_the_name_of_a_built_in_kind_cannot_be_taken():
    with pytest.raises(RegistryDocumentError) as caught:
        list(kinds_with(("eks", "evil:KIND")))

    assert str(caught.value) == (
        "the kind 'eks' of an unknown distribution (evil:KIND) takes the name of a built-in kind; uninstall or fix it"
    )


def test_two_wheels_cannot_bring_one_name():
    with pytest.raises(RegistryDocumentError, match="is also brought by the kind 'aks' of an unknown"):
        list(kinds_with(("aks", "one:KIND"), ("aks", "two:KIND")))


def test_an_entry_point_that_cannot_be_loaded_is_named(document):
    with pytest.raises(
        RegistryDocumentError, match=r"the kind 'aks' of .* \(nowhere:KIND\) cannot be loaded: No module"
    ):
        load_registry(document(a={"auth": {"aks": {}}}), kinds=kinds_with(("aks", "nowhere:KIND")))


@pytest.mark.usefixtures("toy_wheel")
def test_an_entry_point_must_lead_to_a_kind_of_its_name():
    with pytest.raises(RegistryDocumentError, match="is no KindDefinition named 'aks'"):
        kinds_with(("aks", "toy_kind:KIND"))["aks"]


@pytest.mark.usefixtures("toy_wheel")
def test_a_missing_sdk_is_answered_with_the_pip_line(document, monkeypatch):
    import toy_kind

    monkeypatch.setitem(__import__("sys").modules, "toy_kind.access", None)
    cluster = load_registry(document(a={"auth": {"toy": {}}}))["a"]

    with pytest.raises(MissingExtraError) as caught:
        cluster.access  # noqa: B018

    assert toy_kind.KIND.extra == "toy"
    assert str(caught.value) == (
        "cluster 'a' is of kind toy, which needs toy_kind.access, which is not installed: "
        "pip install 'airflow-multicluster[toy]'"
    )
