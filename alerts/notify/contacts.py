"""Contacts, rules and quiet hours, as their owners set them; and the test button.

An address is a key to somebody's phone: it comes in and is never shown again but for a hint.
"""

import datetime as dt
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team
from alerts.notify import plan
from alerts.notify.asking import Ask, ask
from alerts.notify.channels import chats
from alerts.notify.channels.outward import ForbiddenAddressError, check_url
from alerts.notify.models import (
    ChannelKind,
    Contact,
    ContactStep,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from registry.errors import MissingError, RefusedError
from storage import new_id

CONTACTS_MOST: Final = 20
STEPS_MOST: Final = 12
WAIT_MOST_S: Final = 3600
TEST_EVERY_S: Final = 10
TEST_LASTS: Final = dt.timedelta(minutes=2)

OWN_KINDS: Final = frozenset({ChannelKind.APPRISE, ChannelKind.TELEPHONE, ChannelKind.PHONE_PAGE})
"""What somebody enters for themselves; a browser subscribes by itself."""

COMPOUND_KINDS: Final = frozenset(
    {ChannelKind.APPRISE, ChannelKind.WEBHOOK, ChannelKind.MQTT, ChannelKind.CONSOLE}
)

_NUMBER: Final = re.compile(r"^\+?[0-9][0-9 -]{2,22}[0-9]$")


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one try."""

    kind: ChannelKind
    state: str
    error: str | None


def own(session: Session, compound: str, responder: str) -> Sequence[Contact]:
    """A responder's contacts, oldest first."""
    return session.scalars(
        select(Contact)
        .where(Contact.compound == compound, Contact.responder == responder)
        .order_by(Contact.created_at, Contact.id)
    ).all()


def of_compound(session: Session, compound: str) -> Sequence[Contact]:
    """The compound's own channels: sirens, group chats, webhooks, the control room's sound."""
    return session.scalars(
        select(Contact)
        .where(Contact.compound == compound, Contact.responder.is_(None))
        .order_by(Contact.created_at, Contact.id)
    ).all()


def find(session: Session, compound: str, contact: str, responder: str | None) -> Contact:
    """One of these. Raises `MissingError` for another's as for none."""
    row = session.get(Contact, contact)
    if row is None or row.compound != compound or row.responder != responder:
        raise MissingError("contact")
    return row


def add(
    session: Session,
    compound: str,
    responder: str | None,
    kind: ChannelKind,
    name: str,
    address: str,
    at: dt.datetime,
    *,
    settings: Mapping[str, Any] | None = None,
) -> Contact:
    """A new contact. A webhook gets a secret to sign with, which is read once, from the row.

    Raises `RefusedError`: `contact_kind`, `contact_address`, `contacts_many`.
    """
    if kind not in (OWN_KINDS if responder is not None else COMPOUND_KINDS):
        raise RefusedError("contact_kind", kind=kind.value)
    _check(kind, address)
    there = session.scalar(
        select(func.count())
        .select_from(Contact)
        .where(Contact.compound == compound, Contact.responder == responder)
    )
    if (there or 0) >= CONTACTS_MOST:
        raise RefusedError("contacts_many", most=CONTACTS_MOST)
    row = Contact(
        id=new_id(),
        compound=compound,
        responder=responder,
        kind=kind,
        name=name.strip() or kind.value,
        address=address.strip(),
        secret=secrets.token_urlsafe(32) if kind is ChannelKind.WEBHOOK else None,
        settings=dict(settings or {}),
        enabled=True,
        created_at=at,
        failures=0,
    )
    session.add(row)
    session.flush()
    return row


def remove(session: Session, contact: Contact) -> None:
    """It is forgotten, and every rule goes on without it."""
    session.execute(delete(ContactStep).where(ContactStep.contact == contact.id))
    session.delete(contact)
    session.flush()


def rule_of(session: Session, responder: str, *, important: bool) -> Sequence[ContactStep]:
    """The rule that somebody has made; none: the usual one holds."""
    return session.scalars(
        select(ContactStep)
        .where(ContactStep.responder == responder, ContactStep.important == important)
        .order_by(ContactStep.number)
    ).all()


def usual_rule(session: Session, compound: str, responder: str) -> list[tuple[str, float]]:
    """What holds for whoever has made no rule: contacts, and the seconds before each."""
    return plan.usual([(one.id, ChannelKind(one.kind)) for one in own(session, compound, responder)])


def set_rule(
    session: Session,
    compound: str,
    responder: str,
    steps: Sequence[tuple[str, int]],
    *,
    important: bool,
) -> None:
    """Makes a rule: contacts with the seconds before each, 0…3600; none: the usual one from now on.

    Raises `RefusedError` `rule_steps` and `MissingError` for a contact that is not theirs.
    """
    if len(steps) > STEPS_MOST or any(not 0 <= after <= WAIT_MOST_S for _, after in steps):
        raise RefusedError("rule_steps", most=STEPS_MOST)
    mine = {one.id for one in own(session, compound, responder)}
    if any(contact not in mine for contact, _ in steps):
        raise MissingError("contact")
    session.execute(
        delete(ContactStep).where(ContactStep.responder == responder, ContactStep.important == important)
    )
    session.add_all(
        ContactStep(responder=responder, important=important, number=number, contact=contact, after_s=after)
        for number, (contact, after) in enumerate(steps)
    )
    session.flush()


def set_quiet(session: Session, compound: str, responder: str, begins: int | None, ends: int | None) -> None:
    """No notices between two minutes of the local day, 0…1439; None and None: at any time.

    Raises `RefusedError` `quiet_hours`.
    """
    if (begins is None) != (ends is None) or any(
        minute is not None and not 0 <= minute < 1440 for minute in (begins, ends)
    ):
        raise RefusedError("quiet_hours")
    row = session.get(Responder, responder)
    team = session.get(Team, row.team) if row is not None else None
    if row is None or team is None or team.compound != compound:
        raise MissingError("responder")
    row.quiet_from, row.quiet_to = begins, ends


def try_out(session: Session, contact: Contact, at: dt.datetime) -> Notification:
    """Asks for a letter by this contact alone; twice within some seconds is once."""
    key = f"test:{contact.id}:{int(at.timestamp()) // TEST_EVERY_S}"
    made = ask(
        session,
        [
            Ask(
                compound=contact.compound,
                key=key,
                purpose=Purpose.TEST,
                severity=3,
                responder=contact.responder,
                channel=contact.id,
                expires_at=at + TEST_LASTS,
            )
        ],
        at,
    )
    if made:
        return made[0]
    return session.scalars(
        select(Notification).where(Notification.compound == contact.compound, Notification.key == key)
    ).one()


def outcome(session: Session, notification: str) -> tuple[NotificationState, list[Came]]:
    """Where a notification stands, and what came of its tries. Raises `MissingError`."""
    row = session.get(Notification, notification)
    if row is None:
        raise MissingError("notification")
    tries = session.scalars(
        select(NotificationAttempt)
        .where(NotificationAttempt.notification == notification)
        .order_by(NotificationAttempt.number)
    )
    return NotificationState(row.state), [Came(ChannelKind(one.kind), one.state, one.error) for one in tries]


def hint(contact: Contact) -> str:
    """Enough to tell one's own contacts apart, too little to use one."""
    address = contact.address
    match ChannelKind(contact.kind):
        case ChannelKind.TELEPHONE:
            return f"…{address[-2:]}"
        case ChannelKind.APPRISE:
            return f"{address.partition('://')[0]}://…"
        case ChannelKind.WEBHOOK:
            return urlsplit(address).hostname or "…"
        case ChannelKind.MQTT | ChannelKind.CONSOLE | ChannelKind.PHONE_PAGE:
            return address[:64]
        case ChannelKind.WEB_PUSH:
            return "…"


def _check(kind: ChannelKind, address: str) -> None:
    """Whether it may be entered; where it leads is looked at again whenever something is sent there."""
    text = address.strip()
    try:
        match kind:
            case ChannelKind.TELEPHONE:
                good = _NUMBER.match(text) is not None
            case ChannelKind.APPRISE:
                good = bool(chats.check(text))
            case ChannelKind.WEBHOOK:
                good = bool(check_url(text).host)
            case _:
                good = 0 < len(text) <= 200 and text.isprintable()
    except (chats.InvalidServiceError, ForbiddenAddressError):
        good = False
    if not good:
        raise RefusedError("contact_address", kind=kind.value)
