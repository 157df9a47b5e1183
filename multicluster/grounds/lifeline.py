"""Let a testbed end with the process that started it, however that ends."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_WAIT_THEN_RUN = 'while read -r _; do :; done; exec "$@"'


class Lifeline:
    """A shell in a session of its own that runs a command once this process is gone; ``dismiss`` ends it instead."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        with log.open("ab") as sink:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _WAIT_THEN_RUN, "lifeline", *command],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """End the shell, the command not run. Twice is once."""
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
