"""What is played in a drill: invented incidents with their rings and seconds. Pure.

Each looks as the rule would have raised it, so that it takes the way of a real one: its timers, its
plan, its route, its teams. It stands on no event and names nobody.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Played:
    """One invented incident. What bears the same `thing` is one incident that becomes graver."""

    thing: str
    rule: str
    kind: str
    ring: str
    severity: int
    offset_s: float
    reason: str
    reason_args: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Incidents in order of time, and how long the drill may last."""

    id: str
    played: tuple[Played, ...]
    limit: dt.timedelta = dt.timedelta(minutes=30)


LONGEST: Final = dt.timedelta(hours=4)
"""A drill that nobody ends has ended by then at the latest."""

SCENARIOS: Final[Mapping[str, Scenario]] = {
    one.id: one
    for one in (
        Scenario(
            "fire",
            (
                Played("fire", "R-C09", "fire.suspected", "building", 2, 0, "smoke_alarm", {"night": False}),
                Played(
                    "fire",
                    "R-C09",
                    "fire.suspected",
                    "building",
                    1,
                    45,
                    "fire_seen_and_smoke",
                    {"night": False, "window_s": 120},
                ),
            ),
            dt.timedelta(minutes=45),
        ),
        Scenario(
            "sos",
            (
                Played(
                    "sos",
                    "R-C08",
                    "person.needs_help",
                    "common",
                    1,
                    0,
                    "sos",
                    {"night": False, "cared_for": False},
                ),
            ),
        ),
        Scenario(
            "forced_door",
            (
                Played(
                    "door",
                    "R-B05",
                    "door.forced",
                    "building",
                    2,
                    0,
                    "door_forced",
                    {"night": False, "window_s": 10},
                ),
            ),
        ),
        Scenario(
            "missing_elder",
            (
                Played(
                    "elder",
                    "intake",
                    "reported.lost_person",
                    "building",
                    2,
                    0,
                    "reported",
                    {"what": "lost_person"},
                ),
            ),
            dt.timedelta(hours=2),
        ),
        Scenario(
            "intrusion",
            (
                Played(
                    "gate",
                    "R-E01",
                    "person.unknown_passed",
                    "entrance",
                    3,
                    0,
                    "unknown_passed",
                    {"night": True, "window_s": 10},
                ),
                Played(
                    "shed",
                    "R-C01",
                    "person.loitering",
                    "common",
                    3,
                    180,
                    "loitering",
                    {"night": True, "dwell_s": 360},
                ),
                Played(
                    "door",
                    "R-B05",
                    "door.forced",
                    "building",
                    1,
                    540,
                    "door_forced",
                    {"night": True, "window_s": 10},
                ),
            ),
            dt.timedelta(hours=1),
        ),
    )
}
"""By their codes."""
