"""A run of kills can be repeated."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.endings


def test_the_same_seed_chooses_the_same_kinds_in_the_same_order_with_the_same_pauses():
    from kills_stage.killer import Killer

    one, other, third = (Killer(None, seed) for seed in (7, 7, 8))

    assert (one.kinds, one.pauses) == (other.kinds, other.pauses)
    assert (one.kinds, one.pauses) != (third.kinds, third.pauses)
