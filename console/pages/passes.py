"""Visitor passes: given in two fields and a press, listed, decided, extended, taken back.

The token of a pass leaves the server once: with the answer to the form that made it. It stands in no
address that the office's browser keeps.
"""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api import passes
from console.api.dwellings import find_by_address
from console.api.paging import Paging
from console.api.pass_views import HostView, PassAsked
from console.api.passes import PassDecided, PassExtended, PassTouched
from console.context import Rooms, rooms
from console.pages import looking
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.person_forms import answer_of
from console.pages.view import Frame, frame, render
from console.pages.visitor import Ticket, link_to, ticket_of
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from console.security import ForbiddenError
from registry import plates
from registry.days import local_date
from registry.errors import MissingError, RefusedError
from registry.models import Household, PassKind, Person, Residence, ResidenceKind
from registry.passes.expected import When
from registry.passes.hosts import HostKind
from registry.passes.spans import Span, ends
from registry.reports.separations import lives
from storage import new_id

router = APIRouter(prefix="/registry/passes")
Requester = Annotated[User, may(Action.PASSES_REQUEST)]
Reader = Annotated[User, may(Action.PASSES_READ)]
Decider = Annotated[User, may(Action.PASSES_DECIDE)]

_SHOWN: Final = 50
_START: Final = "/registry/passes"


