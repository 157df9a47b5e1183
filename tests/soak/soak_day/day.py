"""Let a day pass over a fleet, ask every cluster again and again, and count what came of it."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import kubernetes.client
import kubernetes_asyncio.client

from multicluster.errors import CredentialError
from multicluster.simulator.faults import Fault, HttpError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multicluster import Cluster
    from soak_day.fleet import Fleet

SEED = 20261121
CLOUDS = "eks|sts|container|iamcredentials|oauth2|metadata"
"""Whoever gives out tokens and says where clusters are."""
SOON, LATE = (30.0, 600.0), (1800.0, 3600.0)
"""Virtual seconds between two rounds: within the life of a token, and beyond that of most."""
PROBABILITY = 0.01
"""That a call to a cloud is throttled."""
THROTTLED = HttpError(code=429, reason="Throttling", message="Rate exceeded")
REVOKED_EVERY, ROTATED_EVERY = 2 * 3600.0, 900.0
"""Virtual seconds between two moments when all tokens die before their time, and when a cluster gets a new CA."""
UNAUTHORIZED = 401


@dataclass(kw_only=True)
class Tally:
    """What a day came to."""

    hours: float = 0.0
    clusters: int = 0
    requests: int = 0
    signed: int = 0
    google_tokens: int = 0
    sessions: int = 0
    rotations: int = 0
    refused: int = 0
    throttles: int = 0
    calls: int = 0
    surfaced_401s: list[str] = field(default_factory=list)
    surfaced_throttles: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def repaired(self) -> int:
        """How many 401s of API servers no caller saw; two of them go into each error that says so."""
        return self.refused - 2 * sum("refused two tokens" in words for words in self.surfaced_401s)

    def __str__(self) -> str:
        return (
            f"{self.hours:.1f} virtual hours, {self.clusters} clusters: {self.requests} requests, "
            f"{self.signed} tokens signed for EKS, {self.google_tokens} from Google, {self.sessions} sessions, "
            f"{self.rotations} new CAs; {self.repaired} 401s repaired, {len(self.surfaced_401s)} surfaced; "
            f"{self.throttles} of {self.calls} calls to the clouds throttled, {len(self.surfaced_throttles)} surfaced; "
            f"{len(self.others)} other errors"
        )

    def blame(self, error: Exception) -> None:
        """Note an error that a caller saw."""
        words = f"{type(error).__name__}: {error}"
        status = getattr(error, "status", None)
        if status == UNAUTHORIZED or (isinstance(error, CredentialError) and "401" in words):
            self.surfaced_401s.append(words)
        elif "Rate exceeded" in words or "429" in words:
            self.surfaced_throttles.append(words)
        else:
            self.others.append(words)


class Day:
    """Rounds of requests, in turn by the synchronous and by the asynchronous client of each cluster."""

    def __init__(self, fleet: Fleet, *steps: tuple[float, float]) -> None:
        self._fleet = fleet
        self._steps = steps or (SOON, LATE)
        self._clusters: Sequence[Cluster] = list(fleet.registry.values())
        self._chance = random.Random(SEED)
        self._due = {"revoke": REVOKED_EVERY, "rotate": ROTATED_EVERY}
        self.tally = Tally(clusters=len(self._clusters))

    def run(self, hours: float) -> Tally:
        """Let so many virtual hours pass; blocks."""
        fleet = self._fleet
        fault = Fault(name="busy", effect=THROTTLED, service=CLOUDS, times=None, probability=PROBABILITY)
        fleet.world.faults.add(fault)
        asyncio.run(self._pass(hours * 3600.0))
        aws, google = fleet.world.aws, fleet.world.google
        tally = self.tally
        tally.hours = hours
        tally.signed = sum(one.access.tokens.minted for one in self._clusters if one.kind == "eks")
        tally.google_tokens, tally.sessions = google.tokens.minted, aws.iam.minted_sessions
        tally.refused = len(aws.tokens.refused) + len(google.tokens.refused)
        tally.throttles = fleet.world.faults.struck(fault.name)
        tally.calls = sum(aws.gateway.calls.values()) + sum(google.calls.values())
        return tally

    async def _pass(self, seconds: float) -> None:
        async with AsyncExitStack() as stack:
            for one in self._clusters:
                await stack.enter_async_context(one.keeping_async_client())
            number, passed = 0, 0.0
            while passed < seconds:
                deeds = asyncio.to_thread(self._deeds, passed)
                asked = [self._ask(one, turn + number) for turn, one in enumerate(self._clusters)]
                await asyncio.gather(deeds, *asked)
                step = self._chance.uniform(*self._chance.choice(self._steps))
                await asyncio.to_thread(self._fleet.clock.advance, step)
                number, passed = number + 1, passed + step

    def _deeds(self, passed: float) -> None:
        """Do what is due while requests are under way: clusters get a new CA, tokens die before their time."""
        world = self._fleet.world
        while self._due["rotate"] <= passed:
            self._due["rotate"] += ROTATED_EVERY
            world.entrances[self._chance.choice(self._clusters).name].kubernetes.rotate_certificate()
            self.tally.rotations += 1
        if self._due["revoke"] <= passed:
            self._due["revoke"] += REVOKED_EVERY
            world.inject("tokens-expire")

    async def _ask(self, cluster: Cluster, turn: int) -> None:
        try:
            if turn % 2:
                await asyncio.to_thread(_ask_sync, cluster)
            else:
                client = await cluster.async_client()
                await kubernetes_asyncio.client.CoreV1Api(client).list_namespaced_pod("default")
        except Exception as error:  # noqa: BLE001 - the day goes on; whatever a caller sees is told
            self.tally.blame(error)
        self.tally.requests += 1


def _ask_sync(cluster: Cluster) -> None:
    kubernetes.client.CoreV1Api(cluster.client()).list_namespaced_pod("default")
