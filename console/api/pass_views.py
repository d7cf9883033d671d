"""What a visitor pass looks like to each role, and whose passes somebody may see at all.

A guard sees a kind, a time and a building; the office and the host see what they asked for.
Lists hold no plate and no phone: those are a look at one pass, which is audited.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from registry.errors import MissingError
from registry.models import PassKind, PassState, Person, VisitorPass
from registry.passes.admission import PassDecision, PassReason
from registry.passes.decisions import find
from registry.passes.hosts import Host, HostKind, host_of

Text = Annotated[str, Field(min_length=1, max_length=64)]


class HostView(BaseModel):
    """Who is visited, by id."""

    model_config = ConfigDict(from_attributes=True)

    kind: HostKind
    id: Text


class PassAtGate(BaseModel):
    """All that a guard is told: "a courier, expected until 18:00 at 3幢". Never who lives there."""

    id: str
    kind: PassKind
    starts_at: dt.datetime
    ends_at: dt.datetime
    destination: str | None


class PassAnswer(PassAtGate):
    """With the answer to "may this pass in here, now?"."""

    allowed: bool
    reason: PassReason


class PassView(PassAtGate):
    """A pass as the office and its host see it in a list."""

    state: PassState
    host: HostView | None
    zones: list[str]
    max_uses: int | None
    uses: int
    requested_by: str | None
    decided_by: str | None
    decided_at: dt.datetime | None
    version: int


class PassInFull(PassView):
    """With what is known of the visitor."""

    plate: str | None
    phone: str | None


class NewPassView(PassView):
    """A pass with the token for its QR, which is shown once: repeated, the answer has none."""

    token: str | None


class PassAsked(BaseModel):
    """A pass that is wanted. What is left out is what is usual for the kind.

    With `ask_host` the host decides also where whoever asks could give the pass at once.
    """

    kind: PassKind
    host: HostView | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    plate: Annotated[str | None, Field(max_length=32)] = None
    phone: Annotated[str | None, Field(max_length=32)] = None
    zones: Annotated[list[Text], Field(max_length=50)] = []
    max_uses: int | None = None
    ask_host: bool = False


def at_gate(row: VisitorPass, destinations: Mapping[str, str]) -> PassAtGate:
    return PassAtGate(
        id=row.id,
        kind=row.kind,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        destination=destinations.get(row.id),
    )


def answer(row: VisitorPass, destinations: Mapping[str, str], decision: PassDecision) -> PassAnswer:
    known = at_gate(row, destinations).model_dump()
    return PassAnswer(**known, allowed=decision.allowed, reason=decision.reason)


def listed_as(row: VisitorPass, destinations: Mapping[str, str]) -> PassView:
    host = host_of(row)
    return PassView(
        **at_gate(row, destinations).model_dump(),
        state=row.state,
        host=None if host is None else HostView(kind=host.kind, id=host.id),
        zones=row.zones,
        max_uses=row.max_uses,
        uses=row.uses,
        requested_by=row.requested_by,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        version=row.version,
    )


def in_full(row: VisitorPass, destinations: Mapping[str, str]) -> PassInFull:
    return PassInFull(**listed_as(row, destinations).model_dump(), plate=row.plate, phone=row.phone)


def own_host(session: Session, compound: str, user: User) -> Host | None:
    """The household of a resident, or themselves where they have none; None for an account of nobody."""
    if user.person_id is None:
        return None
    me = session.execute(
        select(Person.id, Person.household).where(
            Person.id == user.person_id, Person.compound == compound, Person.erased_at.is_(None)
        )
    ).one_or_none()
    if me is None:
        return None
    if me.household is None:
        return Host(HostKind.PERSON, me.id)
    return Host(HostKind.HOUSEHOLD, me.household)


def visible_to(session: Session, compound: str, user: User) -> ColumnElement[bool]:
    """Which passes somebody may see: a resident those of the own household, staff all."""
    if user.role != Role.RESIDENT:
        return true()
    home = own_host(session, compound, user)
    mine = VisitorPass.host_person == user.person_id
    if home is None or home.kind is not HostKind.HOUSEHOLD:
        return mine
    family = select(Person.id).where(Person.household == home.id, Person.compound == compound)
    return or_(mine, VisitorPass.host_household == home.id, VisitorPass.host_person.in_(family))


def find_visible(session: Session, compound: str, user: User, pass_id: str) -> VisitorPass:
    """Raises `MissingError`, also for a pass of somebody else's household."""
    row = find(session, compound, pass_id)
    seen = select(VisitorPass.id).where(VisitorPass.id == row.id, visible_to(session, compound, user))
    if session.scalar(seen) is None:
        raise MissingError("visitor_pass")
    return row
