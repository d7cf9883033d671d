"""A browser's push subscription, taken in as one's own way to be reached.

A browser belongs to whoever uses it now: where it subscribes for somebody else, the former one's
letters do not go there any more.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify.channels.subscription import InvalidSubscriptionError, read, written
from alerts.notify.models import ChannelKind, Contact
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError
from storage import new_id
from storage.audit import AuditEntry, append

router = APIRouter(prefix="/push", tags=["notifications"])
Own = Annotated[User, may(Action.CONTACTS_OWN)]


class PushKey(BaseModel):
    """`key` is what a browser subscribes with (base64url); None where this console sends no push."""

    key: str | None


class SubscriptionKeys(BaseModel):
    p256dh: Annotated[str, Field(max_length=200)]
    auth: Annotated[str, Field(max_length=100)]


class SubscriptionMade(BaseModel):
    """A `PushSubscription` as JSON, a name for the phone, and the endpoint it takes the place of."""

    endpoint: Annotated[str, Field(min_length=9, max_length=2048)]
    keys: SubscriptionKeys
    name: Annotated[str, Field(max_length=64)] = ""
    replaces: Annotated[str | None, Field(max_length=2048)] = None


class SubscriptionEnded(BaseModel):
    endpoint: Annotated[str, Field(max_length=2048)]


class SubscriptionView(BaseModel):
    """The contact that was made of it."""

    contact: str


@router.get("/key")
def key(here: Here, _: Own) -> PushKey:
    """The public key of this deployment."""
    return PushKey(key=here.push_key() if here.push_key is not None else None)


@router.post("/subscriptions", status_code=201)
def subscribe(here: Here, user: Own, made: SubscriptionMade) -> SubscriptionView:
    """Takes a subscription in; the same one again changes nothing."""
    responder = responder_of(user)
    try:
        address = written(made.endpoint, made.keys.p256dh, made.keys.auth)
    except InvalidSubscriptionError as error:
        raise ProblemError(
            422, "subscription_invalid", "That is no push subscription", why=error.code
        ) from None
    if not made.endpoint.startswith(("https://", "http://")):
        raise ProblemError(422, "subscription_invalid", "That is no push subscription", why="bad_url")
    now = here.clock.now()
    with here.database.write() as session:
        own: Contact | None = None
        for contact in _pushed(session, here.compound):
            endpoint = _endpoint(contact)
            mine = contact.responder == responder
            if endpoint == made.endpoint and mine:
                own = contact
            elif endpoint == made.endpoint or (mine and endpoint == made.replaces):
                # What stands on it in a rule goes with it, or to the new one.
                if mine and own is None:
                    own = contact
                else:
                    session.delete(contact)
        if own is None:
            own = Contact(
                id=new_id(),
                compound=here.compound,
                responder=responder,
                kind=ChannelKind.WEB_PUSH,
                name=made.name.strip() or "-",
                address=address,
                settings={},
                enabled=True,
                created_at=now,
            )
            session.add(own)
            _note(session, user, here.compound, "contact.added", own.id, now)
        else:
            # A browser that subscribes is there, whatever was thought of it.
            own.address, own.enabled = address, True
            own.failures, own.error, own.dead_since, own.paused_until = 0, None, None, None
        session.flush()
        return SubscriptionView(contact=own.id)


@router.post("/subscriptions/end", status_code=204)
def unsubscribe(here: Here, user: Own, ended: SubscriptionEnded) -> Response:
    """Nothing more is sent to this browser for me."""
    responder = responder_of(user)
    with here.database.write() as session:
        for contact in _pushed(session, here.compound):
            if contact.responder == responder and _endpoint(contact) == ended.endpoint:
                session.delete(contact)
                _note(session, user, here.compound, "contact.removed", contact.id, here.clock.now())
    return Response(status_code=204)


def responder_of(user: User) -> str:
    """Whom the letters of a user are for. Raises a 409 problem where they are nobody who is sent any."""
    if user.responder_id is None:
        raise ProblemError(409, "no_responder", "This account belongs to no responder")
    return user.responder_id


def _pushed(session: Session, compound: str) -> list[Contact]:
    return list(
        session.scalars(
            select(Contact)
            .where(Contact.compound == compound, Contact.kind == ChannelKind.WEB_PUSH)
            .order_by(Contact.created_at)
        )
    )


def _endpoint(contact: Contact) -> str | None:
    try:
        return read(contact.address).endpoint
    except InvalidSubscriptionError:
        return None


def _note(session: Session, user: User, compound: str, what: str, contact: str, at: dt.datetime) -> None:
    append(
        session,
        at,
        AuditEntry(
            user.id, str(user.role), what, "notifications", f"contact:{contact}", "web_push", compound
        ),
    )
