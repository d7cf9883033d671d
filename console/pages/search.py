"""The search: what it is for, whom or what it is about, and only then what was seen.

Everything that says whom travels in bodies. A person is chosen among those the registry finds by
name, phone or number; there is no search by a face.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api import finding
from console.api.finding import FoundView
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.lookback import searching, windows
from console.lookback.searching import NOT_OF_SOMEBODY, PURPOSES, Answer
from console.pages.answers import said
from console.pages.places import names
from console.pages.spans import span
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import Problem, ProblemError
from privacy.search import Sort, Sought
from registry.meanings import Meaning, meanings
from registry.models import Person, Ring, Zone

router = APIRouter(prefix="/console/search")
Searcher = Annotated[User, may(Action.SEARCH)]
Short = Annotated[str, Form(max_length=64)]

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was filled in, so that it stands there again. Times are the compound's local ones."""

    purpose: str = ""
    plate: str = ""
    who: str = ""
    person: str = ""
    visitor_pass: str = ""
    device: str = ""
    zone: str = ""
    ring: str = ""
    sort: str = ""
    begins: str = ""
    ends: str = ""


@router.get("")
def page(
    request: Request,
    user: Searcher,
    zone: Annotated[str, Query(max_length=64)] = "",
    device: Annotated[str, Query(max_length=64)] = "",
    begins: Annotated[str, Query(alias="from", max_length=32)] = "",
    ends: Annotated[str, Query(alias="to", max_length=32)] = "",
) -> Response:
    """The empty form; a link may say where and when, never whom."""
    del user
    view = frame(request)
    given = [_from_link(view, one) for one in (begins, ends)]
    return _page(request, view, Asked(zone=zone, device=device, begins=given[0], ends=given[1]))


@router.post("")
def search(
    request: Request,
    user: Searcher,
    purpose: Short = "",
    plate: Short = "",
    who: Short = "",
    person: Short = "",
    visitor_pass: Short = "",
    device: Short = "",
    zone: Short = "",
    ring: Short = "",
    sort: Short = "",
    begins: Short = "",
    ends: Short = "",
    sure: Short = "",
) -> Response:
    """Asks; of a name it is first chosen who is meant."""
    here, view = rooms(request), frame(request)
    asked = Asked(
        purpose, plate.strip(), who.strip(), person, visitor_pass, device, zone, ring, sort, begins, ends
    )
    if purpose not in PURPOSES:
        return _page(request, view, asked, refused=Problem(422, "purpose_missing", ""))
    if asked.who and not person and not asked.plate:
        return _choose(request, view, here, user, asked)
    try:
        answer = searching.search(here, user, purpose, _sought(view, asked), sure=sure == "yes")
    except ProblemError as error:
        return _page(request, view, asked, refused=error.problem)
    return _page(request, view, asked, answer=answer)


@router.post("/further")
def further(request: Request, user: Searcher, cursor: Annotated[str, Form(max_length=4000)] = "") -> Response:
    """The next part of what was asked."""
    view = frame(request)
    try:
        answer = searching.go_on(rooms(request), user, cursor)
    except ProblemError as error:
        return _page(request, view, Asked(), refused=error.problem)
    return _page(request, view, _again(view, answer), answer=answer, further=True)


def _choose(request: Request, view: Frame, here: Rooms, user: User, asked: Asked) -> Response:
    """Who may be meant, by the registry's own finding, which notes that each was found."""
    purpose = Purpose(asked.purpose)
    if purpose in NOT_OF_SOMEBODY:
        return _page(request, view, asked, refused=Problem(422, "purpose_unfit", ""))
    for meaning in meanings(asked.who):
        if meaning is Meaning.ADDRESS:
            continue
        given = {str(meaning): asked.who}
        people = said(lambda given=given: finding.search(here, user, purpose, **given).items)  # type: ignore[misc]
        if people.answer:
            return _page(request, view, asked, people=people.answer)
    return _page(request, view, asked, refused=Problem(404, "nothing_found", ""))


def _sought(view: Frame, asked: Asked) -> Sought:
    start, end = (_moment(view, one) for one in (asked.begins, asked.ends))
    end = end or view.now
    if asked.sort and asked.sort not in list(Sort):
        raise ProblemError(422, "nothing_asked", "There is no such sort")
    return Sought(
        start=start or end - _DAY,
        end=end,
        plate=asked.plate or None,
        person=asked.person or None,
        visitor_pass=asked.visitor_pass or None,
        device=asked.device or None,
        zone=asked.zone or None,
        ring=asked.ring or None,
        sort=Sort(asked.sort) if asked.sort else None,
    )


def _page(
    request: Request,
    view: Frame,
    asked: Asked,
    *,
    answer: Answer | None = None,
    people: Sequence[FoundView] = (),
    refused: Problem | None = None,
    further: bool = False,
) -> Response:
    here = rooms(request)
    default = replace(
        asked,
        begins=asked.begins or windows.field(view, view.now - _DAY),
        ends=asked.ends or windows.field(view, view.now + dt.timedelta(minutes=1)),
    )
    with here.database.read() as session:
        places = names(session, here.compound)
        return render(
            view,
            "search.html",
            status=refused.status if refused else 200,
            asked=default,
            purposes=PURPOSES,
            rings=tuple(Ring),
            zones=_zones(session, here.compound),
            sorts=tuple(Sort),
            places=places,
            answer=answer,
            whom=_whom(session, here.compound, answer, asked),
            span="" if answer is None else span(view, answer.asked.start, answer.asked.end),
            window="" if answer is None else windows.link(answer.asked.start, answer.asked.end),
            people=people,
            refused=refused,
            further=further,
            retention=here.retention,
            per_hour=searching.PER_HOUR,
        )


def _zones(session: Session, compound: str) -> list[tuple[str, str, str]]:
    """(id, ring, name) by ring and name."""
    rows = session.execute(
        select(Zone.id, Zone.ring, Zone.name).where(Zone.compound == compound).order_by(Zone.ring, Zone.name)
    )
    return [(row.id, str(row.ring), row.name) for row in rows]


def _whom(session: Session, compound: str, answer: Answer | None, asked: Asked) -> str:
    """What the answer is about, in words: the look at it has been written down."""
    if answer is None:
        return ""
    if answer.asked.person:
        person = session.get(Person, answer.asked.person)
        return person.name if person is not None and person.compound == compound else ""
    if answer.asked.plate:
        return answer.readings.whole or answer.asked.plate if answer.readings else answer.asked.plate
    return asked.visitor_pass


def _again(view: Frame, answer: Answer) -> Asked:
    """The form as it was when the search began."""
    sought = answer.asked
    return Asked(
        purpose=str(answer.purpose),
        plate=sought.plate or "",
        person=sought.person or "",
        visitor_pass=sought.visitor_pass or "",
        device=sought.device or "",
        zone=sought.zone or "",
        ring=sought.ring or "",
        sort=str(sought.sort or ""),
        begins=windows.field(view, sought.start),
        ends=windows.field(view, sought.end),
    )


def _from_link(view: Frame, moment: str) -> str:
    """A moment of a link as the form has it; nothing where it is none."""
    try:
        found = windows.moment(view, moment)
    except ValueError:
        return ""
    return windows.field(view, found) if found else ""


def _moment(view: Frame, local: str) -> dt.datetime | None:
    try:
        return windows.moment(view, local)
    except ValueError:
        raise ProblemError(422, "empty_span", "This is no moment") from None
