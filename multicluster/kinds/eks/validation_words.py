"""Say what pydantic found wrong without quoting what it was given."""

from __future__ import annotations

from pydantic import ValidationError


def without_input(error: ValidationError) -> str:
    """Return each finding with its place; a value may be a secret, such as an external id."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in found)
