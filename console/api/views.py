"""What incidents and dispatches look like to each role. A volunteer gets the task, nobody's data (L-20)."""

import datetime as dt
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from alerts.dispatch.models import Arrival, Decline, Dispatch, DispatchState, Result
from alerts.incidents.lifecycle import State
from registry.models import Ring

# What a volunteer needs of a reason's blanks; a plate or a distance to a face is not among it.
_SAFE_REASON_ARGS: Final = frozenset({"lane", "night", "window_s", "silence_s", "cause"})


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class IncidentView(_FromRow):
    """An incident as the queue shows it; `reason` and `reason_args` fill a text of the catalogues."""

    id: str
    rule: str
    kind: str
    ring: Ring
    zone: str
    device_id: str
    lane: str | None
    severity: int
    state: State
    version: int
    happened_at: dt.datetime
    raised_at: dt.datetime
    last_signal_at: dt.datetime
    signal_count: int
    needs_comparison: bool
    comparison: str | None
    reason: str
    reason_args: dict[str, Any]
    # Part of it was linked by nearness in place and time alone: a person says whether that is right.
    probable: bool
    # Not security: for family, grid worker and neighbours.
    care: bool
    # Held back by the alert budget; `held_reason` stays when it comes out.
    held: bool
    held_reason: str | None
    # When somebody has to have done the next step, and how often nobody had.
    due_at: dt.datetime | None
    escalation: int
    merged_into: str | None
    team: str | None
    false_alarm_reason: str | None
    resolution: str | None


class IncidentForVolunteer(_FromRow):
    """Place, kind and severity."""

    id: str
    kind: str
    ring: Ring
    zone: str
    lane: str | None
    severity: int
    state: State
    version: int
    happened_at: dt.datetime
    reason: str
    reason_args: dict[str, Any]

    @field_validator("reason_args")
    @classmethod
    def _only_what_is_needed(cls, args: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in args.items() if name in _SAFE_REASON_ARGS}


class TaskEnded(BaseModel):
    """What is left of a task for who was asked: that it is over, when it was for them, what came of it."""

    id: str
    state: Literal["ended"] = "ended"
    ended_at: dt.datetime
    result: Result | None

    @classmethod
    def of(cls, row: Dispatch) -> Self:
        ended_at = row.resolved_at or row.answered_at or row.offered_at
        return cls(id=row.incident, ended_at=ended_at, result=row.result)


class DispatchView(_FromRow):
    """One responder asked to go to one incident."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: str
    incident: str
    responder: str
    state: DispatchState
    offered_at: dt.datetime
    answered_at: dt.datetime | None
    arrived_at: dt.datetime | None
    resolved_at: dt.datetime | None
    seen_at: dt.datetime | None
    note: str | None
    # Whether this responder leads; what stands behind an arrival, a refusal, an end.
    leads: bool = Field(validation_alias="lead_of")
    set_out_at: dt.datetime | None
    arrived_by: Arrival | None
    declined_for: Decline | None
    result: Result | None
    # The photo of what came of it, a picture of `/media`; None, too, for who may not look at pictures.
    media_id: str | None
    # Since when they need help; until when an answer or the arrival is waited for.
    help_at: dt.datetime | None
    due_at: dt.datetime | None

    @field_validator("leads", mode="before")
    @classmethod
    def _whether(cls, lead_of: object) -> bool:
        return bool(lead_of)


class DispatchWithTask(DispatchView):
    """With what the responder is to go to."""

    task: IncidentForVolunteer | TaskEnded
