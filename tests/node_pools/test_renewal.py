"""When a lease is renewed, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from multicluster.node_pools.lease import GRACE, LATE, Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.renewal import lost, renewed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = Lease(owner="0" * 20, expires_at=NOW + HOUR, ends_at=NOW + 10 * HOUR, term=HOUR)


@pytest.mark.parametrize(("minutes", "due"), [(0, 0), (29, 0), (30, 1), (59, 1), (64, 1), (66, 0)])
def test_a_lease_is_renewed_when_less_than_half_is_left_until_shortly_after_it_expired(minutes: int, due: int) -> None:
    assert (renewed(LEASE, NOW + timedelta(minutes=minutes)) is not None) == due


def test_a_renewal_lasts_a_term_from_now() -> None:
    later = NOW + timedelta(minutes=40)

    assert renewed(LEASE, later) == replace(LEASE, expires_at=later + HOUR)


def test_no_renewal_goes_beyond_the_end() -> None:
    lease = replace(LEASE, ends_at=NOW + timedelta(minutes=70))
    last = renewed(lease, NOW + timedelta(minutes=40))

    assert last == replace(lease, expires_at=NOW + timedelta(minutes=70))
    assert renewed(last, NOW + timedelta(minutes=69)) is None


def test_a_lease_without_term_or_end_is_not_renewed() -> None:
    late = NOW + timedelta(minutes=59)

    assert [renewed(replace(LEASE, **{one: None}), late) for one in ("term", "ends_at")] == [None, None]


def test_nobody_renews_what_may_already_be_reaped() -> None:
    assert LATE * 2 < GRACE
    assert not lost(LEASE, LEASE.expires_at + LATE)
    assert lost(LEASE, LEASE.expires_at + LATE + timedelta(seconds=1))


@pytest.mark.parametrize("run_id", ["r", "manual__2026-11-21T10:00:00+00:00", "Ünï cødé/№" * 8])
def test_a_lease_travels_through_labels_with_its_origin(run_id: str) -> None:
    origin = Origin(deployment="https://airflow.acme", dag_id="train", run_id=run_id, group_id="a.b", map_index=3)
    lease = replace(LEASE, owner=origin.owner, origin=origin)

    assert Lease.from_labels(lease.to_labels()) == lease
    assert all(len(text) <= 63 for text in lease.to_labels().values())


def test_an_origin_that_does_not_make_the_owner_is_not_believed() -> None:
    origin = Origin(deployment="d", dag_id="theirs", run_id="r", group_id="g")
    read = Lease.from_labels({**LEASE.to_labels(), **origin.to_labels()})

    assert read == LEASE


def test_names_that_no_labels_hold_are_left_out() -> None:
    origin = Origin(deployment="d", dag_id="x" * 400, run_id="r", group_id="g")

    assert origin.to_labels() == {}
    assert Lease.from_labels(replace(LEASE, owner=origin.owner, origin=origin).to_labels()) == replace(
        LEASE, owner=origin.owner
    )
