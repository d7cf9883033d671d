"""Reports of people to the control room: one's own, and an incident's for who decides on it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.intake import kinds, taking
from alerts.intake.feedback import STAGES, Stage
from alerts.intake.kinds import WORDS_MAX, Danger, ReportKind
from alerts.intake.models import IntakeReport
from alerts.intake.places import own_building, places
from alerts.intake.taking import Reporter, Told
from console.accounts.models import User
from console.api.device_registry import PHOTO_MAX
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.report_photo import cleaned
from console.api.uploads import FORM
from console.permissions import Action, may
from console.problems import ProblemError, not_found

router = APIRouter(tags=["intake"])
Reporting = Annotated[User, may(Action.REPORT_IN)]
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class PlaceView(BaseModel):
    """What can be named: a building, or a zone where `building` is None. `own`: the asker lives there."""

    zone: str
    building: str | None
    name: str
    own: bool


class ReportGiven(BaseModel):
    """One of `building` and `zone` is given; without a time it is now."""

    kind: ReportKind
    danger: Danger = Danger.NONE
    zone: _Id | None = None
    building: _Id | None = None
    device: _Id | None = None
    words: Annotated[str, Field(max_length=WORDS_MAX)] | None = None
    happened_at: AwareDatetime | None = None


class ReportView(BaseModel):
    """One's own report. `call` is the number to call at once, where there is one."""

    id: str
    kind: ReportKind
    danger: Danger
    zone: str
    building: str | None
    words: str | None
    photo: bool
    happened_at: dt.datetime
    at: dt.datetime
    stage: Stage
    stage_at: dt.datetime
    call: str | None


class HeardReport(BaseModel):
    """A report as whoever decides on the incident reads it; `media_id` is a picture of `/media`."""

    id: str
    role: str
    kind: ReportKind
    danger: Danger
    zone: str
    building: str | None
    device: str | None
    words: str | None
    media_id: str | None
    happened_at: dt.datetime
    at: dt.datetime


@router.get("/intake/places")
def choices(here: Here, user: Reporting) -> list[PlaceView]:
    """Where something can be reported of; the asker's own building first."""
    with here.database.read() as session:
        return places_for(session, here.compound, user, here.clock.now())


@router.get("/intake")
def own_reports(here: Here, user: Reporting, paging: Asked) -> Page[ReportView]:
    """My reports and what became of them, newest first."""
    with here.database.read() as session:
        query = select(IntakeReport).where(
            IntakeReport.compound == here.compound, IntakeReport.reporter == user.id
        )
        items, cursor = newest_first(
            session, query, (IntakeReport.at, IntakeReport.id), paging, lambda row: view(session, row)
        )
        return Page(items=items, next_cursor=cursor)


@router.post("/intake", response_model=ReportView, status_code=201)
def report(here: Here, request: Request, user: Reporting, given: ReportGiven) -> Response:
    """I report something. Ten reports of one thing are one incident."""

    def work(session: Session, at: dt.datetime) -> Answer:
        told = Told(**given.model_dump())
        row = taking.take(session, here.compound, reporter(user), told, at).report
        return 201, view(session, row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/intake/{report_id}")
def own_report(here: Here, user: Reporting, report_id: str) -> ReportView:
    """One of my reports."""
    with here.database.read() as session:
        return view(session, _own(session, here.compound, user, report_id))


async def _photo(request: Request, _: Reporting) -> bytes:
    """The picture in the field `file`, read only after the role was checked."""
    form = await request.form(max_files=1, max_fields=4)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ProblemError(422, "file_missing", "The form has no file in its field `file`")
    return await file.read(PHOTO_MAX + 1)


@router.put("/intake/{report_id}/photo", openapi_extra=FORM)
def photo(
    here: Here, user: Reporting, report_id: str, content: Annotated[bytes, Depends(_photo)]
) -> ReportView:
    """Adds the one photo of a report of mine, while it is fresh."""
    with here.database.read() as session:
        _open(session, here.compound, user, report_id)
    media_id = here.media.put(cleaned(content)).media_id
    with here.database.write() as session:
        row = _open(session, here.compound, user, report_id)
        row.media_id = media_id
        session.flush()
        return view(session, row)


@router.get("/incidents/{incident_id}/reports")
def of_incident(here: Here, _: Reader, incident_id: str) -> Page[HeardReport]:
    """What people said of an incident, oldest first; who they are is for nobody here."""
    with here.database.read() as session:
        incident = session.get(Incident, incident_id)
        if incident is None or incident.compound != here.compound:
            raise not_found("incident")
        return Page(items=heard(session, incident_id), next_cursor=None)


def heard(session: Session, incident_id: str) -> list[HeardReport]:
    """An incident's reports, for the API and its page."""
    return [
        HeardReport.model_validate(row, from_attributes=True)
        for row in taking.reports_of(session, incident_id)
    ]


def reporter(user: User) -> Reporter:
    """A user as a reporter."""
    return Reporter(user.id, str(user.role), user.responder_id, user.person_id)


def places_for(session: Session, compound: str, user: User, at: dt.datetime) -> list[PlaceView]:
    """The places of a form, the user's own building first."""
    own = own_building(session, user.person_id, at.date())
    shown = [
        PlaceView(
            zone=one.zone,
            building=one.building,
            name=one.name,
            own=one.building is not None and one.building == own,
        )
        for one in places(session, compound)
    ]
    return sorted(shown, key=lambda one: not one.own)


def view(session: Session, row: IntakeReport) -> ReportView:
    """A report and what became of it, as its reporter sees it."""
    incident = session.get_one(Incident, row.incident)
    if incident.merged_into is not None:
        incident = session.get_one(Incident, incident.merged_into)
    kind, danger = ReportKind(row.kind), Danger(row.danger)
    return ReportView(
        id=row.id,
        kind=kind,
        danger=danger,
        zone=row.zone,
        building=row.building,
        words=row.words,
        photo=row.media_id is not None,
        happened_at=row.happened_at,
        at=row.at,
        stage=STAGES[State(incident.state)],
        stage_at=max(row.at, stage_since(session, incident)),
        call=kinds.number(kind, danger),
    )


def stage_since(session: Session, incident: Incident) -> dt.datetime:
    """Since when the incident is where its reporter hears that it is."""
    now = STAGES[State(incident.state)]
    since = incident.raised_at
    for to, at in session.execute(
        select(Transition.to_state, Transition.at)
        .where(Transition.incident == incident.id)
        .order_by(Transition.version.desc())
    ):
        if STAGES[State(to)] is not now:
            break
        since = at
    return since


def _own(session: Session, compound: str, user: User, report_id: str) -> IntakeReport:
    row = session.get(IntakeReport, report_id)
    if row is None or row.compound != compound or row.reporter != user.id:
        raise not_found("report")
    return row


def _open(session: Session, compound: str, user: User, report_id: str) -> IntakeReport:
    row = _own(session, compound, user, report_id)
    if row.media_id is not None:
        raise ProblemError(409, "photo_given", "A report has one photo")
    if not State(session.get_one(Incident, row.incident).state).grows:
        raise ProblemError(409, "report_over", "It is over by now")
    return row
