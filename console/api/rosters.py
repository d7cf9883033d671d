"""Rosters: who is on duty by turns, what follows from them, and where somebody is missing."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from alerts.duty import gaps, planning, rostering
from alerts.duty.coverage import Need
from alerts.duty.days import ANY_DAY, DayKind
from alerts.duty.definition import read
from alerts.duty.marks import mark
from alerts.duty.people import rules_of
from alerts.duty.roster import Rotation, Slot, Unit
from alerts.duty.rostering import Definition
from alerts.duty.rostermodels import Roster
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor
from registry import rows

router = APIRouter(tags=["duty"])
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]

Key = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
Id = Annotated[str, Field(min_length=1, max_length=64)]
LONGEST = dt.timedelta(days=62)


class RotationGiven(BaseModel):
    """Groups of responders that take turns every so many days or weeks, at the local `handover` hour."""

    groups: Annotated[list[Annotated[list[Id], Field(max_length=100)]], Field(max_length=100)]
    begins_on: dt.date
    every: Annotated[int, Field(ge=1, le=366)] = 1
    unit: Unit = Unit.DAYS
    handover: dt.time = dt.time(0, 0)


class SlotGiven(BaseModel):
    """Local times; an end that is not later is on the next day. `people` 0: the whole group."""

    key: Key
    starts: dt.time
    ends: dt.time
    rotation: RotationGiven
    days: frozenset[DayKind] = ANY_DAY
    people: Annotated[int, Field(ge=0, le=100)] = 0
    ahead: Annotated[int, Field(ge=0, le=100)] = 0
    post: Id | None = None
    on_call: bool = False

    def slot(self) -> Slot:
        turns = self.rotation
        rotation = Rotation(
            tuple(tuple(group) for group in turns.groups),
            turns.begins_on,
            turns.every,
            turns.unit,
            turns.handover,
        )
        return Slot(
            self.key,
            self.starts,
            self.ends,
            rotation,
            self.days,
            self.people,
            self.ahead,
            self.post,
            self.on_call,
        )


class RosterGiven(BaseModel):
    """A roster. One with `replaces` is temporary: the other rests from `starts_on` to `ends_on`."""

    team: Id
    name: Annotated[str, Field(min_length=1, max_length=64)]
    slots: Annotated[list[SlotGiven], Field(max_length=40)]
    starts_on: dt.date
    ends_on: dt.date | None = None
    replaces: Id | None = None

    def definition(self) -> Definition:
        slots = tuple(one.slot() for one in self.slots)
        return Definition(self.team, self.name, slots, self.starts_on, self.ends_on, self.replaces)


class RosterChanged(RosterGiven):
    """The whole roster, with the version that was read."""

    version: Annotated[int, Field(ge=1)]


class RosterView(BaseModel):
    """`slots` as they were given."""

    id: str
    team: str
    name: str
    slots: list[dict[str, Any]]
    starts_on: dt.date
    ends_on: dt.date | None
    replaces: str | None
    author: str
    changed_at: dt.datetime
    version: int


class DutyView(BaseModel):
    """A duty that follows from a roster; `place` is date/slot/seat. `changed`: by a stand-in or absence."""

    model_config = ConfigDict(from_attributes=True)

    place: str
    responder: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    post: str | None
    changed: bool


class ExpansionView(BaseModel):
    """`unknown_years`: rest days of these are not known yet, and what goes by them is left out."""

    duties: list[DutyView]
    unknown_years: list[int]


class GapView(BaseModel):
    """From `starts_at` until `ends_at` only `have` of `want` are on duty."""

    model_config = ConfigDict(from_attributes=True)

    need: Need
    zone: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    have: int
    want: int


class DutyRulesGiven(BaseModel):
    """Hours of rest between duties, hours at most checked in, whether swaps need a manager's word."""

    rest_h: Annotated[int, Field(ge=0, le=48)]
    check_in_h: Annotated[int, Field(ge=1, le=24)]
    approve_swaps: bool
    check_coverage: bool

    model_config = ConfigDict(from_attributes=True)


@router.get("/rosters")
def list_rosters(here: Here, _: Reader) -> list[RosterView]:
    """All rosters of the compound, ended ones too."""
    with here.database.read() as session:
        return [_view(row) for row in rostering.listed(session, here.compound)]


@router.post("/rosters", response_model=RosterView, status_code=201)
def create_roster(here: Here, request: Request, user: Editor, given: RosterGiven) -> Response:
    """Makes a roster; its shifts of the next two weeks are written at once."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = rostering.create(session, here.compound, given.definition(), as_actor(user), at)
        return 201, _view(row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.put("/rosters/{roster_id}")
def change_roster(here: Here, user: Editor, roster_id: str, given: RosterChanged) -> RosterView:
    """Changes what has not begun and what nobody has changed by hand; to end it, give it an end."""
    with here.database.write() as session:
        return _view(
            rostering.change(
                session,
                here.compound,
                roster_id,
                given.version,
                given.definition(),
                as_actor(user),
                here.clock.now(),
            )
        )


@router.get("/rosters/{roster_id}/duties")
def duties(
    here: Here,
    _: Reader,
    roster_id: str,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> ExpansionView:
    """What follows from a roster, also beyond the two weeks that are written; at most 62 days."""
    start, end = _span(here.clock.now(), since, until)
    with here.database.read() as session:
        rows.find(session, Roster, here.compound, roster_id, "roster")
        found = planning.planned(session, here.compound, start, end, roster_id)
        return ExpansionView(
            duties=[DutyView.model_validate(one) for one in found.duties],
            unknown_years=sorted(found.unknown_years),
        )


@router.get("/roster-gaps")
def roster_gaps(
    here: Here,
    _: Reader,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> list[GapView]:
    """Where too few are on duty; the next 24 hours where nothing is said."""
    start, end = _span(here.clock.now(), since, until, dt.timedelta(hours=24))
    with here.database.read() as session:
        return [GapView.model_validate(one) for one in gaps.look(session, here.compound, start, end)]


@router.get("/duty-rules")
def duty_rules(here: Here, _: Reader) -> DutyRulesGiven:
    """What holds for everybody's duty here."""
    with here.database.read() as session:
        return DutyRulesGiven.model_validate(rules_of(session, here.compound))


@router.put("/duty-rules")
def set_duty_rules(here: Here, user: Editor, given: DutyRulesGiven) -> DutyRulesGiven:
    """Changes them; what is written already stays."""
    with here.database.write() as session:
        row = rules_of(session, here.compound)
        for field, value in given.model_dump().items():
            setattr(row, field, value)
        session.add(row)
        session.flush()
        mark(session, here.compound, as_actor(user), here.clock.now(), "duty.rules_set", "duty_rules")
    return given


def _span(
    now: dt.datetime,
    since: dt.datetime | None,
    until: dt.datetime | None,
    usual: dt.timedelta = dt.timedelta(days=14),
) -> tuple[dt.datetime, dt.datetime]:
    start = (since or now).astimezone(dt.UTC)
    end = (until or start + usual).astimezone(dt.UTC)
    if not dt.timedelta() < end - start <= LONGEST:
        raise ProblemError(422, "span", "The span is empty or longer than 62 days")
    return start, end


def _view(row: Roster) -> RosterView:
    # What is stored is what `definition` wrote: read once, so that no page shows what does not hold.
    read(row.slots)
    return RosterView(
        id=row.id,
        team=row.team,
        name=row.name,
        slots=row.slots,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        replaces=row.replaces,
        author=row.author,
        changed_at=row.changed_at,
        version=row.version,
    )
