"""`ringward …` on a machine whose clock is set while it runs: `python -m tests.chaos.jumping FILE …`.

The file holds by how many seconds the clock is wrong. What a real clock set by somebody's hand
does to it, this does too: times jump, intervals do not.
"""

import datetime as dt
import sys
from pathlib import Path

import ringward.foundation
from ringward.__main__ import main as command
from storage import SystemClock


class JumpingClock(SystemClock):
    """A `storage.Clock` that is wrong by what the file says now."""

    def __init__(self, offset: Path) -> None:
        self._offset = offset

    def now(self) -> dt.datetime:
        try:
            return super().now() + dt.timedelta(seconds=float(self._offset.read_text()))
        except FileNotFoundError:
            return super().now()


def main() -> None:
    offset = Path(sys.argv.pop(1))
    ringward.foundation.SystemClock = lambda: JumpingClock(offset)  # type: ignore[assignment,misc]
    command()


if __name__ == "__main__":
    main()
