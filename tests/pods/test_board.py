"""What is made of lists, changes and answers that overtake each other."""

from __future__ import annotations

import asyncio
import json

import pytest

from multicluster.pods.board import Board
from multicluster.pods.source import Change

LABELS = {"made": "by-us"}


def pod(version, phase="Running", labels=LABELS):
    return {
        "metadata": {"name": "fit", "resourceVersion": str(version), "labels": labels, "managedFields": ["much"]},
        "status": {"phase": phase},
    }


def change(kind, *document):
    return Change(kind=kind, document=pod(*document))


@pytest.fixture
def board():
    return Board(LABELS)


@pytest.fixture
def entry(board):
    return board.enter("fit")


def compare(board, *documents, version, alone=False):
    board.compare(board.wanted(documents), str(version), alone=alone)


def test_an_older_change_does_not_undo_a_newer_answer(board, entry):
    board.answer(entry, pod(20, "Succeeded"))
    board.change(change("MODIFIED", 15, "Running"))

    assert entry.seen.phase == "Succeeded"


def test_an_older_answer_does_not_undo_a_newer_change(board, entry):
    board.change(change("MODIFIED", 20, "Succeeded"))
    board.answer(entry, pod(15, "Running"))

    assert entry.seen.phase == "Succeeded"


def test_a_list_beside_the_watch_does_not_undo_a_newer_change(board, entry):
    board.change(change("MODIFIED", 20, "Succeeded"))
    compare(board, pod(15), version=17)

    assert entry.seen.phase == "Succeeded"


def test_a_pod_newer_than_the_list_that_lacks_it_is_not_doubted(board, entry):
    board.change(change("ADDED", 20))
    compare(board, version=17)

    assert entry.seen.version == 20


def test_a_pod_older_than_the_list_that_lacks_it_is_doubted(board, entry):
    board.change(change("ADDED", 15))
    compare(board, version=17)

    assert not entry.settled


def test_a_pod_without_the_labels_is_not_doubted_because_no_list_shows_it(board, entry):
    board.answer(entry, pod(15, labels={}))
    compare(board, version=17, alone=True)

    assert entry.apart
    assert entry.settled


def test_a_list_answers_for_pods_that_were_not_known(board, entry):
    before = board.unlisted
    compare(board, version=17)

    assert (before, board.unlisted, entry.settled) == (1, 0, False)


def test_the_same_state_again_is_no_news(board, entry):
    board.change(Change(kind="MODIFIED", document={"kind": "Pod", "apiVersion": "v1", **pod(20)}))
    turn = entry.turn
    compare(board, pod(20), version=30, alone=True)  # whose items have no kind, as on a real server

    assert entry.turn == turn


def test_a_pod_made_anew_under_its_name_is_seen(board, entry):
    board.answer(entry, None)
    board.change(change("ADDED", 20))

    assert (entry.gone, entry.seen.version) == (False, 20)


def test_managed_fields_are_not_kept_and_the_spec_by_itself(board, entry):
    board.answer(entry, {**pod(20), "spec": {"containers": []}})

    assert json.loads(entry.seen.text) == {
        "metadata": {"name": "fit", "resourceVersion": "20", "labels": LABELS},
        "status": {"phase": "Running"},
    }
    assert json.loads(entry.seen.spec) == {"containers": []}


def test_a_pod_is_kept_until_its_last_reader_leaves(board, entry):
    again = board.enter("fit")
    board.leave(entry)
    kept = len(board)
    board.leave(again)

    assert (again is entry, kept, len(board)) == (True, 1, 0)


def test_news_wakes_all_who_wait(board, entry):
    async def main():
        waiting = [asyncio.create_task(entry.wait(60)) for _ in range(3)]
        await asyncio.sleep(0)
        board.change(change("MODIFIED", 20))
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        return len(entry._wakers)

    assert asyncio.run(main()) == 0
