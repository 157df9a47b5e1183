"""What goes wrong in a group's life, and how each cloud words it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from multicluster.simulator.fleet import Instance, NodeGroup, Problem


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that goes wrong in a step: a code of the cloud and its sentence."""

    code: str
    message: str


class Wording(Protocol):
    """How one cloud names its machines and words a launch that failed."""

    def name_instance(self, group: NodeGroup) -> tuple[str, str, str]:
        """Return the id, the node's name and the address of a new instance."""

    def provider_id(self, group: NodeGroup, instance: Instance) -> str:
        """Return how a node names the machine it is."""

    def launch_failed(self, group: NodeGroup, incident: Incident) -> tuple[str, Problem]:
        """Return the message of the failed activity, and the problem the group gets when no launch succeeds in time."""
