"""The rules of 一事一评: who may review, what a review needs, what a low score does. Pure.

Source: the last rows of the compound's incident procedure (resolved → reviewed → closed).
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from alerts.incidents.lifecycle import ReopenReason, State

LOW: Final = 2
"""A score this low or lower says that it was not well done."""

SCORES: Final = range(1, 6)

LATER: Final = dt.timedelta(days=3)
"""After its owner was told that a measure is late, the manager is, this much later."""


class Cause(enum.StrEnum):
    """What it came from (原因): the words that counts are made of."""

    EQUIPMENT = "equipment"  # 设备故障
    LIGHTING = "lighting"  # 照明不足
    ACCESS_HABIT = "access_habit"  # 出入习惯: doors propped open, followers let in
    STAFF_PROCEDURE = "staff_procedure"  # 值守流程
    NEIGHBOUR_DISPUTE = "neighbour_dispute"  # 邻里纠纷
    CRIME_ATTEMPT = "crime_attempt"  # 违法侵害
    WEATHER = "weather"  # 天气自然
    ANIMAL = "animal"  # 动物
    PARKING = "parking"  # 停车占道
    HEALTH = "health"  # 突发疾病
    UNKNOWN = "unknown"  # 原因不明


class AlertVerdict(enum.StrEnum):
    """Whether the alert was right."""

    RIGHT = "right"
    LATE = "late"
    TOO_GRAVE = "too_grave"
    TOO_LIGHT = "too_light"
    WRONG = "wrong"


class RaterKind(enum.StrEnum):
    """Whose rating it is."""

    REPORTER = "reporter"
    HOUSEHOLD = "household"


class MeasureState(enum.StrEnum):
    """Where a measure stands."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_open(self) -> bool:
        return self in {MeasureState.OPEN, MeasureState.DOING}


MOVES: Final[dict[MeasureState, frozenset[MeasureState]]] = {
    MeasureState.OPEN: frozenset({MeasureState.DOING, MeasureState.DONE, MeasureState.REFUSED}),
    MeasureState.DOING: frozenset({MeasureState.OPEN, MeasureState.DONE, MeasureState.REFUSED}),
    # Done is done; what turns out not to be is a measure of its own.
    MeasureState.DONE: frozenset(),
    MeasureState.REFUSED: frozenset({MeasureState.OPEN}),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A review as somebody fills it in."""

    score: int
    cause: Cause
    alert: AlertVerdict
    lesson: str
    measure: bool = False


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviews: a user, the responder that the user is, and whether that one leads the operators."""

    id: str
    role: str
    responder: str | None = None
    leads: bool = False


_SUPERVISES: Final = frozenset({"administrator", "property_manager"})


def refused(reviewer: Reviewer, resolved_by: Collection[str], state: State, draft: Draft) -> str | None:
    """Why a review is not taken, as a code; None where it is.

    `resolved_by`: users and responders who said that it was done. Codes: `not_resolved`,
    `not_a_supervisor`, `own_work` (nobody reviews what they resolved themselves), `score_range`,
    `lesson_required`.
    """
    if state is not State.RESOLVED:
        return "not_resolved"
    if reviewer.role not in _SUPERVISES and not (reviewer.role == "operator" and reviewer.leads):
        return "not_a_supervisor"
    if reviewer.id in resolved_by or (reviewer.responder is not None and reviewer.responder in resolved_by):
        return "own_work"
    if draft.score not in SCORES:
        return "score_range"
    if not draft.lesson.strip():
        return "lesson_required"
    return None


def reopens(score: int, state: State, *, before: bool, by_reviewer: bool) -> ReopenReason | None:
    """Why a score takes an incident up again; None where it does not.

    Once only: a second low score is told to the leaders, and the incident does not go round for ever.
    """
    if score > LOW or before or state not in {State.RESOLVED, State.REVIEWED}:
        return None
    return ReopenReason.WRONG_RESULT if by_reviewer else ReopenReason.NOT_DONE


def moves(current: MeasureState, to: MeasureState, note: str | None) -> str | None:
    """Why a measure may not go there: `measure_not_from_here`, `measure_note_required`; None where it may."""
    if to not in MOVES[current]:
        return "measure_not_from_here"
    if not to.is_open and not (note and note.strip()):
        return "measure_note_required"
    return None


def blocked(measures: Iterable[tuple[bool, MeasureState]]) -> bool:
    """Whether one of these (blocking, state) keeps its incident from being closed."""
    return any(blocking and state.is_open for blocking, state in measures)


def reminders(due_at: dt.datetime, now: dt.datetime) -> int:
    """How often somebody should know by now that a measure is late: 0, 1 its owner, 2 the manager."""
    if now <= due_at:
        return 0
    return 1 if now < due_at + LATER else 2
