"""The life cycle of an incident, as a table and a pure function.

Source of the states and of who may take which step: the compound's incident procedure
(raised → … → reviewed → closed, with false alarm, auto-clear and merge as side exits).
"""

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """Where an incident stands."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ARRIVED = "arrived"
    RESOLVED = "resolved"
    # 一事一评: looked back at; a day later it closes by itself.
    REVIEWED = "reviewed"
    # It was not over after all. Confirmed already, so somebody can be sent at once.
    REOPENED = "reopened"
    CLOSED = "closed"
    FALSE_ALARM = "false_alarm"
    AUTO_CLEARED = "auto_cleared"
    # It is part of another one, which has its evidence.
    MERGED = "merged"

    @property
    def is_open(self) -> bool:
        """Somebody still has something to do."""
        return self not in _ENDED

    @property
    def grows(self) -> bool:
        """Further signals still belong to it. What is said after the work was done is another matter."""
        return self.is_open and self not in {State.RESOLVED, State.REVIEWED}


class FalseAlarmReason(enum.StrEnum):
    """Why an alarm was none; feeds the false-alarm rate of rule and device."""

    RESIDENT_WITHOUT_CREDENTIAL = "resident_without_credential"
    FAMILY_OR_KNOWN_VISITOR = "family_or_known_visitor"
    COURIER = "courier"
    STAFF = "staff"
    ANIMAL = "animal"
    WEATHER_LIGHT = "weather_light"
    CAMERA_MOVED = "camera_moved"
    RECOGNITION_ERROR = "recognition_error"
    SENSOR_FAULT = "sensor_fault"
    TEST_DRILL = "test_drill"
    DUPLICATE = "duplicate"
    RULE_TOO_SENSITIVE = "rule_too_sensitive"
    OTHER = "other"


class ReopenReason(enum.StrEnum):
    """Why something that was called done is not."""

    HAPPENED_AGAIN = "happened_again"
    NOT_DONE = "not_done"
    NEW_FACTS = "new_facts"
    WRONG_RESULT = "wrong_result"


class Comparison(enum.StrEnum):
    """What the operator saw when comparing probe and enrolled picture (L-12)."""

    MATCH = "match"
    NOT_MATCH = "not_match"
    CANNOT_TELL = "cannot_tell"


_ENDED = frozenset({State.CLOSED, State.FALSE_ALARM, State.AUTO_CLEARED, State.MERGED})
UNDECIDED = frozenset({State.RAISED, State.ACKNOWLEDGED})
"""Nobody has said yet whether it is real."""

# A merge is no step that somebody takes with one incident: see `merging`.
STEPS: dict[State, frozenset[State]] = {
    State.RAISED: frozenset({State.ACKNOWLEDGED, State.CONFIRMED, State.FALSE_ALARM, State.AUTO_CLEARED}),
    State.ACKNOWLEDGED: frozenset({State.CONFIRMED, State.FALSE_ALARM, State.AUTO_CLEARED}),
    State.CONFIRMED: frozenset({State.DISPATCHED, State.RESOLVED}),
    State.DISPATCHED: frozenset({State.ACCEPTED, State.RESOLVED}),
    State.ACCEPTED: frozenset({State.EN_ROUTE, State.ARRIVED, State.DISPATCHED, State.RESOLVED}),
    State.EN_ROUTE: frozenset({State.ARRIVED, State.DISPATCHED, State.RESOLVED}),
    State.ARRIVED: frozenset({State.RESOLVED, State.FALSE_ALARM}),
    State.RESOLVED: frozenset({State.REVIEWED, State.REOPENED}),
    State.REVIEWED: frozenset({State.CLOSED, State.REOPENED}),
    State.REOPENED: frozenset({State.DISPATCHED, State.RESOLVED, State.FALSE_ALARM}),
    State.CLOSED: frozenset(),
    State.FALSE_ALARM: frozenset(),
    State.AUTO_CLEARED: frozenset(),
    State.MERGED: frozenset(),
}

# How far the work is: of two that become one, the one that people are further with stays.
PROGRESS: dict[State, int] = {
    State.RAISED: 0,
    State.ACKNOWLEDGED: 0,
    State.CONFIRMED: 1,
    State.REOPENED: 1,
    State.DISPATCHED: 2,
    State.ACCEPTED: 3,
    State.EN_ROUTE: 3,
    State.ARRIVED: 4,
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step somebody asks for. `comparison` is the operator's answer before a biometric confirmation."""

    to: State
    reason: FalseAlarmReason | ReopenReason | None = None
    comparison: Comparison | None = None


class StepRefusedError(Exception):
    """The life cycle does not allow the step; `code` says why."""

    def __init__(self, current: State, to: State, code: str) -> None:
        super().__init__(f"{current} → {to}: {code}")
        self.current = current
        self.to = to
        self.code = code


def check(current: State, step: Step, *, needs_comparison: bool) -> None:
    """Raises `StepRefusedError` unless the step is lawful from `current`.

    Codes: `not_from_here`, `reason_required`, `comparison_required`, `comparison_negative`.
    """
    if step.to not in STEPS[current]:
        raise StepRefusedError(current, step.to, "not_from_here")
    if step.to is State.FALSE_ALARM and not isinstance(step.reason, FalseAlarmReason):
        raise StepRefusedError(current, step.to, "reason_required")
    if step.to is State.REOPENED and not isinstance(step.reason, ReopenReason):
        raise StepRefusedError(current, step.to, "reason_required")
    if step.to is State.CONFIRMED and needs_comparison:
        # Fail secure: nobody is sent after a person on a machine's word alone.
        if step.comparison is None:
            raise StepRefusedError(current, step.to, "comparison_required")
        if step.comparison is not Comparison.MATCH:
            raise StepRefusedError(current, step.to, "comparison_negative")
