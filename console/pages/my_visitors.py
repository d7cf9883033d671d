"""A resident's visitors: a pass in one press, sent from the phone, decided on, taken back.

Everything goes through the functions of the API; what is asked for here is the own household's alone.
The token of a pass leaves the server once, with the answer to the form that made it.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import passes
from console.api.paging import Paging
from console.api.pass_views import PassAsked, PassView, find_visible, listed_as, own_host, visible_to
from console.api.passes import PassDecided, PassExtended, PassTouched
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.passes import begins, visitor
from console.pages.person_forms import answer_of
from console.pages.view import Frame, frame, render
from console.pages.visitor import Ticket, link_to, ticket_of
from console.permissions import Action, may
from console.problems import ProblemError
from registry.models import PassKind, PassState, VisitorPass
from registry.passes import spans
from registry.passes.expected import When, still_open
from registry.passes.spans import Span
from registry.passes.terms import TERMS
from registry.passes.visiting import needs_decision
from storage import new_id

router = APIRouter(prefix="/my/visitors")
Resident = Annotated[User, may(Action.OWN_DATA)]

START: Final = "/my/visitors"
_SHOWN: Final = 20
_OPEN_SHOWN: Final = 50
# Whom a household lets in, the most frequent first; organisations' customers are for organisations.
_KINDS: Final = (
    PassKind.VISITOR,
    PassKind.COURIER,
    PassKind.FOOD_DELIVERY,
    PassKind.DOMESTIC_HELP,
    PassKind.CONTRACTOR,
    PassKind.EVENT,
)
_PRESSED: Final = (Span.HOURS_2, Span.TODAY, Span.TONIGHT)
TOMORROW: Final = "tomorrow"
BETWEEN: Final = "between"
_DONE: Final = frozenset({"pass_approve", "pass_refuse", "pass_revoked", "pass_extended"})
# What a refusal means to whoever asks for themselves.
_OWN_WORDS: Final = {"host_not_here": "not_at_home", "phone_malformed": "visitor_unread"}


def open_passes(here: Rooms, user: User) -> list[PassView]:
    """The household's passes that are of use still, the next first."""
    at = here.clock.now()
    with here.database.read() as session:
        rows = session.scalars(
            still_open(here.compound, at)
            .where(visible_to(session, here.compound, user))
            .order_by(VisitorPass.starts_at, VisitorPass.id)
            .limit(_OPEN_SHOWN)
        )
        return [listed_as(row, {}) for row in rows]


def done_of(request: Request) -> str:
    """What the last press did, as the address says it; nothing for what no press does."""
    code = request.query_params.get("done", "")
    return code if code in _DONE else ""


def standing(one: PassView, now: dt.datetime) -> str:
    """In a word how a pass stands for its household; `asked` is what waits for the household's own word."""
    if one.state is PassState.REQUESTED:
        if one.ends_at <= now:
            return "unanswered"
        return "waiting" if needs_decision(one.kind) or one.zones else "asked"
    if one.state is not PassState.APPROVED:
        return str(one.state)
    if one.ends_at <= now:
        return "over"
    if one.max_uses is not None and one.uses >= one.max_uses:
        return "used_up"
    return "valid" if one.starts_at <= now else "not_yet"


@router.get("")
def overview(request: Request, user: Resident) -> Response:
    """The form, what waits, who comes."""
    return _page(request, user, Outcome())


