"""The expressions of selectors: a key, an operator, values."""

from __future__ import annotations

from collections.abc import Mapping

from multicluster.simulator.kubernetes.documents import Document


def matches(expression: Document, labels: Mapping[str, str]) -> bool:
    """Whether labels meet an expression. Raises ValueError for an operator that is none."""
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and int(value) > int(values[0])
        case "Lt":
            return value is not None and int(value) < int(values[0])
    raise ValueError(f"unknown operator {expression['operator']!r} in node affinity")
