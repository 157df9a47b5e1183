"""What a person should know about a place in a DAG file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What stands there, why it is named, and what to do.

    ``by_hand``: it was left as it is. Otherwise it was rewritten, or never had to be, and wants a look.
    """

    file: str
    line: int
    what: str
    why: str
    do: str
    by_hand: bool = True

    def __str__(self) -> str:
        """Return one line for a terminal."""
        word = "by hand" if self.by_hand else "look"
        return f"{self.file}:{self.line}: {word}: {self.what}: {self.why}; {self.do}"


class UntranslatableError(Exception):
    """Something of the file must stay as it is; caught where the finding is made, never seen outside."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why = why
        self.do = do
