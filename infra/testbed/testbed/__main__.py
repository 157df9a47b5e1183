"""``python -m testbed``."""

from __future__ import annotations

import sys

from testbed import preflight


def main() -> int:
    """Run the commands, or say what is missing where not even they can be loaded."""
    if preflight.of_python():
        sys.stderr.write(
            "\n".join(["this machine cannot run a testbed yet:", *preflight.report(preflight.missing()), ""])
        )
        return 1
    from testbed import cli

    return cli.main()


sys.exit(main())
