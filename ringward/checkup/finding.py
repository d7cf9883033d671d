"""One check: whether it is well, what was seen, and what to do when it is not."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Level(enum.IntEnum):
    """How it is, as the exit code says it too."""

    OK = 0
    WARN = 1  # it goes on as it is, and will not for ever
    FAIL = 2  # something does not work, or is in danger now


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok`: whether it is well. `grave`: whether, where it is not, something does not work now."""

    check: str
    ok: bool
    seen: str
    advice: str = ""
    grave: bool = True

    @property
    def level(self) -> Level:
        if self.ok:
            return Level.OK
        return Level.FAIL if self.grave else Level.WARN


def worst(findings: Iterable[Finding]) -> Level:
    """Of all of them; well where there are none."""
    return max((finding.level for finding in findings), default=Level.OK)
