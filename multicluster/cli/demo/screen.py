"""Show the timeline: a live one on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from multicluster.cli.demo.timeline import ASCII_MARKS, MARKS, STYLES, Line

if TYPE_CHECKING:
    from rich.text import Text

LANE = 8


class Screen(Protocol):
    """Where lines go, between ``with`` and its end."""

    def show(self, line: Line) -> None:
        """Add a line."""
        ...

    def doing(self, text: str) -> None:
        """Say what goes on now."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def screen(out: TextIO, *, plain: bool = False) -> Screen:
    """Return the live screen for a terminal that can move its cursor, else the plain one. Colours obey NO_COLOR."""
    if plain or not out.isatty():
        return PlainScreen(out)
    from rich.console import Console

    console = Console(file=out, highlight=False)
    return PlainScreen(out) if console.is_dumb_terminal else LiveScreen(out)


def marks_for(out: TextIO) -> dict[str, str]:
    """Return marks that *out* can write."""
    try:
        "".join(MARKS.values()).encode(out.encoding or "ascii")
    except UnicodeEncodeError:
        return ASCII_MARKS
    return MARKS


class PlainScreen:
    """One line after the other, whole, without colours."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._marks = marks_for(out)

    def show(self, line: Line) -> None:
        """Write a line."""
        text = f"{line.at:6.1f}s  {line.lane:<{LANE}}  {self._marks[line.mark]} {line.text}".rstrip()
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._out.flush()

    def doing(self, text: str) -> None:
        """Say nothing: what was written cannot be rewritten."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.flush()


class LiveScreen:
    """Lines above, and below them one that moves and says what goes on. A line too long for the terminal is cut."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self.console = Console(file=out, highlight=False)
        self._marks = marks_for(out)
        ascii_only = self._marks is ASCII_MARKS
        self._spinner = Spinner("line" if ascii_only else "dots", style="cyan")
        self._live = Live(self._spinner, console=self.console, transient=True, refresh_per_second=12.5)

    def show(self, line: Line) -> None:
        """Put a line above the moving one."""
        self.console.print(self._styled(line), no_wrap=True, overflow="ellipsis", crop=True)

    def doing(self, text: str) -> None:
        """Rewrite the moving line."""
        from rich.text import Text

        self._spinner.update(text=Text(f" {text}", style="dim", no_wrap=True, overflow="ellipsis"))

    def _styled(self, line: Line) -> Text:
        from rich.text import Text

        style = STYLES[line.mark]
        return Text.assemble(
            (f"{line.at:6.1f}s  ", "dim"),
            (f"{line.lane:<{LANE}}  ", "blue"),
            (f"{self._marks[line.mark]} ", style),
            (line.text, style),
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)
        sys.stdout.flush()
