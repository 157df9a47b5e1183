"""Look at node pools again and again."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from multicluster.cli.output import say
from multicluster.errors import MulticlusterError

EVERY_SECONDS, A_DAY = 10, 86400
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
pause = time.sleep


def seconds(text: str) -> int:
    """Read the pause between two looks; argparse tells what is wrong."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= A_DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds, from 1 to {A_DAY}")
    return int(text)


def watch(look: Callable[[], Callable[[], None]], *, every: int, dated: bool) -> int:
    """Call *look* and then what it returns, which prints, until Ctrl-C; return 0.

    A terminal is cleared before each printing, not before the look, so that it never stands empty. Elsewhere what is
    printed is appended, after the time when it is *dated*. A look that fails is told, and the next one comes.
    """
    try:
        while True:
            try:
                show = look()
            except MulticlusterError as error:
                show = _telling(error)
            _begin(every, dated=dated)
            show()
            sys.stdout.flush()
            pause(every)
    except KeyboardInterrupt:
        return 0


def _telling(error: MulticlusterError) -> Callable[[], None]:
    return lambda: say(f"multicluster: {error}")


def _begin(every: int, *, dated: bool) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    if sys.stdout.isatty():
        print(f"{CLEAR}{now}, every {every} s; Ctrl-C ends")
    elif dated:
        print(f"# {now}")
