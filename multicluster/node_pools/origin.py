"""What a node pool was asked for: the deployment, DAG, run, bracket and map index behind its owner's digest."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from multicluster.node_pools import naming

PREFIX = "multicluster-origin-"
PIECE = 63
"""Characters of a Google label's value."""
PIECES = 8
"""How many labels an origin may take: 315 bytes of names. A longer one is left out."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Whose work a pool is for. The owner's digest follows from it, so that nobody can claim another's."""

    deployment: str
    dag_id: str
    run_id: str
    group_id: str
    map_index: int = -1

    @property
    def owner(self) -> str:
        """The digest; see naming.owner."""
        return naming.owner(
            deployment=self.deployment,
            dag_id=self.dag_id,
            run_id=self.run_id,
            group_id=self.group_id,
            map_index=self.map_index,
        )

    def to_labels(self) -> dict[str, str]:
        """Encode in what Google allows in labels (``[a-z0-9_-]``, 63 characters each); empty when it is too long."""
        raw = json.dumps(astuple(self), separators=(",", ":"), ensure_ascii=False).encode()
        text = base64.b32encode(raw).decode().rstrip("=").lower()
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        return {f"{PREFIX}{number}": piece for number, piece in enumerate(pieces)} if len(pieces) <= PIECES else {}

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Origin | None:
        """Read an origin back; None where there is none, or none that can be read."""
        text = "".join(labels.get(f"{PREFIX}{number}", "") for number in range(PIECES)).upper()
        try:
            deployment, dag_id, run_id, group_id, map_index = json.loads(
                base64.b32decode(text + "=" * (-len(text) % 8))
            )
        except (ValueError, TypeError):
            return None
        names = (deployment, dag_id, run_id, group_id)
        if not all(isinstance(name, str) for name in names) or not isinstance(map_index, int):
            return None
        return cls(deployment=deployment, dag_id=dag_id, run_id=run_id, group_id=group_id, map_index=map_index)
