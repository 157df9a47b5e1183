"""Carry one authenticated request to the service it is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.aws.identities import Principal


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who calls what where.

    ``path`` holds the decoded parts of the URL's path; ``body`` the JSON, or the form of a query API.
    """

    service: str
    region: str
    caller: Principal
    method: str = "POST"
    path: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
