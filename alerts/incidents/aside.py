"""Putting an incident aside: for how long at most, and what brings it back. Pure: the caller brings the time.

An operator who waits for something looks at what comes next meanwhile. Nothing is suspended by that: what
runs out runs out, and the ladder is climbed as if it stood in front. The critical is never put aside.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.incidents.lifecycle import State

LONGEST: Final[Mapping[int, dt.timedelta]] = {
    2: dt.timedelta(minutes=5),
    3: dt.timedelta(minutes=30),
    4: dt.timedelta(hours=4),
}
"""By severity; a severity that is not here is never put aside."""


class AsideReason(enum.StrEnum):
    """What is waited for."""

    ANSWER_AWAITED = "answer_awaited"
    SOMEBODY_LOOKS = "somebody_looks"
    GRAVER_FIRST = "graver_first"
    WORKS_GO_ON = "works_go_on"


class Back(enum.StrEnum):
    """Why it stands in front again."""

    TIME_OVER = "back_time_over"
    GRAVER = "back_graver"
    NEW_EVIDENCE = "back_new_evidence"
    TAKEN_BACK = "back_taken"


@dataclass(frozen=True, slots=True)
class Aside:
    """What was put aside, as it was then."""

    until: dt.datetime
    severity: int
    signal_count: int


def refusal(
    state: State, severity: int, reason: AsideReason | None, lasts: dt.timedelta, *, held: bool = False
) -> str | None:
    """Why an incident is not put aside, as a code; None where it is.

    Codes: `aside_not_open`, `aside_never`, `aside_reason_required`, `aside_too_long`.
    """
    if held or not state.grows:
        return "aside_not_open"
    longest = LONGEST.get(severity)
    if longest is None:
        return "aside_never"
    if reason is None:
        return "aside_reason_required"
    return None if dt.timedelta() < lasts <= longest else "aside_too_long"


def back(aside: Aside, severity: int, signal_count: int, now: dt.datetime) -> Back | None:
    """Why it comes back at `now`; None while it stays aside. What is graver is said before anything else."""
    if severity < aside.severity:
        return Back.GRAVER
    if signal_count > aside.signal_count:
        return Back.NEW_EVIDENCE
    return Back.TIME_OVER if now >= aside.until else None


def choices(severity: int) -> tuple[int, ...]:
    """How many minutes are offered, the longest last; empty where nothing may be put aside."""
    longest = LONGEST.get(severity)
    if longest is None:
        return ()
    most = int(longest.total_seconds() // 60)
    return tuple(n for n in (2, 5, 10, 30, 60, 120, 240) if n <= most)