@router.get("/earlier")
def earlier(
    request: Request, user: Resident, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """All passes, the latest first."""
    listed = passes.passes(rooms(request), user, Paging(cursor, _SHOWN), When.ALL)
    return render(
        frame(request),
        "my_visitors_earlier.html",
        passes=listed.items,
        standing=standing,
        older=listed.next_cursor,
        newest=cursor is None,
    )


@router.post("")
def invite(request: Request, user: Resident, form: Filled) -> Response:
    """Gives a pass, or asks the office for it; shows its code once."""
    here, view = rooms(request), frame(request)
    made: dict[str, Any] = {}

    def act() -> None:
        kind = _kind(form)
        starts_at, ends_at = _period(form, view, kind)
        asked = body(
            PassAsked,
            kind=kind,
            starts_at=starts_at,
            ends_at=ends_at,
            max_uses=1 if form("uses") == "one" else None,
            **visitor(form("visitor")),
        )
        # Pressed twice it is one pass.
        request.state.idempotency_key = form.text("once")
        made.update(answer_of(passes.ask(here, request, user, asked)))

    outcome = refusal(act, "invite", form)
    if outcome.refused:
        return _page(request, user, _in_own_words(outcome))
    return _made(request, made["id"], made["token"])


@router.get("/{pass_id}")
def one(request: Request, user: Resident, pass_id: str) -> Response:
    """One pass in full; 404 for whatever is not the own household's. The look is audited."""
    return _one(request, user, pass_id, Outcome())


@router.post("/{pass_id}/decision")
def decide(request: Request, user: Resident, pass_id: str, form: Filled) -> Response:
    """Lets in whom the gate asks about, or not."""

    def act() -> None:
        given = body(PassDecided, verdict=form("verdict"), version=form.number("version"))
        passes.decide(rooms(request), user, pass_id, given)

    return _act(request, user, pass_id, form, act, f"pass_{form('verdict')}")


@router.post("/{pass_id}/revocation")
def revoke(request: Request, user: Resident, pass_id: str, form: Filled) -> Response:
    """Takes a pass or a request back."""

    def act() -> None:
        given = body(PassTouched, version=form.number("version"))
        passes.revoke(rooms(request), user, pass_id, given)

    return _act(request, user, pass_id, form, act, "pass_revoked")


@router.post("/{pass_id}/extension")
def extend(request: Request, user: Resident, pass_id: str, form: Filled) -> Response:
    """Lets somebody stay longer, from now on by what was pressed."""
    here, view = rooms(request), frame(request)

    def act() -> None:
        with here.database.read() as session:
            longest = TERMS[find_visible(session, here.compound, user, pass_id).kind].longest
        until = spans.fitting(_span(form), view.now.astimezone(view.zone), longest)
        given = body(PassExtended, ends_at=until, version=form.number("version"))
        passes.extend(here, user, pass_id, given)

    return _act(request, user, pass_id, form, act, "pass_extended")


@router.post("/{pass_id}/token")
def new_code(request: Request, user: Resident, pass_id: str, form: Filled) -> Response:
    """A new code; the one before opens nothing any more."""
    made: dict[str, str] = {}

    def act() -> None:
        given = body(PassTouched, version=form.number("version"))
        made["token"] = passes.new_token(rooms(request), user, pass_id, given).token

    outcome = refusal(act, "pass", form)
    if outcome.refused:
        return _one(request, user, pass_id, outcome)
    return _made(request, pass_id, made["token"])


def _kind(form: Typed) -> PassKind:
    kind = form("kind", PassKind.VISITOR)
    if kind not in _KINDS:
        raise ProblemError(422, "form_incomplete", "Nobody said who comes")
    return PassKind(kind)


def _span(form: Typed) -> Span:
    if form("span") not in _PRESSED:
        raise ProblemError(422, "form_incomplete", "Nobody said for how long")
    return Span(form("span"))


def _period(form: Typed, view: Frame, kind: PassKind) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when until when, by the button that was pressed; None for what is usual for the kind."""
    now, longest = view.now.astimezone(view.zone), TERMS[kind].longest
    if form("span") == TOMORROW:
        return spans.tomorrow(now, longest)
    since = begins(form, view) if form("starts") else None
    if form("span") == BETWEEN:
        return since, _moment(form, view, "ends")
    return since, spans.fitting(_span(form), since or now, longest)


def _moment(form: Typed, view: Frame, name: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(form(name)).replace(tzinfo=view.zone) if form(name) else None
    except ValueError as error:
        raise ProblemError(422, "date_unread", "This is no time") from error


def _in_own_words(outcome: Outcome) -> Outcome:
    return replace(outcome, refused=_OWN_WORDS.get(outcome.refused or "", outcome.refused))


def _page(request: Request, user: User, outcome: Outcome) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        home = own_host(session, here.compound, user)
    now = view.now.astimezone(view.zone)
    return render(
        view,
        "my_visitors.html",
        status=outcome.status,
        outcome=outcome,
        done=done_of(request),
        known=home is not None,
        kinds=_KINDS,
        terms=TERMS,
        spans=(*_PRESSED, TOMORROW),
        passes=open_passes(here, user),
        standing=standing,
        earliest=f"{now:%Y-%m-%dT%H:%M}",
        once=new_id(),
    )


def _one(request: Request, user: User, pass_id: str, outcome: Outcome) -> Response:
    view = frame(request)
    found = passes.one_pass(rooms(request), user, pass_id, Purpose.RESIDENT_REQUEST)
    return render(
        view,
        "my_visitor.html",
        status=outcome.status,
        outcome=_in_own_words(outcome),
        done=done_of(request),
        given=found,
        # A resident is given all of the own household's, never a guard's bare ones.
        state=standing(found, view.now) if isinstance(found, PassView) else "",
        spans=_PRESSED,
    )


def _made(request: Request, pass_id: str, token: str | None) -> Response:
    """The code to send. Sent twice, the form made one pass, and its code is gone."""
    here = rooms(request)
    ticket: Ticket | None = None
    if token is not None:
        with here.database.read() as session:
            ticket = ticket_of(session, here.compound, token, here.clock.now())
    link = None if token is None else link_to(request, token)
    return render(
        frame(request), "my_visitor_made.html", status=201, ticket=ticket, pass_id=pass_id, link=link
    )


def _act(
    request: Request, user: User, pass_id: str, form: Typed, act: Callable[[], object], done: str
) -> Response:
    outcome = refusal(act, "pass", form)
    if outcome.refused:
        return _one(request, user, pass_id, outcome)
    back = {"list": START, "home": "/my"}.get(form("back"), f"{START}/{pass_id}")
    return RedirectResponse(f"{back}?done={done}", 303)
