"""Erasures: ordered, followed up after the answer, and shown as a receipt of what has confirmed."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.subjects import find_person
from console.context import Rooms
from console.permissions import Action, allowed, may
from console.problems import not_found
from privacy import erasures, requests
from privacy.models import Erasure, ErasureKind, StepState
from storage.vault import current_vault

router = APIRouter(tags=["erasures"])
Eraser = Annotated[User, may(Action.ERASE, proven=True)]
Reader = Annotated[User, may(Action.ERASURES_READ)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ErasureSummary(_FromRow):
    """`completed_at` is set once nothing is outstanding but what law or a hold keeps."""

    id: str
    person: str
    kind: ErasureKind
    request: str | None
    ordered_at: dt.datetime
    due_at: dt.datetime
    completed_at: dt.datetime | None


class StepView(_FromRow):
    """One place: `place` is its kind, `name` which gallery, terminal or backup.

    `reasons` say what keeps something, `until` when that ends, `counts` how much went.
    """

    place: str
    name: str | None
    state: StepState
    at: dt.datetime
    reasons: list[str]
    until: dt.datetime | None
    counts: dict[str, int]
    code: str | None


class ReceiptView(ErasureSummary):
    """`overdue`: a place has not confirmed although the time for it is over."""

    overdue: bool
    steps: list[StepView]


class ErasureOrdered(BaseModel):
    """How much, and the request it answers, where there is one."""

    kind: ErasureKind = ErasureKind.PERSON
    request: str | None = None


@router.post("/people/{person_id}/erasure", response_model=ReceiptView, status_code=202)
def order(
    here: Here,
    request: Request,
    user: Eraser,
    tasks: BackgroundTasks,
    person_id: str,
    ordered: ErasureOrdered,
) -> Response:
    """Erases a person, or their face; answers with the receipt as it stands.

    What law or a hold keeps is said in it, and goes once nothing keeps it. Twice is harmless.
    """

    def work(session: Session, at: dt.datetime) -> Answer:
        person = find_person(session, here.compound, person_id)
        if ordered.request is not None:
            asked = requests.find(session, here.compound, ordered.request)
            if asked.person != person.id:
                raise not_found("request")
        erasure = erasures.order(session, person, ordered.kind, at=at, by=user.id, request=ordered.request)
        look = Look("erasure.ordered", Purpose.RESIDENT_REQUEST, f"person:{person.id}", ordered.kind)
        note_look(session, at, user, look)
        return 202, receipt_of(session, user, erasure.id, at).model_dump(mode="json")

    follow_up_later(here, tasks)
    return once(here, request, user, ordered.model_dump(mode="json"), work)


@router.get("/erasures")
def list_erasures(
    here: Here, _: Reader, paging: Asked, *, is_open: Annotated[bool, Query(alias="open")] = False
) -> Page[ErasureSummary]:
    """Erasures, newest first; with `open` those that a place has still to confirm."""
    query = select(Erasure).where(Erasure.compound == here.compound)
    if is_open:
        query = query.where(Erasure.completed_at.is_(None))
    with here.database.read() as session:
        order_by = (Erasure.ordered_at, Erasure.id)
        items, cursor = newest_first(session, query, order_by, paging, ErasureSummary.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/erasures/{erasure_id}")
def receipt(here: Here, user: Reader, erasure_id: str) -> ReceiptView:
    """The receipt. Holds and official orders are told as such only to those who may read holds."""
    with here.database.write() as session:
        if erasures.find(session, here.compound, erasure_id) is None:
            raise not_found("erasure")
        at = here.clock.now()
        view = receipt_of(session, user, erasure_id, at)
        note_look(session, at, user, Look("erasure.viewed", Purpose.REVIEW, f"person:{view.person}"))
        return view


def receipt_of(session: Session, user: User, erasure_id: str, at: dt.datetime) -> ReceiptView:
    """A receipt with as much as this user may know."""
    known = allowed(user, Action.HOLDS_READ)
    return ReceiptView.model_validate(erasures.receipt(session, erasure_id, at, may_know=known))


def follow_up_later(here: Rooms, tasks: BackgroundTasks) -> None:
    """Takes erasures further once the answer is out; the keeper does it too, should this process end."""

    def run() -> None:
        erasures.follow_up(here.database, here.media, current_vault(), here.clock.now())

    tasks.add_task(run)
