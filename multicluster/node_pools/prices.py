"""List prices of GPU machines, and how many GPUs they have: a small table, bundled and dated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, kw_only=True)
class Price:
    """What one node of a machine type costs on demand where it is known; extras (disks, traffic, EKS) come on top."""

    usd_per_hour: float
    date: str
    """When the list was read: a price is "about" from then on."""
    what: str


@dataclass(frozen=True, kw_only=True)
class Prices:
    """The tables: GPUs by kind and machine type, prices by kind, region and machine type."""

    gpus: Mapping[str, Mapping[str, int]]
    prices: Mapping[tuple[str, str, str], Price]

    def gpus_per_node(self, kind: str, machine_type: str) -> int | None:
        """Return the GPUs of one node; None for a machine type that is not in the table."""
        return self.gpus.get(kind, {}).get(machine_type)

    def price(self, kind: str, region: str, machine_type: str) -> Price | None:
        """Return the on-demand price of one node; None where none is known, and never that of another region."""
        return self.prices.get((kind, region, machine_type))


@cache
def bundled() -> Prices:
    """Return the tables of this release."""
    document = json.loads(resources.files("multicluster.node_pools").joinpath("prices.json").read_text("utf-8"))
    prices = {
        (table["kind"], table["region"], machine_type): Price(
            usd_per_hour=usd, date=table["date"], what=f"{table['what']}, {table['region']}"
        )
        for table in document["prices"]
        for machine_type, usd in table["usdPerNodeHour"].items()
    }
    return Prices(gpus=document["gpusPerNode"], prices=prices)
