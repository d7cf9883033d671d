"""How somebody wants to be reached: contacts, rules, quiet hours, the test; and the compound's channels.

An address comes in and never goes out again: what is shown is a hint.
"""

import asyncio
import datetime as dt
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from alerts.duty.models import Responder
from alerts.notify import contacts
from alerts.notify.contacts import STEPS_MOST, WAIT_MOST_S
from alerts.notify.models import AttemptState, ChannelKind, Contact, NotificationState
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.push import responder_of
from console.context import Rooms
from console.permissions import Action, may
from storage.audit import AuditEntry, append

router = APIRouter(tags=["notifications"])
Own = Annotated[User, may(Action.CONTACTS_OWN)]
Editor = Annotated[User, may(Action.CONTACTS_EDIT)]
_Id = Annotated[str, Field(min_length=1, max_length=32)]
_Minute = Annotated[int, Field(ge=0, le=1439)]
_Wait = Annotated[int, Query(ge=0, le=20)]

_LOOK_S: Final = 0.2


class ContactView(BaseModel):
    """`hint` tells one's contacts apart; `dead_since`: it does not work any more; `paused_until`: not now."""

    id: str
    kind: ChannelKind
    name: str
    hint: str
    settings: dict[str, Any]
    enabled: bool
    created_at: dt.datetime
    worked_at: dt.datetime | None
    failed_at: dt.datetime | None
    failures: int
    error: str | None
    dead_since: dt.datetime | None
    paused_until: dt.datetime | None


class ChannelMade(ContactView):
    """With what a webhook's letters are signed with; shown this once."""

    secret: str | None


class ContactAsked(BaseModel):
    """`address`: a number for telephone, an Apprise URL for apprise, `page` for the open phone page."""

    kind: ChannelKind
    name: Annotated[str, Field(max_length=64)] = ""
    address: Annotated[str, Field(min_length=1, max_length=2048)]


class ChannelAsked(ContactAsked):
    """`settings` are the channel's own, such as what a siren does."""

    settings: Annotated[dict[str, Any], Field(max_length=20)] = Field(default_factory=dict)


class RuleStep(BaseModel):
    """`after_s`: seconds after the step before without an answer; of the first one after the asking."""

    contact: _Id
    after_s: Annotated[int, Field(ge=0, le=WAIT_MOST_S)]


class RuleSet(BaseModel):
    """No steps: the usual rule from now on."""

    important: bool = False
    steps: Annotated[list[RuleStep], Field(max_length=STEPS_MOST)]


class RulesView(BaseModel):
    """`usual` is what holds where a list is empty; of what is important the default rule, before that."""

    default: list[RuleStep]
    important: list[RuleStep]
    usual: list[RuleStep]


class QuietHours(BaseModel):
    """Minutes of the compound's day between which no notices (S4) come; both None: they always do."""

    quiet_from: _Minute | None
    quiet_to: _Minute | None


class TryView(BaseModel):
    """What came of a try, by a code."""

    kind: ChannelKind
    state: str
    error: str | None


class TestView(BaseModel):
    """`state` is pending while nothing is known yet."""

    notification: str
    state: NotificationState
    attempts: list[TryView]


@router.get("/contacts")
def own_contacts(here: Here, user: Own) -> list[ContactView]:
    """Mine."""
    with here.database.read() as session:
        return [_view(one) for one in contacts.own(session, here.compound, responder_of(user))]


