"""How I am reached: my ways in their order, quiet hours, a test of each; the compound's channels.

The same page on the phone and in the console. What is entered is a key to somebody's phone: it is
shown to nobody again, not even to whoever entered it.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.notify import contacts
from alerts.notify.contacts import COMPOUND_KINDS
from alerts.notify.models import ChannelKind, Contact
from console.accounts.models import User
from console.context import Rooms, rooms
from console.pages.view import frame, render
from console.pages.ways import Step, Way, rules_of, tested_of, way_of
from console.permissions import Action, allowed, may
from console.security import as_actor
from devices.commands.kinds import MAX_SOUND_S
from registry.errors import RefusedError
from storage.audit import AuditEntry, append

router = APIRouter()
Own = Annotated[User, may(Action.CONTACTS_OWN)]
Editor = Annotated[User, may(Action.CONTACTS_EDIT)]
Where = Literal["phone", "console"]

WAITS: Final = (0, 15, 30, 60, 120, 300, 900)
"""Seconds that may be chosen between two steps of a rule."""
_ENTERED: Final = (ChannelKind.TELEPHONE, ChannelKind.APPRISE)


@router.get("/phone/notifications")
def on_the_phone(request: Request, user: Own) -> Response:
    return _page(request, user, "phone")


@router.get("/console/notifications")
def in_the_console(request: Request, user: Own) -> Response:
    return _page(request, user, "console")


@router.get("/{where}/notifications/tested/{notification}")
def tested(request: Request, user: Own, where: Where, notification: str) -> Response:
    """What came of a test so far; asked again by the page until something did."""
    here, view = rooms(request), frame(request)
    return render(
        view,
        "fragments/tested.html",
        where=where,
        tested=tested_of(here, user, notification),
        asked=notification,
    )


@router.post("/{where}/notifications/contacts")
def add(
    request: Request,
    user: Own,
    where: Where,
    kind: Annotated[ChannelKind, Form()],
    address: Annotated[str, Form(max_length=2048)],
    name: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """A further way to reach me."""
    here = rooms(request)
    try:
        with here.database.write() as session:
            at = here.clock.now()
            made = contacts.add(session, here.compound, _responder(user), kind, name, address, at)
            _note(session, here, user, "contact.added", made)
    except RefusedError as error:
        return _page(request, user, where, refused=error.code, status=409)
    return RedirectResponse(f"/{where}/notifications", 303)


@router.post("/{where}/notifications/contacts/{contact}/remove")
def remove(request: Request, user: Own, where: Where, contact: str) -> Response:
    """It is forgotten."""
    _remove(rooms(request), user, contact, user.responder_id or "")
    return RedirectResponse(f"/{where}/notifications", 303)


@router.post("/{where}/notifications/contacts/{contact}/test")
def try_own(request: Request, user: Own, where: Where, contact: str) -> Response:
    """A letter by this way alone."""
    asked = _try(rooms(request), contact, user.responder_id or "")
    return RedirectResponse(f"/{where}/notifications?tested={asked}", 303)


@router.post("/{where}/notifications/rule")
def set_rule(
    request: Request,
    user: Own,
    where: Where,
    contact: Annotated[list[str], Form()],
    after: Annotated[list[int], Form()],
    important: Annotated[bool, Form()] = False,
) -> Response:
    """Makes one of my two rules of the rows that were filled in; none: the usual one."""
    here = rooms(request)
    steps = [(one, wait) for one, wait in zip(contact, after, strict=False) if one]
    try:
        with here.database.write() as session:
            contacts.set_rule(session, here.compound, _responder(user), steps, important=important)
    except RefusedError as error:
        return _page(request, user, where, refused=error.code, status=409)
    return RedirectResponse(f"/{where}/notifications?kept=rule", 303)


@router.post("/{where}/notifications/quiet")
def set_quiet(
    request: Request,
    user: Own,
    where: Where,
    begins: Annotated[str, Form(max_length=5)] = "",
    ends: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Notices wait between these hours; both empty: they never do."""
    here = rooms(request)
    try:
        with here.database.write() as session:
            contacts.set_quiet(session, here.compound, _responder(user), _minute(begins), _minute(ends))
    except RefusedError as error:
        return _page(request, user, where, refused=error.code, status=409)
    return RedirectResponse(f"/{where}/notifications?kept=quiet", 303)


