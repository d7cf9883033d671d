"""Visitor passes at the gate: found by what a visitor shows or says, checked, used.

What is looked for travels in a body, since addresses end up in logs.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field, model_validator
from sqlalchemy.orm import Session

from alerts.dispatch import presses
from console.accounts.models import User
from console.api.pass_views import PassAnswer, PassAtGate, Text, answer, at_gate, find_visible
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from devices import checkins
from registry.models import PassDirection, PassKind, VisitorPass
from registry.passes import admission, cards
from registry.passes.admission import PassReason
from registry.passes.expected import by_plate, by_tail, by_token, destinations

router = APIRouter(tags=["passes"])
Guard = Annotated[User, may(Action.PASSES_USE)]
# The same use reported again is no second visitor.
_FIRST_TIME: Final = frozenset({PassReason.VALID, PassReason.LEAVING})


class PassSought(BaseModel):
    """One of: what the QR holds, the plate, the phone's last four digits; `zone` is where one stands."""

    token: Annotated[str | None, Field(max_length=200)] = None
    plate: Annotated[str | None, Field(max_length=32)] = None
    tail: Annotated[str | None, Field(max_length=8)] = None
    zone: Text | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "PassSought":
        if sum(said is not None for said in (self.token, self.plate, self.tail)) != 1:
            raise ValueError("say one of token, plate and tail")
        return self


class PassMatch(BaseModel):
    """One of several that fit; the guard asks the visitor which it is."""

    id: str
    kind: PassKind
    destination: str | None


class PassesFound(BaseModel):
    """What fits, and the pass itself where only one does; with an answer where a zone was given."""

    matches: list[PassMatch]
    visitor_pass: PassAnswer | PassAtGate | None


class PassShown(BaseModel):
    """Where a pass is shown."""

    zone: Text


class CardHanded(BaseModel):
    """The number of the card, as readers read it."""

    card: Text


class PassUsed(PassShown):
    """`use_id` is the client's own id of this use: sent again within two minutes it counts once.

    `lane` is where the guard stands: then the rules hear that the visitor was let in there. `at` and
    `sent_at`, both by the client's clock, are for what was noted without a network: it is taken with its own
    time, for the history alone.
    """

    use_id: Text
    direction: PassDirection = PassDirection.IN
    lane: Text | None = None
    at: AwareDatetime | None = None
    sent_at: AwareDatetime | None = None


@router.post("/passes/search")
def search(here: Here, user: Guard, sought: PassSought) -> PassesFound:
    """Passes that fit. By QR in whatever state; by plate or digits those that hold now."""
    at = here.clock.now()
    with here.database.write() as session:
        found = list(_found(session, here.compound, sought, at))
        where = destinations(session, here.compound, found, at)
        by = next(name for name in ("token", "plate", "tail") if getattr(sought, name) is not None)
        subject = f"visitor_pass:{found[0].id}" if len(found) == 1 else "visitor_pass:*"
        look = Look("pass.searched", Purpose.MONITORING, subject, f"by={by} matches={len(found)}")
        note_look(session, at, user, look)
        only: PassAnswer | PassAtGate | None = None
        if len(found) == 1:
            only = at_gate(found[0], where)
            if sought.zone is not None:
                only = answer(found[0], where, admission.check(session, found[0], sought.zone, at))
        return PassesFound(
            matches=[PassMatch(id=row.id, kind=row.kind, destination=where.get(row.id)) for row in found],
            visitor_pass=only,
        )


@router.post("/passes/{pass_id}/check")
def check(here: Here, user: Guard, pass_id: str, shown: PassShown) -> PassAnswer:
    """Whether a pass would let in here and now; nothing is counted."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        decision = admission.check(session, row, shown.zone, at)
        look = Look("pass.checked", Purpose.MONITORING, f"visitor_pass:{row.id}", str(decision.reason))
        note_look(session, at, user, look)
        return answer(row, destinations(session, here.compound, [row], at), decision)


@router.put("/passes/{pass_id}/card", status_code=204)
def hand_out(here: Here, user: Guard, pass_id: str, handed: CardHanded) -> None:
    """Gives the visitor a card from the gate's drawer: terminals open with it while the pass holds."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        cards.hand_out(session, row, handed.card, at)
        note_look(session, at, user, Look("pass.card_out", Purpose.MONITORING, f"visitor_pass:{row.id}"))


@router.delete("/passes/{pass_id}/card", status_code=204)
def take_back(here: Here, user: Guard, pass_id: str) -> None:
    """The visitor has returned the card: it opens nothing any more."""
    at = here.clock.now()
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        cards.take_back(session, row)
        note_look(session, at, user, Look("pass.card_back", Purpose.MONITORING, f"visitor_pass:{row.id}"))


@router.post("/passes/{pass_id}/uses")
def use(here: Here, user: Guard, pass_id: str, used: PassUsed) -> PassAnswer:
    """Lets in and counts, or says why not; on the way out it only notes that the visitor left.

    What was noted more than twelve hours ago is not taken any more (409 `press_too_old`).
    """
    received_at = here.clock.now()
    at = presses.moment(used.at, used.sent_at, received_at)
    late = received_at - at >= presses.LATE
    with here.database.write() as session:
        row = find_visible(session, here.compound, user, pass_id)
        decision = admission.use(session, row, used.zone, at, use_id=used.use_id, direction=used.direction)
        if used.lane is not None and decision.reason in _FIRST_TIME:
            checkins.note(
                session,
                row,
                used.zone,
                used.lane,
                at,
                use_id=used.use_id,
                direction=used.direction,
                received_at=received_at,
                late=late,
            )
        detail = (
            f"{decision.reason} noted={at.isoformat(timespec='seconds')}" if late else str(decision.reason)
        )
        look = Look("pass.used", Purpose.MONITORING, f"visitor_pass:{row.id}", detail)
        note_look(session, received_at, user, look)
        return answer(row, destinations(session, here.compound, [row], at), decision)


def _found(session: Session, compound: str, sought: PassSought, at: dt.datetime) -> Sequence[VisitorPass]:
    if sought.token is not None:
        row = by_token(session, compound, sought.token)
        return () if row is None else (row,)
    if sought.plate is not None:
        return by_plate(session, compound, sought.plate, at)
    return by_tail(session, compound, sought.tail or "", at)
