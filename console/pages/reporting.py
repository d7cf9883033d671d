"""Telling the control room: one form for staff and residents, and what came of what was told."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from starlette.datastructures import UploadFile

from alerts.intake import kinds, taking
from alerts.intake.kinds import WORDS_MAX, Danger, ReportKind
from alerts.intake.models import IntakeReport
from alerts.intake.taking import Told
from console.accounts.models import User
from console.api import intake
from console.api.device_registry import PHOTO_MAX
from console.api.intake import PlaceView, ReportView
from console.api.report_photo import cleaned
from console.context import Rooms, rooms
from console.pages.answers import said
from console.pages.pressing import phone_page
from console.pages.progress import Course, courses
from console.pages.view import Frame, frame
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from registry.errors import RefusedError

router = APIRouter()
Reporting = Annotated[User, may(Action.REPORT_IN)]
Resident = Annotated[User, may(Action.OWN_DATA)]

STAFF: Final = "/phone/report"
RESIDENT: Final = "/my/reports"
_SHOWN: Final = 20
_Given = dict[str, str]


@dataclass(frozen=True, slots=True)
class Mine:
    """A report with the name of its place, and how far it is."""

    report: ReportView
    place: str
    course: Course


def own_reports(
    here: Rooms, user: User, at: dt.datetime, places: list[PlaceView] | None = None
) -> list[Mine]:
    """The last reports of a user, newest first."""
    with here.database.read() as session:
        shown = intake.places_for(session, here.compound, user, at) if places is None else places
        rows = session.scalars(
            select(IntakeReport)
            .where(IntakeReport.compound == here.compound, IntakeReport.reporter == user.id)
            .order_by(IntakeReport.at.desc(), IntakeReport.id.desc())
            .limit(_SHOWN)
        ).all()
        ways = courses(session, rows)
        return [_mine(intake.view(session, row), shown, ways[row.id]) for row in rows]


@router.get(STAFF)
def staff(request: Request, user: Reporting) -> Response:
    """The form, and my reports; a resident has them beside what else is theirs."""
    return RedirectResponse(RESIDENT, 303) if allowed(user, Action.OWN_DATA) else _page(request, user)


@router.get(RESIDENT)
def resident(request: Request, user: Resident) -> Response:
    """The same for residents."""
    return _page(request, user)


async def _fields(request: Request, _: Reporting) -> tuple[_Given, bytes]:
    """The form, its file read only after the role was checked."""
    form = await request.form(max_files=1, max_fields=12)
    given = {
        name: str(form.get(name, "")).strip()
        for name in ("kind", "danger", "place", "words", "when")
        if not isinstance(form.get(name), UploadFile)
    }
    file = form.get("photo")
    return given, await file.read(PHOTO_MAX + 1) if isinstance(file, UploadFile) else b""


_Fields = Annotated[tuple[_Given, bytes], Depends(_fields)]


@router.post(STAFF)
def tell(request: Request, user: Reporting, fields: _Fields) -> Response:
    return _take(request, user, fields, STAFF)


@router.post(RESIDENT)
def tell_as_resident(request: Request, user: Resident, fields: _Fields) -> Response:
    return _take(request, user, fields, RESIDENT)


def _take(request: Request, user: User, fields: tuple[_Given, bytes], path: str) -> Response:
    """Takes the report in; refused, the form comes back with what was written."""
    here, view = rooms(request), frame(request)
    given, photo = fields
    made = said(lambda: _told(here, user, given, photo, view.zone))
    if made.answer is None:
        return _page(request, user, given=given, refused=made.refused, status=made.status)
    return RedirectResponse(f"{path}?sent={made.answer}#sent", 303)


def _told(here: Rooms, user: User, given: _Given, photo: bytes, zone: ZoneInfo) -> str:
    kind, danger = given.get("kind", ""), given.get("danger", "") or Danger.NONE
    if kind not in list(ReportKind) or danger not in list(Danger):
        raise RefusedError("report_kind_missing")
    ground, _, place = given.get("place", "").partition(":")
    happened = _moment(given.get("when", ""), zone)
    media_id = here.media.put(cleaned(photo)).media_id if photo else None
    told = Told(
        ReportKind(kind),
        Danger(danger),
        zone=place if ground == "zone" else None,
        building=place if ground == "building" else None,
        words=given.get("words") or None,
        media_id=media_id,
        happened_at=happened,
    )
    with here.database.write() as session:
        return taking.take(session, here.compound, intake.reporter(user), told, here.clock.now()).report.id


def _moment(text: str, zone: ZoneInfo) -> dt.datetime | None:
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)
    except ValueError:
        raise ProblemError(422, "report_time", "The time cannot be read") from None


def _page(
    request: Request,
    user: User,
    *,
    given: _Given | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        places = intake.places_for(session, here.compound, user, view.now)
    mine = own_reports(here, user, view.now, places)
    sent = next((one for one in mine if one.report.id == request.query_params.get("sent")), None)
    return phone_page(
        view,
        "report_in.html",
        status=status,
        resident=allowed(user, Action.OWN_DATA),
        action=RESIDENT if view.path == RESIDENT else STAFF,
        kinds=list(ReportKind),
        dangers=list(Danger),
        numbers={kind: kinds.number(kind, Danger.NONE) for kind in ReportKind},
        places=places,
        given=given or _empty(places),
        words_max=WORDS_MAX,
        local=_local(view),
        mine=mine,
        pending=[one for one in mine if not one.course.over],
        over=[one for one in mine if one.course.over],
        sent=sent,
        refused=refused,
    )


def _empty(places: list[PlaceView]) -> _Given:
    own = next((f"building:{one.building}" for one in places if one.own), "")
    return {"kind": "", "danger": "none", "place": own, "words": "", "when": ""}


def _mine(report: ReportView, places: list[PlaceView], course: Course) -> Mine:
    where = (report.zone, report.building)
    place = next((one.name for one in places if (one.zone, one.building) == where), report.zone)
    return Mine(report, place, course)


def _local(view: Frame) -> dict[str, str]:
    """The bounds of the time's field, by the compound's clock."""
    now = view.now.astimezone(view.zone)
    return {
        "max": f"{now:%Y-%m-%dT%H:%M}",
        "min": f"{now - taking.OLDEST:%Y-%m-%dT%H:%M}",
    }