@router.post("/console/notifications/channels")
def add_channel(
    request: Request,
    user: Editor,
    kind: Annotated[ChannelKind, Form()],
    address: Annotated[str, Form(max_length=2048)] = "",
    name: Annotated[str, Form(max_length=64)] = "",
    do: Annotated[Literal["sound", "speak"], Form()] = "sound",
    seconds: Annotated[int, Form(ge=1, le=MAX_SOUND_S)] = 30,
    drills: Annotated[bool, Form()] = False,
) -> Response:
    """A channel of the compound. A webhook's secret is on this page and on no other."""
    here = rooms(request)
    settings: dict[str, Any] = {}
    if kind is ChannelKind.MQTT:
        settings = {"do": do, "seconds": seconds, "drills": drills}
    try:
        with here.database.write() as session:
            made = contacts.add(
                session,
                here.compound,
                None,
                kind,
                name,
                address or ("room" if kind is ChannelKind.CONSOLE else ""),
                here.clock.now(),
                settings=settings,
            )
            _note(session, here, user, "contact.added", made)
            secret = made.secret
    except RefusedError as error:
        return _page(request, user, "console", refused=error.code, status=409)
    if secret is not None:
        return _page(request, user, "console", secret=secret)
    return RedirectResponse("/console/notifications#channels", 303)


@router.post("/console/notifications/channels/{contact}/remove")
def remove_channel(request: Request, user: Editor, contact: str) -> Response:
    """Nothing goes there any more."""
    _remove(rooms(request), user, contact, None)
    return RedirectResponse("/console/notifications#channels", 303)


@router.post("/console/notifications/channels/{contact}/test")
def try_channel(request: Request, _: Editor, contact: str) -> Response:
    """A letter to this channel alone."""
    asked = _try(rooms(request), contact, None)
    return RedirectResponse(f"/console/notifications?tested={asked}", 303)


def _page(
    request: Request,
    user: User,
    where: Where,
    *,
    refused: str | None = None,
    secret: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    asked = request.query_params.get("tested", "")
    own: Sequence[Way] = ()
    rules: dict[str, list[Step]] = {}
    quiet = ("", "")
    editor = where == "console" and allowed(user, Action.CONTACTS_EDIT)
    with here.database.read() as session:
        if user.responder_id is not None:
            own = [way_of(one, view) for one in contacts.own(session, here.compound, user.responder_id)]
            rules = rules_of(session, user.responder_id)
            person = session.get(Responder, user.responder_id)
            if person is not None:
                quiet = (_clock(person.quiet_from), _clock(person.quiet_to))
        channels = (
            [way_of(one, view) for one in contacts.of_compound(session, here.compound)] if editor else []
        )
    return render(
        view,
        "notifications.html",
        status=status,
        where=where,
        letters_room=where == "console" and allowed(user, Action.INCIDENTS_READ),
        responder=user.responder_id is not None,
        pushes=here.push_key is not None,
        own=own,
        rules=rules,
        waits=WAITS,
        quiet=quiet,
        entered=_ENTERED,
        editor=editor,
        channels=channels,
        channel_kinds=sorted(COMPOUND_KINDS),
        refused=refused,
        secret=secret,
        kept=request.query_params.get("kept"),
        asked=asked,
        tested=tested_of(here, user, asked) if asked else None,
    )


def _try(here: Rooms, contact: str, responder: str | None) -> str:
    with here.database.write() as session:
        row = contacts.find(session, here.compound, contact, responder)
        return contacts.try_out(session, row, here.clock.now()).id


def _remove(here: Rooms, user: User, contact: str, responder: str | None) -> None:
    with here.database.write() as session:
        row = contacts.find(session, here.compound, contact, responder)
        _note(session, here, user, "contact.removed", row)
        contacts.remove(session, row)


def _note(session: Session, here: Rooms, user: User, what: str, contact: Contact) -> None:
    actor = as_actor(user)
    entry = AuditEntry(
        actor.id, actor.role, what, "notifications", f"contact:{contact.id}", str(contact.kind), here.compound
    )
    append(session, here.clock.now(), entry)


def _responder(user: User) -> str:
    if user.responder_id is None:
        raise RefusedError("no_responder")
    return user.responder_id


def _minute(text: str) -> int | None:
    """A time of day as minutes; None where it is empty. Raises `RefusedError` `quiet_hours`."""
    if not text.strip():
        return None
    try:
        at = dt.time.fromisoformat(text.strip())
    except ValueError:
        raise RefusedError("quiet_hours") from None
    return at.hour * 60 + at.minute


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"
