"""Watches: what they begin with, what they send, how they end."""

from __future__ import annotations

import threading
import urllib.parse

import pytest

from .grounds.wire import lines
from .test_create import idle, maps, pods

SECONDS = 1


@pytest.fixture
def watch(ground, namespace):
    """Watch the maps with label `w` for a second while something is done; return the events."""

    def begin(act=lambda: None, path="configmaps", headers=None, **query):
        asked = {"watch": "true", "timeoutSeconds": SECONDS, "labelSelector": "w", **query}
        address = f"/api/v1/namespaces/{namespace}/{path}?{urllib.parse.urlencode(asked)}"
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ground.raw("GET", address, headers=headers or {})))
        thread.start()
        act()
        thread.join(20)
        status, _, text = answers[0]
        return status, lines(text)

    return begin


@pytest.fixture
def version(ground, namespace):
    """The version of a list: a watch from it misses nothing."""
    return lambda: ground.raw("GET", maps(namespace))[2]["metadata"]["resourceVersion"]


def document(name, w="1"):
    return {"metadata": {"name": name, "labels": {"w": w}}}


def brief(events):
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def test_a_watch_from_a_version_sends_what_happened_since(ground, namespace, watch, version, record):
    start = version()
    ground.raw("POST", maps(namespace), document("a"))
    ground.raw("PUT", f"{maps(namespace)}/a", {**document("a"), "data": {"k": "v"}})
    ground.raw("DELETE", f"{maps(namespace)}/a")

    status, events = watch(resourceVersion=start)

    record("events", events)
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert (status, brief(events)) == (200, [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")])
    assert versions == sorted(set(versions))


def test_a_watch_sends_what_happens_while_it_lasts(ground, namespace, watch, version):
    events = watch(lambda: ground.raw("POST", maps(namespace), document("a")), resourceVersion=version())[1]

    assert brief(events) == [("ADDED", "a")]


@pytest.mark.parametrize("start", ["", "0"])
def test_a_watch_from_nowhere_begins_with_what_is_there(ground, namespace, watch, start):
    ground.raw("POST", maps(namespace), document("a"))
    ground.raw("POST", maps(namespace), document("b"))

    events = watch(resourceVersion=start)[1]

    assert sorted(brief(events)) == [("ADDED", "a"), ("ADDED", "b")]


def test_an_object_comes_and_goes_with_the_selection(ground, namespace, watch, version, record):
    start = version()
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}})
    ground.raw("PUT", f"{maps(namespace)}/a", document("a"))
    ground.raw("PUT", f"{maps(namespace)}/a", {"metadata": {"name": "a"}, "data": {"gone": "x"}})

    events = watch(resourceVersion=start)[1]

    record("events", events)
    assert brief(events) == [("ADDED", "a"), ("DELETED", "a")]


def test_a_watch_of_one_name_sends_this_one(ground, namespace, watch, version):
    start = version()
    ground.raw("POST", maps(namespace), document("a"))
    ground.raw("POST", maps(namespace), document("b"))

    assert brief(watch(resourceVersion=start, fieldSelector="metadata.name=b")[1]) == [("ADDED", "b")]


def test_a_watch_of_a_version_long_gone_ends_with_expired(watch, record):
    status, events = watch(resourceVersion="1")

    record("event", [status, events[0]["type"], {k: v for k, v in events[0]["object"].items() if k != "message"}])
    assert (events[0]["type"], events[0]["object"]["code"], events[0]["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert events[0]["object"]["message"].startswith("too old resource version: 1 (")


def test_initial_events_end_with_a_bookmark(ground, namespace, watch, record):
    ground.raw("POST", maps(namespace), document("a"))

    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    events = watch(**query)[1]

    record("events", events[:2])
    assert brief(events)[:2] == [("ADDED", "a"), ("BOOKMARK", "")]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"sendInitialEvents": "true"}, 422),
        ({"sendInitialEvents": "true", "resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "NotOlderThan"}, 422),
        ({"timeoutSeconds": "soon"}, 400),
        ({"labelSelector": "=x"}, 400),
        ({"fieldSelector": "data.k=v"}, 400),
        ({"limit": "x"}, 400),
    ],
)
def test_a_watch_that_makes_no_sense_is_refused(watch, record, query, code):
    status, answer = watch(**query)

    record("answer", [status, answer])
    assert status == code


def test_a_bookmark_comes_before_the_end(watch, version, record):
    events = watch(resourceVersion=version(), allowWatchBookmarks="true", timeoutSeconds=3)[1]

    assert {event["type"] for event in events} <= {"BOOKMARK"}


def test_a_watch_of_one_object_by_its_address_sends_this_one(ground, namespace, watch):
    ground.raw("POST", maps(namespace), document("a"))
    ground.raw("POST", maps(namespace), document("b"))

    assert brief(watch(path="configmaps", fieldSelector="metadata.name=a")[1]) == [("ADDED", "a")]


def test_a_watch_of_all_namespaces_sends_those_of_this(ground, namespace, version):
    start = version()
    ground.raw("POST", pods(namespace), {**idle("p"), "metadata": {"name": "p", "labels": {"only": namespace}}})

    address = f"/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion={start}&labelSelector=only%3D{namespace}"
    assert ("ADDED", "p") in brief(lines(ground.raw("GET", address)[2]))


def test_a_watch_can_be_had_as_tables(ground, namespace, watch, version, record):
    start = version()
    ground.raw("POST", maps(namespace), document("a"))

    events = watch(resourceVersion=start, headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})[1]

    record("events", [_ageless(event) for event in events])
    assert (events[0]["type"], events[0]["object"]["kind"]) == ("ADDED", "Table")


def _ageless(event):
    for row in event["object"]["rows"]:
        row["cells"][-1] = "<age>"
    del event["object"]["columnDefinitions"]
    return event
