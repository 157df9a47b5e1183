"""What the launcher tells a person when it cannot go on."""

from __future__ import annotations


class LauncherError(Exception):
    """Say what went wrong and what to do next, in one or more lines; the command ends with 1."""


class MisuseError(LauncherError):
    """Say which words do not go together; nothing was done, and the command ends with 2."""
