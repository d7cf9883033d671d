"""The history: all incidents by what they were, where, when and what came of them, and kept views of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams

from alerts.history import Outcome, Quick, Sift, counted, incidents_of, last_shift, outcome_of, tally
from alerts.incidents.models import Incident
from alerts.review.models import IncidentReview
from console.accounts.models import User
from console.api.paging import Paging, newest_first
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms, rooms
from console.lookback import saved, windows
from console.lookback.filters import HistoryFilters, filters_of
from console.lookback.sheet import ROWS_MAX, sheet
from console.pages.answers import said
from console.pages.places import Names, names
from console.pages.spans import span
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from registry.models import Zone

router = APIRouter(prefix="/console/history")
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Text = Annotated[str, Form(max_length=2000)]

_SHOWN: Final = 50
_QUICK: Final = tuple(one for one in Quick if one is not Quick.OWN)


@dataclass(frozen=True, slots=True)
class Line:
    """An incident of the list: nobody's name, plate or picture is in it."""

    id: str
    raised_at: dt.datetime
    severity: int
    kind: str
    ring: str
    zone: str
    device: str
    state: str
    outcome: str
    reason: str
    drill: bool
    held: bool
    reviewed: bool


@router.get("")
def history(
    request: Request,
    user: Reader,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    view: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Incidents, newest first. Without an address of its own it is one's view to begin with."""
    return _page(request, user, cursor=cursor, view_id=view)


@router.post("/export")
def export(request: Request, user: Reader, filters: Text = "") -> Response:
    """All that the filters find as a CSV file; written down before it is given."""
    here, view = rooms(request), frame(request)
    wanted = _read(QueryParams(filters))
    with here.database.write() as session:
        sift = _sift(session, here, view, wanted)
        detail = f"from={view.iso(sift.start)} to={view.iso(sift.end)} {wanted.query()}"
        look = Look("history.exported", Purpose.REVIEW, f"compound:{here.compound}", detail[:500])
        note_look(session, view.now, user, look)
    with here.database.read() as session:
        query = incidents_of(here.compound, sift).order_by(Incident.raised_at.desc(), Incident.id.desc())
        rows = session.scalars(query.limit(ROWS_MAX).execution_options(yield_per=500))
        content = sheet(view, rows, names(session, here.compound))
    name = f"incidents-{sift.start.astimezone(view.zone):%Y%m%d}-{sift.end.astimezone(view.zone):%Y%m%d}.csv"
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


@router.post("/views")
def keep_view(
    request: Request,
    user: Reader,
    filters: Text = "",
    name: Annotated[str, Form(max_length=200)] = "",
    shared: Annotated[str, Form(max_length=4)] = "",
    first: Annotated[str, Form(max_length=4)] = "",
) -> Response:
    """Keeps what is shown under a name."""
    here = rooms(request)
    wanted = _read(QueryParams(filters))

    def act() -> str:
        with here.database.write() as session:
            at = here.clock.now()
            row = saved.keep(session, here.compound, user, name, wanted, shared=shared == "yes", at=at)
            if first == "yes":
                saved.begin_with(session, here.compound, user, row.id)
            return row.id

    made = said(act)
    if made.answer is None:
        return _page(request, user, wanted=wanted, name=name, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/history?{wanted.query(view=made.answer)}", 303)


@router.post("/views/{view_id}/{step}")
def change_view(request: Request, user: Reader, view_id: str, step: str) -> Response:
    """`first`: begin with it; `plain`: no longer; `remove`: take it away."""
    here = rooms(request)
    if step not in {"first", "plain", "remove"}:
        raise ProblemError(404, "not_found", "There is no such step")
    with here.database.write() as session:
        if step == "remove":
            saved.remove(session, here.compound, user, view_id)
        else:
            saved.begin_with(session, here.compound, user, view_id if step == "first" else None)
    return RedirectResponse("/console/history?span=day", 303)


def _page(
    request: Request,
    user: User,
    *,
    cursor: str | None = None,
    view_id: str = "",
    wanted: HistoryFilters | None = None,
    name: str = "",
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        kept = saved.views(session, here.compound, user)
        if wanted is None and not request.url.query:
            first = next((one for one in kept if one.is_default), None)
            wanted, view_id = (first.filters, first.id) if first else (HistoryFilters(), "")
        wanted = wanted or _read(request.query_params)
        sift = _sift(session, here, view, wanted)
        groups = counted(session, here.compound, sift)
        counts = tally(groups, sift.chosen)
        rows, more = newest_first(
            session,
            incidents_of(here.compound, sift),
            (Incident.raised_at, Incident.id),
            Paging(cursor, _SHOWN),
            lambda row: row,
        )
        places = names(session, here.compound)
        rings = {
            row.id: str(row.ring)
            for row in session.execute(select(Zone.id, Zone.ring).where(Zone.compound == here.compound))
        }
        lines = _lines(session, rows, places)
        return render(
            view,
            "history.html",
            status=status,
            wanted=wanted,
            span=span(view, sift.start, sift.end),
            window=windows.link(sift.start, sift.end),
            begins=windows.field(view, sift.start),
            ends=windows.field(view, sift.end),
            quick=_QUICK,
            outcomes=tuple(Outcome),
            total=counts["total"].get("all", 0),
            counts=counts,
            options=_options(view, counts, places, rings),
            lines=lines,
            older=wanted.query(cursor=more, view=view_id or None) if more else "",
            newest=cursor is None,
            views=kept,
            view_id=view_id,
            name_max=saved.NAME_MAX,
            name=name,
            rows_max=ROWS_MAX,
            refused=refused,
        )


def _lines(session: Session, rows: list[Incident], places: Names) -> list[Line]:
    ids = [row.id for row in rows]
    reviewed = set(session.scalars(select(IncidentReview.incident).where(IncidentReview.incident.in_(ids))))
    return [
        Line(
            id=row.id,
            raised_at=row.raised_at,
            severity=row.severity,
            kind=row.kind,
            ring=str(row.ring),
            zone=places.zone(row.zone),
            device=places.device(row.device_id),
            state=str(row.state),
            outcome=str(outcome_of(row.state)),
            reason=row.false_alarm_reason or "",
            drill=row.drill,
            held=row.held,
            reviewed=row.id in reviewed,
        )
        for row in rows
    ]


def _options(
    view: Frame, counts: Mapping[str, Mapping[Any, int]], places: Names, rings: Mapping[str, str]
) -> dict[str, list[tuple[str, str, int]]]:
    """For each field (value, words, number): what there is to choose, the most first; zones by ring."""
    t = view.t
    words: dict[str, Any] = {
        "ring": lambda one: t.code("ring", one),
        "zone": lambda one: f"{t.code('ring', rings.get(one))} · {places.zone(one)}".removeprefix(" · "),
        "kind": lambda one: t.code("kind", one),
        "rule": lambda one: f"{one} · {t.code('rule', one)}" if f"rule.{one}" in t.keys else one,
        "state": lambda one: t.code("state", one),
        "reason": lambda one: t.code("false_alarm", one),
        "device": places.device,
    }
    found = {
        name: [(str(value), say(str(value)), number) for value, number in counts[name].items() if value]
        for name, say in words.items()
    }
    found["zone"].sort(key=lambda option: option[1])
    return found


def _read(given: QueryParams) -> HistoryFilters:
    try:
        return filters_of(given)
    except ValueError:
        raise ProblemError(422, "bad_filters", "The address holds a filter that there is not") from None


def _sift(session: Session, here: Rooms, view: Frame, wanted: HistoryFilters) -> Sift:
    shift = last_shift(session, here.compound, view.now) if wanted.span is Quick.SHIFT else None
    try:
        return wanted.sift(view.now, view.zone, shift)
    except (ValueError, OverflowError):
        raise ProblemError(422, "bad_filters", "The address holds a day that there is not") from None
