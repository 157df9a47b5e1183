"""What is to happen in a play, told where its ending is asserted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from endings_stage.play import Play

MODES = ("sync", "deferrable")
Deed = Callable[["Play"], None]


@dataclass(frozen=True, kw_only=True)
class Script:
    """One task in a DAG of its own, which runs once; its pod works until it is released.

    `before` is done before the run starts, `deed` once it has; without a deed the test itself acts, and ends it.
    """

    name: str
    before: Deed | None = None
    deed: Deed | None = None
    cluster: str = "here"
    own: bool = False
    """Whether it has an EKS cluster of its own instead, named like its DAG."""
    then: str = "true"
    """What the pod does when it was released, as a shell has it."""
    line: bool = False
    """Whether the cluster is reached by a line that can be cut and slowed."""
    late: bool = False
    """Whether the run starts only when its test does, because tests before it would end it."""
    operator: str = "ours"
    swept: bool = False
    """Whether nobody but the reaper ends its pod."""
    nodes: int = 0
    """How many nodes of its own the pod has to choose from; 0: it takes one that all share."""
    patience: float = 240.0
    """Seconds from the deed's end to the run's."""
    options: dict[str, Any] = field(default_factory=dict)
    """Parameters of the operator, times in seconds; ``dagrun_timeout`` is the DAG's."""


def ending_of(*scripts: Script, modes: Sequence[object] = MODES) -> Callable[[Any], Any]:
    """Let a test look at how plays ended, in each mode; it takes ``ended``, or ``play`` to act itself."""

    def decorate(test: Any) -> Any:
        return pytest.mark.scripts(*scripts)(pytest.mark.parametrize("mode", modes)(test))

    return decorate
