"""Visitor passes: asked for by hosts, given by staff, decided, extended, revoked."""

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api.idempotency import REPLAYED, Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.pass_views import (
    NewPassView,
    PassAsked,
    PassAtGate,
    PassInFull,
    PassView,
    Text,
    at_gate,
    find_visible,
    in_full,
    listed_as,
    own_host,
    visible_to,
)
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms
from console.permissions import Action, may
from console.problems import not_found
from registry.errors import RefusedError
from registry.models import PassKind, VisitorPass
from registry.passes import decisions as pass_decisions
from registry.passes.expected import When, destinations, listed
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import BULK_MAX, NewPass, PassWanted, issue, issue_many, needs_decision, request

router = APIRouter(tags=["passes"])
Reader = Annotated[User, may(Action.PASSES_READ)]
Requester = Annotated[User, may(Action.PASSES_REQUEST)]
Decider = Annotated[User, may(Action.PASSES_DECIDE)]
Version = Annotated[int, Field(ge=1)]


class Verdict(enum.StrEnum):
    """What is decided on a request."""

    APPROVE = "approve"
    REFUSE = "refuse"


class PassDecided(BaseModel):
    verdict: Verdict
    version: Version


class PassExtended(BaseModel):
    ends_at: AwareDatetime
    version: Version


class PassTouched(BaseModel):
    """The version that was read."""

    version: Version


class TokenView(BaseModel):
    """For a new QR; shown once."""

    id: str
    token: str
    version: int


class VisitorAsked(BaseModel):
    """By what one visitor of many is known at the gate."""

    plate: Annotated[str | None, Field(max_length=32)] = None
    phone: Annotated[str | None, Field(max_length=32)] = None


class PassesAsked(BaseModel):
    """Passes alike for many visitors of an organisation."""

    kind: PassKind = PassKind.BUSINESS
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    zones: Annotated[list[Text], Field(max_length=50)] = []
    max_uses: int | None = None
    visitors: Annotated[list[VisitorAsked], Field(min_length=1, max_length=BULK_MAX)]


@router.get("/passes")
def passes(
    here: Here, user: Reader, paging: Asked, when: When = When.CURRENT
) -> Page[PassView] | Page[PassAtGate]:
    """A list of passes, those that begin last first; a resident's own household's, a guard's bare."""
    at = here.clock.now()
    with here.database.read() as session:
        query = listed(here.compound, when, at).where(visible_to(session, here.compound, user))
        order = (VisitorPass.starts_at, VisitorPass.id)
        rows, cursor = newest_first(session, query, order, paging, lambda row: row)
        where = destinations(session, here.compound, rows, at)
        if user.role == Role.GUARD:
            return Page[PassAtGate](items=[at_gate(row, where) for row in rows], next_cursor=cursor)
        return Page[PassView](items=[listed_as(row, where) for row in rows], next_cursor=cursor)


@router.get("/passes/{pass_id}")
def one_pass(here: Here, user: Reader, pass_id: str, purpose: Purpose) -> PassInFull | PassAtGate:
    """One pass; `purpose` is required and written to the audit log. A guard sees no plate or phone."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        note_look(session, at, user, Look("pass.viewed", purpose, f"visitor_pass:{row.id}"))
        where = destinations(session, here.compound, [row], at)
        return at_gate(row, where) if user.role == Role.GUARD else in_full(row, where)


@router.post("/passes", response_model=NewPassView, status_code=201)
def ask(here: Here, http: Request, user: Requester, asked: PassAsked) -> Response:
    """Asks for a pass, or gives it at once where the word of whoever asks is enough.

    A host's word is enough for visitors, couriers and the like, a guard's for the same; building
    work and events wait for the office. `token` is what the QR holds, and is shown once.
    """
    shown: dict[str, Any] = {}

    def work(session: Session, at: dt.datetime) -> Answer:
        host = _host(session, here.compound, user, asked)
        give = request if _has_to_wait(user, asked) else issue
        made = give(session, here.compound, _wanted(asked, host), by=user.id, at=at)
        look = _change(f"pass.{made.visitor_pass.state}", made.visitor_pass.id, asked.kind)
        note_look(session, at, user, look)
        where = destinations(session, here.compound, [made.visitor_pass], at)
        kept = listed_as(made.visitor_pass, where).model_dump(mode="json") | {"token": None}
        shown.update(kept, token=made.token)
        return 201, kept

    return _revealed(once(here, http, user, asked.model_dump(mode="json"), work), shown)


@router.post("/organisations/{organisation_id}/passes", response_model=Page[NewPassView], status_code=201)
def ask_many(here: Here, http: Request, user: Decider, organisation_id: str, asked: PassesAsked) -> Response:
    """Passes for the visitors or workers of an organisation: all of them or, with a reason, none."""
    if user.role == Role.RESIDENT:
        # A resident decides for a home; which organisations there are is not theirs to find out.
        raise not_found("organisation")
    shown: dict[str, Any] = {}

    def work(session: Session, at: dt.datetime) -> Answer:
        wanted = [
            PassWanted(
                asked.kind,
                None,
                asked.starts_at,
                asked.ends_at,
                visitor.plate,
                visitor.phone,
                tuple(asked.zones),
                asked.max_uses,
            )
            for visitor in asked.visitors
        ]
        made = issue_many(session, here.compound, organisation_id, wanted, by=user.id, at=at)
        look = Look(
            "passes.issued",
            Purpose.REGISTRY_MAINTENANCE,
            f"organisation:{organisation_id}",
            f"{asked.kind} count={len(made)}",
        )
        note_look(session, at, user, look)
        kept = _page(session, here, made, at)
        shown.update(
            items=[item | {"token": one.token} for item, one in zip(kept["items"], made, strict=True)],
            next_cursor=None,
        )
        return 201, kept

    return _revealed(once(here, http, user, asked.model_dump(mode="json"), work), shown)


@router.post("/passes/{pass_id}/decision")
def decide(here: Here, user: Decider, pass_id: str, decided: PassDecided) -> PassView:
    """Approves or refuses a request; a resident on visitors to the own household."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        if decided.verdict is Verdict.APPROVE:
            _may_grant(user, row)
            pass_decisions.approve(session, row, decided.version, by=user.id, at=at)
        else:
            pass_decisions.refuse(session, row, decided.version, by=user.id, at=at)
        note_look(session, at, user, _change(f"pass.{row.state}", row.id, row.kind))
        return listed_as(row, destinations(session, here.compound, [row], at))


