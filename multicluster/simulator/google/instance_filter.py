"""Understand the part of Compute's filter language that picks instances: names and labels, joined by AND."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError

if TYPE_CHECKING:
    from collections.abc import Mapping

TERM = re.compile(r'\(?\s*(name|labels\.[a-z0-9_-]+)\s*(?::|=|eq)\s*"?([^"*\s()]+)(\*?)"?\s*\)?')


def passes(instance: Mapping[str, Any], asked: str) -> bool:
    """Tell whether an instance passes a filter; raises GoogleError for what is not understood."""
    return all(holds(instance, term) for term in re.split(r"\s+AND\s+|(?<=\))\s*(?=\()", asked.strip()) if term)


def holds(instance: Mapping[str, Any], term: str) -> bool:
    """Tell whether one comparison holds; a ``*`` at the end of a name stands for anything."""
    found = TERM.fullmatch(term)
    if found is None or (found[3] and found[1] != "name"):
        raise GoogleError(400, f"Invalid value for field 'filter': '{term}'; only names and labels are simulated.")
    field, wanted, prefix = found.groups()
    actual = instance["name"] if field == "name" else instance["labels"].get(field.removeprefix("labels."))
    return actual == wanted or bool(prefix and str(actual).startswith(wanted))