@router.get("")
def overview(
    request: Request,
    user: Requester,
    when: When = When.CURRENT,
    to: Annotated[str, Query(max_length=128)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The form, and a list: those that hold, that are expected, that wait."""
    _refuse_residents(user)
    return _page(request, user, when, cursor, Outcome(typed=Typed({"to": (to,)})))


@router.post("")
def issue(request: Request, user: Requester, form: Filled) -> Response:
    """Gives a pass, or asks for it where somebody else has to decide; shows its code once."""
    _refuse_residents(user)
    here, view = rooms(request), frame(request)
    made: dict[str, Any] = {}

    def act() -> None:
        since = begins(form, view)
        asked = body(
            PassAsked,
            kind=form("kind", PassKind.VISITOR),
            host=_host(here, form("to")),
            starts_at=since if form("starts") else None,
            ends_at=_ends(form, since),
            ask_host=form("ask_host") == "true",
            **visitor(form("visitor")),
        )
        # Pressed twice it is one pass.
        request.state.idempotency_key = form.text("once")
        made.update(answer_of(passes.ask(here, request, user, asked)))

    outcome = refusal(act, "issue", form)
    if outcome.refused:
        return _page(request, user, When.CURRENT, None, outcome)
    return _made(request, made["id"], made["token"])


@router.get("/{pass_id}")
def one(request: Request, user: Reader, pass_id: str) -> Response:
    """One pass with the visitor's plate and phone: a look, for a purpose."""
    return _one(request, user, pass_id)


@router.post("/{pass_id}/decision")
def decide(request: Request, user: Decider, pass_id: str, form: Filled) -> Response:
    """Approves or refuses a request."""
    return _act(
        request,
        user,
        pass_id,
        form,
        lambda: passes.decide(
            rooms(request),
            user,
            pass_id,
            body(PassDecided, verdict=form("verdict"), version=form.number("version")),
        ),
        f"pass_{form('verdict')}",
    )


@router.post("/{pass_id}/revocation")
def revoke(request: Request, user: Decider, pass_id: str, form: Filled) -> Response:
    """Takes a pass back: from now on it opens nothing."""
    return _act(
        request,
        user,
        pass_id,
        form,
        lambda: passes.revoke(
            rooms(request), user, pass_id, body(PassTouched, version=form.number("version"))
        ),
        "pass_revoked",
    )


@router.post("/{pass_id}/extension")
def extend(request: Request, user: Decider, pass_id: str, form: Filled) -> Response:
    """Lets it hold longer, from now on by what was pressed."""
    view = frame(request)

    def act() -> None:
        until = _ends(form, view.now.astimezone(view.zone))
        given = body(PassExtended, ends_at=until, version=form.number("version"))
        passes.extend(rooms(request), user, pass_id, given)

    return _act(request, user, pass_id, form, act, "pass_extended")


@router.post("/{pass_id}/token")
def new_code(request: Request, user: Decider, pass_id: str, form: Filled) -> Response:
    """A new code; the one before opens nothing any more."""
    made: dict[str, str] = {}

    def act() -> None:
        given = body(PassTouched, version=form.number("version"))
        made["token"] = passes.new_token(rooms(request), user, pass_id, given).token

    outcome = refusal(act, "token", form)
    if outcome.refused:
        return _one(request, user, pass_id, outcome)
    return _made(request, pass_id, made["token"])


def _refuse_residents(user: User) -> None:
    # Whom an address leads to is the office's to know; a resident's own page asks for no address.
    if user.role == Role.RESIDENT:
        raise ForbiddenError


def visitor(text: str) -> dict[str, str]:
    """A plate or a phone, by what it looks like; neither is fine too, the code is enough."""
    if not text:
        return {}
    if plates.is_well_formed(plates.normalise(text) or ""):
        return {"plate": text}
    return {"phone": text}


def begins(form: Typed, view: Frame) -> dt.datetime:
    """When it begins, in the compound's time. Raises `date_unread`."""
    if not form("starts"):
        return view.now.astimezone(view.zone)
    try:
        return dt.datetime.fromisoformat(form("starts")).replace(tzinfo=view.zone)
    except ValueError as error:
        raise ProblemError(422, "date_unread", "This is no time") from error


def _ends(form: Typed, since: dt.datetime) -> dt.datetime:
    if form("span") not in list(Span):
        raise ProblemError(422, "form_incomplete", "Nobody said for how long")
    days = form.number("days") if form("span") == Span.DAYS else 1
    return ends(Span(form("span")), since, days)


def _host(here: Rooms, address: str) -> HostView | None:
    """Who is visited at an address: the household that lives there, else somebody who does.

    Raises `dwelling_not_found`, `host_not_here`, and what is unclear about the address.
    """
    if not address:
        return None
    with here.database.read() as session:
        today = local_date(session, here.compound, here.clock.now())
        dwelling = find_by_address(session, here.compound, address, today)
        if dwelling is None:
            raise MissingError("dwelling")
        return _who_lives_at(session, dwelling, today)


def _who_lives_at(session: Session, dwelling: str, today: dt.date) -> HostView:
    here = (
        select(Residence.person)
        .join(Person, Person.id == Residence.person)
        .where(
            Residence.dwelling == dwelling,
            lives(Residence, today),
            Residence.kind != ResidenceKind.REGISTERED_ABSENT,
            Person.erased_at.is_(None),
        )
        .order_by(Residence.since, Residence.id)
    )
    somebody = session.scalars(here.limit(1)).first()
    household = session.scalars(
        select(Household.id)
        .join(Person, Person.household == Household.id)
        .where(Household.dwelling == dwelling, Person.id.in_(here.order_by(None)))
        .order_by(Household.id)
        .limit(1)
    ).first()
    if household is not None:
        return HostView(kind=HostKind.HOUSEHOLD, id=household)
    if somebody is None:
        raise RefusedError("host_not_here")
    return HostView(kind=HostKind.PERSON, id=somebody)


def _page(request: Request, user: User, when: When, cursor: str | None, outcome: Outcome) -> Response:
    here = rooms(request)
    listed = passes.passes(here, user, Paging(cursor, _SHOWN), when)
    return render(
        frame(request),
        "passes.html",
        status=outcome.status,
        outcome=outcome,
        done=request.query_params.get("done", ""),
        to=outcome.typed("to"),
        kinds=list(PassKind),
        spans=list(Span),
        when=when,
        lists=list(When),
        passes=listed.items,
        older=listed.next_cursor,
        newest=cursor is None,
        bare=user.role == Role.GUARD,
        may_decide=allowed(user, Action.PASSES_DECIDE),
        once=new_id(),
    )


def _one(request: Request, user: User, pass_id: str, outcome: Outcome | None = None) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    found = passes.one_pass(rooms(request), user, pass_id, purpose)
    return render(
        frame(request),
        "pass.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(f"{_START}/{pass_id}"),
        given=found,
        full=user.role != Role.GUARD,
        spans=list(Span),
        may_decide=allowed(user, Action.PASSES_DECIDE),
    )


def _made(request: Request, pass_id: str, token: str | None) -> Response:
    """The code to send and to print. Sent twice, the form made one pass, and its code is gone."""
    here = rooms(request)
    ticket: Ticket | None = None
    if token is not None:
        with here.database.read() as session:
            ticket = ticket_of(session, here.compound, token, here.clock.now())
    link = None if token is None else link_to(request, token)
    return render(frame(request), "pass_made.html", status=201, ticket=ticket, pass_id=pass_id, link=link)


def _act(
    request: Request, user: User, pass_id: str, form: Typed, act: Callable[[], object], done: str
) -> Response:
    outcome = refusal(act, "pass", form)
    if outcome.refused:
        return _one(request, user, pass_id, outcome)
    if form("back") == "list":
        return RedirectResponse(f"{_START}?done={done}", 303)
    return RedirectResponse(f"{_START}/{pass_id}?done={done}", 303)
