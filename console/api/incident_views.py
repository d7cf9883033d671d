"""What hangs on an incident, as it is shown: evidence, steps, answers, merges."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict

from alerts.incidents.lifecycle import Comparison, State


class EvidenceView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    signal_id: str
    rule: str
    severity: int
    at: dt.datetime
    event_ids: list[str]
    sighting_ids: list[str]
    key: str | None
    stage: str
    # What the rule went by: reason and facts, parameters, window, blind devices, version of the rules.
    trace: dict[str, Any]
    # The incident that it was raised under, where a merge brought it here.
    moved_from: str | None


class AnswerView(BaseModel):
    """What one person saw who compared."""

    model_config = ConfigDict(from_attributes=True)

    actor: str
    role: str
    answer: Comparison
    at: dt.datetime


class MergeView(BaseModel):
    """One incident taken into another; `rule` where a rule did it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    target: str
    source: str
    actor: str
    rule: str | None
    at: dt.datetime
    note: str | None
    undone_at: dt.datetime | None
    undone_by: str | None


class TransitionView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    version: int
    from_state: State | None
    to_state: State
    actor: str
    role: str
    at: dt.datetime
    reason: str | None
    note: str | None
