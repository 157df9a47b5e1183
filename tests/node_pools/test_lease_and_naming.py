from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from multicluster.node_pools import naming
from multicluster.node_pools.lease import EXPIRES, MANAGED_BY, MANAGER, OWNER, TERM, Lease

LEASE = Lease(owner="a1b2", expires_at=datetime(2026, 11, 21, 12, tzinfo=UTC))
ASKED = {"deployment": "prod", "dag_id": "train", "run_id": "manual__2026", "group_id": "gpu", "map_index": 0}


def test_a_lease_survives_its_labels() -> None:
    assert Lease.from_labels(LEASE.to_labels()) == LEASE


def test_a_lease_is_written_in_what_both_clouds_allow() -> None:
    labels = LEASE.to_labels()

    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) for key in labels)
    assert all(re.fullmatch(r"[a-z0-9_-]{0,63}", value) for value in labels.values())


def test_a_lease_of_another_time_zone_is_the_same_moment() -> None:
    there = timezone(timedelta(hours=9))
    lease = Lease(owner="a1b2", expires_at=LEASE.expires_at.astimezone(there))

    assert lease.to_labels() == LEASE.to_labels()


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {MANAGED_BY: "terraform", OWNER: "a", EXPIRES: "1"},
        {MANAGED_BY: MANAGER, EXPIRES: "1"},
        {MANAGED_BY: MANAGER, OWNER: "a"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "soon"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "9" * 30},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "1" + "0" * 17},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "253402300799"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "-99999999999"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "-62135596800"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "1", TERM: "99999999999"},
        {MANAGED_BY: MANAGER, OWNER: "a", EXPIRES: "1", TERM: "-5"},
    ],
)
def test_labels_that_are_no_lease_are_none(labels: dict[str, str]) -> None:
    assert Lease.from_labels(labels) is None


def test_an_owner_differs_with_everything_that_makes_it() -> None:
    owners = {naming.owner(**ASKED)} | {
        naming.owner(**{**ASKED, key: 7 if key == "map_index" else "other"}) for key in ASKED
    }

    assert len(owners) == len(ASKED) + 1
    assert naming.owner(**ASKED) == naming.owner(**ASKED)


@pytest.mark.parametrize("hint", ["", "train", "Train.GPU / fit", "-x-", "ü" * 9, "x" * 200, "9lives"])
def test_a_pool_name_is_good_for_both_clouds(hint: str) -> None:
    name = naming.pool_name(naming.owner(**ASKED), hint=hint)

    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", name)
    assert name.endswith(naming.owner(**ASKED))


def test_a_request_token_follows_from_owner_and_name() -> None:
    assert naming.request_token("a", "n") == naming.request_token("a", "n")
    assert len({naming.request_token(*pair) for pair in (("a", "n"), ("b", "n"), ("a", "m"))}) == 3
    assert len(naming.request_token("a", "n")) == 64
