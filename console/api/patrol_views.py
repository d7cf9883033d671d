"""What patrols look like outside: routes, checkpoints, rounds, visits."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.facts import RouteReport
from alerts.patrols.judging import Finding
from alerts.patrols.models import (
    Checkpoint,
    How,
    PatrolRoute,
    PatrolSchedule,
    PointKind,
    RoundState,
)
from alerts.patrols.planning import LATEST
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from alerts.patrols.standing import Standing

_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class PatrolPointView(BaseModel):
    """A checkpoint; its code is not to be had again, only renewed."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    zone: str
    kind: PointKind
    device: str | None
    code_made_at: dt.datetime | None
    retired_at: dt.datetime | None


class PatrolPointAsked(BaseModel):
    """`device` is the reader's, of a checkpoint that has one."""

    name: _Name
    zone: _Id
    kind: PointKind
    device: _Id | None = None

    def given(self) -> PointGiven:
        return PointGiven(self.name, self.zone, self.kind, self.device)


class PatrolCode(BaseModel):
    """A checkpoint with its code, said once; None for a reader. `path` is what a phone's camera opens."""

    point: PatrolPointView
    code: str | None
    path: str | None


class PatrolScheduleView(BaseModel):
    """`times` are minutes after midnight of a day of `weekdays` (0 Monday) or of `day_kinds`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    weekdays: list[int]
    day_kinds: list[str]
    times: list[int]
    lasts_min: int


class PatrolScheduleAsked(BaseModel):
    """As it is shown; a round may begin up to two days after that midnight and last twelve hours."""

    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7)] = []
    day_kinds: Annotated[list[Annotated[str, Field(max_length=16)]], Field(max_length=8)] = []
    times: Annotated[list[Annotated[int, Field(ge=0, lt=LATEST)]], Field(min_length=1, max_length=48)]
    lasts_min: Annotated[int, Field(ge=1, le=720)]

    def given(self) -> ScheduleGiven:
        return ScheduleGiven(tuple(self.times), self.lasts_min, tuple(self.weekdays), tuple(self.day_kinds))


class PatrolRouteView(BaseModel):
    """`points` are checkpoints in their order; `least_s` and `most_s` from one to the next."""

    id: str
    name: str
    team: str
    in_order: bool
    least_s: int | None
    most_s: int | None
    tolerance_min: int
    points: list[str]
    schedules: list[PatrolScheduleView]

    @classmethod
    def of(
        cls, row: PatrolRoute, points: Sequence[Checkpoint], schedules: Sequence[PatrolSchedule]
    ) -> "PatrolRouteView":
        return cls(
            id=row.id,
            name=row.name,
            team=row.team,
            in_order=row.in_order,
            least_s=row.least_s,
            most_s=row.most_s,
            tolerance_min=row.tolerance_min,
            points=[one.id for one in points],
            schedules=[PatrolScheduleView.model_validate(one) for one in schedules],
        )


class PatrolRouteAsked(BaseModel):
    """A route as it is to be."""

    name: _Name
    team: _Id
    points: Annotated[list[_Id], Field(min_length=1, max_length=100)]
    in_order: bool = False
    least_s: Annotated[int | None, Field(ge=0, le=3600)] = None
    most_s: Annotated[int | None, Field(ge=1, le=6 * 3600)] = None
    tolerance_min: Annotated[int, Field(ge=0, le=60)] = 10

    def given(self) -> RouteGiven:
        return RouteGiven(
            self.name,
            self.team,
            tuple(self.points),
            self.in_order,
            self.least_s,
            self.most_s,
            self.tolerance_min,
        )


class PatrolFindingView(BaseModel):
    """Something found of a point; `at` is the visit's, None where there was none."""

    what: Finding
    point: str
    at: dt.datetime | None


class PatrolStopView(BaseModel):
    """A point of a round as it was planned; `came_at` is when it was first come by in time."""

    id: str
    name: str
    zone: str
    came_at: dt.datetime | None


class PatrolRoundView(BaseModel):
    """A round. `reason` is why it was broken off."""

    id: str
    route: str
    name: str
    planned: bool
    state: RoundState
    due_from: dt.datetime
    due_until: dt.datetime
    responder: str | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    reason: str | None
    points: list[PatrolStopView]
    findings: list[PatrolFindingView]

    @classmethod
    def of(cls, stands: Standing) -> "PatrolRoundView":
        row = stands.row
        came: Mapping[str, dt.datetime] = stands.judged.visited
        return cls(
            id=row.id,
            route=row.route,
            name=row.plan["name"],
            planned=row.schedule is not None,
            state=RoundState(row.state),
            due_from=row.due_from,
            due_until=row.due_until,
            responder=row.responder,
            started_at=row.started_at,
            ended_at=row.ended_at,
            reason=row.reason,
            points=[
                PatrolStopView(id=one.id, name=one.name, zone=one.zone, came_at=came.get(one.id))
                for one in stands.points
            ],
            findings=[
                PatrolFindingView(what=one.what, point=one.point, at=one.at) for one in stands.judged.findings
            ],
        )


class PatrolVisitView(BaseModel):
    """A visit: `at` by our clock, `device_time` as the phone or reader said."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    round: str | None
    checkpoint: str
    responder: str | None
    how: How
    at: dt.datetime
    device_time: dt.datetime | None
    received_at: dt.datetime
    told_late: bool
    old_code: bool
    reason: str | None


class PatrolVisitTold(BaseModel):
    """Somebody came by: by the code that was read, or by hand at a `point` for a `reason`.

    `client` is the phone's own id of the visit: sent twice it is one. `at` is when it was and `sent_at`
    when this was sent, both by the phone's clock; without them it was now.
    """

    client: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    code: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    point: _Id | None = None
    round: _Id | None = None
    at: AwareDatetime | None = None
    sent_at: AwareDatetime | None = None
    reason: Annotated[str | None, Field(max_length=200)] = None


class PatrolRouteReport(BaseModel):
    """Rounds by how they ended; points, those missed and those late; findings by their code."""

    route: str
    name: str
    rounds: int
    done: int
    missed: int
    aborted: int
    open: int
    points: int
    points_missed: int
    late: int
    findings: dict[str, int]

    @classmethod
    def of(cls, counted: RouteReport) -> "PatrolRouteReport":
        return cls(
            **{name: getattr(counted, name) for name in cls.model_fields if name != "findings"},
            findings=dict(sorted(counted.findings.items())),
        )