@router.post("/contacts", response_model=ContactView, status_code=201)
def add_contact(here: Here, request: Request, user: Own, asked: ContactAsked) -> Response:
    """A further way to reach me."""
    responder = responder_of(user)

    def work(session: Session, at: dt.datetime) -> Answer:
        row = contacts.add(session, here.compound, responder, asked.kind, asked.name, asked.address, at)
        _note(session, here, user, "contact.added", row)
        return 201, _view(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.delete("/contacts/{contact_id}", status_code=204)
def remove_contact(here: Here, user: Own, contact_id: str) -> Response:
    """It is forgotten, and my rules go on without it."""
    return _removed(here, user, contact_id, responder_of(user))


@router.post("/contacts/{contact_id}/test")
async def try_contact(here: Here, user: Own, contact_id: str, wait: _Wait = 10) -> TestView:
    """Sends a letter by this contact alone, and says what came of it within `wait` seconds."""
    return await _tested(here, contact_id, responder_of(user), wait)


@router.get("/contact-rules")
def own_rules(here: Here, user: Own) -> RulesView:
    """My rules."""
    responder = responder_of(user)
    with here.database.read() as session:
        made = {
            important: [
                RuleStep(contact=one.contact, after_s=one.after_s)
                for one in contacts.rule_of(session, responder, important=important)
            ]
            for important in (False, True)
        }
        usual = contacts.usual_rule(session, here.compound, responder)
    return RulesView(
        default=made[False],
        important=made[True],
        usual=[RuleStep(contact=contact, after_s=int(after)) for contact, after in usual],
    )


@router.put("/contact-rules", status_code=204)
def set_rule(here: Here, user: Own, rule: RuleSet) -> Response:
    """Makes one of my two rules, as a whole."""
    steps = [(one.contact, one.after_s) for one in rule.steps]
    with here.database.write() as session:
        contacts.set_rule(session, here.compound, responder_of(user), steps, important=rule.important)
    return Response(status_code=204)


@router.get("/quiet-hours")
def quiet_hours(here: Here, user: Own) -> QuietHours:
    """When I want no notices."""
    with here.database.read() as session:
        row = session.get(Responder, responder_of(user))
        return QuietHours(quiet_from=row.quiet_from if row else None, quiet_to=row.quiet_to if row else None)


@router.put("/quiet-hours", status_code=204)
def set_quiet_hours(here: Here, user: Own, hours: QuietHours) -> Response:
    """Notices wait for their end; whatever is graver never does."""
    with here.database.write() as session:
        contacts.set_quiet(session, here.compound, responder_of(user), hours.quiet_from, hours.quiet_to)
    return Response(status_code=204)


@router.get("/channels")
def channels(here: Here, _: Editor) -> list[ContactView]:
    """The compound's: group chats, webhooks, sirens, the control room's sound."""
    with here.database.read() as session:
        return [_view(one) for one in contacts.of_compound(session, here.compound)]


@router.post("/channels", status_code=201)
def add_channel(here: Here, user: Editor, asked: ChannelAsked) -> ChannelMade:
    """A further channel. A webhook's secret is in this answer and in no other."""
    at = here.clock.now()
    with here.database.write() as session:
        row = contacts.add(
            session, here.compound, None, asked.kind, asked.name, asked.address, at, settings=asked.settings
        )
        _note(session, here, user, "contact.added", row)
        return ChannelMade(**_view(row).model_dump(), secret=row.secret)


@router.delete("/channels/{contact_id}", status_code=204)
def remove_channel(here: Here, user: Editor, contact_id: str) -> Response:
    """Nothing goes there any more."""
    return _removed(here, user, contact_id, None)


@router.post("/channels/{contact_id}/test")
async def try_channel(here: Here, _: Editor, contact_id: str, wait: _Wait = 10) -> TestView:
    """Sends a letter there, and says what came of it within `wait` seconds."""
    return await _tested(here, contact_id, None, wait)


async def _tested(here: Rooms, contact: str, responder: str | None, wait: int) -> TestView:
    key = await run_in_threadpool(_ask, here, contact, responder)
    end = asyncio.get_running_loop().time() + wait
    while True:
        view = await run_in_threadpool(_outcome, here, key)
        over = view.state is not NotificationState.PENDING or any(
            one.state != AttemptState.SENDING for one in view.attempts
        )
        if over or asyncio.get_running_loop().time() >= end:
            return view
        await asyncio.sleep(_LOOK_S)


def _ask(here: Rooms, contact: str, responder: str | None) -> str:
    with here.database.write() as session:
        row = contacts.find(session, here.compound, contact, responder)
        return contacts.try_out(session, row, here.clock.now()).id


def _outcome(here: Rooms, notification: str) -> TestView:
    with here.database.read() as session:
        state, came = contacts.outcome(session, notification)
    return TestView(
        notification=notification,
        state=state,
        attempts=[TryView(kind=one.kind, state=one.state, error=one.error) for one in came],
    )


def _removed(here: Rooms, user: User, contact: str, responder: str | None) -> Response:
    with here.database.write() as session:
        row = contacts.find(session, here.compound, contact, responder)
        _note(session, here, user, "contact.removed", row)
        contacts.remove(session, row)
    return Response(status_code=204)


def _note(session: Session, here: Rooms, user: User, what: str, contact: Contact) -> None:
    entry = AuditEntry(
        user.id, str(user.role), what, "notifications", f"contact:{contact.id}", contact.kind, here.compound
    )
    append(session, here.clock.now(), entry)


def _view(row: Contact) -> ContactView:
    return ContactView(
        id=row.id,
        kind=ChannelKind(row.kind),
        name=row.name,
        hint=contacts.hint(row),
        settings=row.settings,
        enabled=row.enabled,
        created_at=row.created_at,
        worked_at=row.worked_at,
        failed_at=row.failed_at,
        failures=row.failures,
        error=row.error,
        dead_since=row.dead_since,
        paused_until=row.paused_until,
    )