@router.post("/passes/{pass_id}/revocation")
def revoke(here: Here, user: Decider, pass_id: str, touched: PassTouched) -> PassView:
    """Ends a pass, or takes a request back."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        pass_decisions.revoke(session, row, touched.version, by=user.id, at=at)
        note_look(session, at, user, _change("pass.revoked", row.id, row.kind))
        return listed_as(row, destinations(session, here.compound, [row], at))


@router.post("/passes/{pass_id}/extension")
def extend(here: Here, user: Decider, pass_id: str, extended: PassExtended) -> PassView:
    """Moves the end of an approved pass: from now on at most by what its kind allows."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        _may_grant(user, row)
        pass_decisions.extend(session, row, extended.ends_at, extended.version, by=user.id, at=at)
        note_look(session, at, user, _change("pass.extended", row.id, row.kind))
        return listed_as(row, destinations(session, here.compound, [row], at))


@router.post("/passes/{pass_id}/token")
def new_token(here: Here, user: Decider, pass_id: str, touched: PassTouched) -> TokenView:
    """A new token for a QR that was lost; the old one opens nothing any more."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        token = pass_decisions.renew_token(session, row, touched.version, at=at)
        note_look(session, at, user, _change("pass.token_renewed", row.id, row.kind))
        return TokenView(id=row.id, token=token, version=row.version)


def _host(session: Session, compound: str, user: User, asked: PassAsked) -> Host | None:
    named = None if asked.host is None else Host(HostKind(asked.host.kind), asked.host.id)
    if user.role != Role.RESIDENT:
        return named
    home = own_host(session, compound, user)
    if home is None:
        raise RefusedError("household_unknown")
    if named not in {None, home, Host(HostKind.PERSON, user.person_id or "")}:
        raise RefusedError("pass_own_host")
    return named or home


def _has_to_wait(user: User, asked: PassAsked) -> bool:
    """Whether somebody else has to decide: host's and guard's word opens the usual ways alone."""
    if user.role in {Role.RESIDENT, Role.GUARD}:
        own_word = not needs_decision(asked.kind) and not asked.zones
        return not own_word or asked.ask_host or (user.role == Role.GUARD and asked.host is None)
    return asked.ask_host


def _may_grant(user: User, row: VisitorPass) -> None:
    if user.role == Role.RESIDENT and (needs_decision(row.kind) or row.zones):
        raise RefusedError("pass_needs_staff")


def _wanted(asked: PassAsked, host: Host | None) -> PassWanted:
    return PassWanted(
        asked.kind,
        host,
        asked.starts_at,
        asked.ends_at,
        asked.plate,
        asked.phone,
        tuple(asked.zones),
        asked.max_uses,
    )


def _page(session: Session, here: Rooms, made: Sequence[NewPass], at: dt.datetime) -> dict[str, Any]:
    where = destinations(session, here.compound, [one.visitor_pass for one in made], at)
    rows = [listed_as(one.visitor_pass, where).model_dump(mode="json") | {"token": None} for one in made]
    return {"items": rows, "next_cursor": None}


def _revealed(response: JSONResponse, shown: dict[str, Any]) -> JSONResponse:
    """The answer with its tokens, which the store of answers must not hold; repeated, without."""
    return response if REPLAYED in response.headers else JSONResponse(shown, response.status_code)


def _change(action: str, pass_id: str, kind: PassKind) -> Look:
    return Look(action, Purpose.REGISTRY_MAINTENANCE, f"visitor_pass:{pass_id}", str(kind))
