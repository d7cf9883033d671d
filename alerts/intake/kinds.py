"""What people report, how grave that is, and what makes two reports one thing. Pure.

The severities follow the compound's incident procedure (domain §4.3): critical where somebody may die
within minutes, urgent where somebody is in danger or cannot get out, a warning where somebody should look
today, a notice where it is a matter between neighbours or for the repairers.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RULE: Final = "intake"
"""What stands where an incident of a sensor has its rule."""

VIOLENCE: Final = "reported.violence"
"""The kind of whatever was reported with violence or a weapon: never a volunteer's, never a mediator's."""

WORDS_MAX: Final = 1000
"""The most characters of a report's own words."""


class ReportKind(enum.StrEnum):
    """What somebody saw, in the words of the form."""

    SUSPICIOUS = "suspicious"  # 可疑人员
    NOISE = "noise"  # 噪音扰民
    DISPUTE = "dispute"  # 矛盾纠纷
    FIRE = "fire"  # 起火冒烟
    MEDICAL = "medical"  # 突发疾病
    FALL = "fall"  # 有人摔倒
    LIFT_TRAP = "lift_trap"  # 电梯困人
    THROWN_OBJECT = "thrown_object"  # 高空抛物
    ILLEGAL_PARKING = "illegal_parking"  # 违停
    EBIKE_IN_LIFT = "ebike_in_lift"  # 电动车进梯
    DAMAGED = "damaged"  # 设施损坏
    LOST_PERSON = "lost_person"  # 老人或孩子走失
    ANIMAL = "animal"  # 动物扰民
    OTHER = "other"

    @property
    def incident_kind(self) -> str:
        """The incident's kind, which routes and plans go by."""
        return f"reported.{self.value}"


class Danger(enum.StrEnum):
    """The answer to "is anybody in danger?"."""

    NONE = "none"
    DANGER = "danger"
    VIOLENCE = "violence"


@dataclass(frozen=True, slots=True)
class Facts:
    """`severity` without danger; `window`: reports of one place within it are one thing.

    `number` is called at once, without waiting for anybody here; None where nobody needs to.
    """

    severity: int
    window: dt.timedelta
    number: str | None = None


_MIN: Final = dt.timedelta(minutes=1)
_HOUR: Final = dt.timedelta(hours=1)

TABLE: Final[Mapping[ReportKind, Facts]] = {
    ReportKind.SUSPICIOUS: Facts(3, 30 * _MIN),
    ReportKind.NOISE: Facts(4, 2 * _HOUR),
    # A mediator the same day; the timers of the graver ones would send it round in circles.
    ReportKind.DISPUTE: Facts(4, 2 * _HOUR),
    ReportKind.FIRE: Facts(1, _HOUR, "119"),
    ReportKind.MEDICAL: Facts(1, 30 * _MIN, "120"),
    ReportKind.FALL: Facts(2, 30 * _MIN),
    ReportKind.LIFT_TRAP: Facts(2, _HOUR),
    ReportKind.THROWN_OBJECT: Facts(2, 30 * _MIN),
    ReportKind.ILLEGAL_PARKING: Facts(4, _HOUR),
    ReportKind.EBIKE_IN_LIFT: Facts(3, 30 * _MIN),
    ReportKind.DAMAGED: Facts(4, 24 * _HOUR),
    ReportKind.LOST_PERSON: Facts(2, 2 * _HOUR),
    ReportKind.ANIMAL: Facts(4, _HOUR),
    ReportKind.OTHER: Facts(3, 30 * _MIN),
}

_BETWEEN_NEIGHBOURS: Final = frozenset({ReportKind.NOISE, ReportKind.DISPUTE})

DISPUTES: Final = frozenset(kind.incident_kind for kind in _BETWEEN_NEIGHBOURS)
"""Incidents that go to a mediator before anybody thinks of the police."""


def severity(kind: ReportKind, danger: Danger) -> int:
    """1 … 4. Danger makes anything urgent, violence makes it critical; nothing makes it milder."""
    usual = TABLE[kind].severity
    most = {Danger.NONE: 4, Danger.DANGER: 2, Danger.VIOLENCE: 1}[danger]
    # Somebody who was said to be in danger by a fire, an illness or a fall may be dying.
    if danger is Danger.DANGER and kind is ReportKind.FALL:
        most = 1
    return min(usual, most)


def incident_kind(kind: ReportKind, danger: Danger) -> str:
    """The kind of the incident that a report becomes."""
    return VIOLENCE if danger is Danger.VIOLENCE else kind.incident_kind


def number(kind: ReportKind, danger: Danger) -> str | None:
    """What the reporter is told to call at once; None where nobody needs to."""
    return "110" if danger is Danger.VIOLENCE else TABLE[kind].number


def key(kind: ReportKind, place: str, device: str | None = None) -> str:
    """What makes two reports one thing: the same kind at the same place, of the same device.

    Whether there is danger is not part of it: the neighbour who sees the knife speaks of the same quarrel.
    """
    return ":".join(part for part in (RULE, kind.value, place, device) if part)
