"""Consents of a person, and the face templates that stand on them."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, File, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.erasures import ReceiptView, follow_up_later, receipt_of
from console.api.idempotency import Answer, attempt, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.api.subjects import find_person
from console.context import ConsentMissingError, Rooms
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor
from privacy import erasures
from registry.faces import consents
from registry.models import Consent, ConsentPurpose, GivenBy

router = APIRouter(tags=["consents"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Recorder = Annotated[User, may(Action.CONSENTS_RECORD)]
Enroller = Annotated[User, may(Action.FACES_ENROL)]

PHOTO_MAX_BYTES = 8 * 1024 * 1024


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ConsentView(_FromRow):
    id: str
    purpose: ConsentPurpose
    text_hash: str
    channel: str
    given_by: GivenBy
    guardian: str | None
    given_at: dt.datetime
    withdrawn_at: dt.datetime | None


class ConsentGiven(BaseModel):
    """The exact wording that was agreed to, and how."""

    purpose: ConsentPurpose
    wording: Annotated[str, Field(min_length=1, max_length=20_000)]
    channel: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]
    given_by: GivenBy
    # Who agreed for a child; without it the guardian that the registry knows.
    guardian: Annotated[str | None, Field(max_length=64)] = None


class Withdrawn(BaseModel):
    """How many templates went with the consent; for a face the receipt of everything that goes with it."""

    templates_deleted: int
    erasure: ReceiptView | None


class TemplateView(BaseModel):
    """A template that was made; the numbers of a face are never shown."""

    template_id: str
    media_id: str | None
    quality: float | None


@router.get("/people/{person_id}/consents")
def list_consents(here: Here, user: Finder, person_id: str, purpose: Purpose) -> Page[ConsentView]:
    """All consents of a person, also those withdrawn."""
    with here.database.write() as session:
        row = person_in_reach(session, user, here.compound, person_id)
        look = Look("consents.viewed", purpose, f"person:{row.id}")
        note_look(session, here.clock.now(), user, look)
        return Page(items=consents_of(session, row.id), next_cursor=None)


@router.post("/people/{person_id}/consents", response_model=ConsentView, status_code=201)
def give(here: Here, request: Request, user: Recorder, person_id: str, given: ConsentGiven) -> Response:
    """Records a consent. Refused with `guardian_required` for a child's own."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = find_person(session, here.compound, person_id)
        consent = consents.give(
            session,
            row,
            given.purpose,
            wording=given.wording,
            channel=given.channel,
            given_by=given.given_by,
            guardian=given.guardian,
            at=at,
        )
        note_look(session, at, user, _change("consent.given", row.id, given.purpose))
        return 201, ConsentView.model_validate(consent).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.delete("/people/{person_id}/consents/{purpose}")
def withdraw(
    here: Here, user: Recorder, tasks: BackgroundTasks, person_id: str, purpose: ConsentPurpose
) -> Withdrawn:
    """Ends a consent; what stood on it goes in the same commit, and from everywhere else after it."""
    return withdraw_consent(here, user, tasks, person_id, purpose, Purpose.REGISTRY_MAINTENANCE)


def withdraw_consent(
    here: Rooms, user: User, tasks: BackgroundTasks, person_id: str, purpose: ConsentPurpose, why: Purpose
) -> Withdrawn:
    """Withdraws for whoever may; raises a 404 problem."""
    with here.database.write() as session:
        row = find_person(session, here.compound, person_id)
        at = here.clock.now()
        ended = erasures.withdraw(session, row, purpose, at=at, by=user.id)
        detail = f"{purpose} templates={ended.templates_deleted}"
        note_look(session, at, user, Look("consent.withdrawn", why, f"person:{row.id}", detail))
        receipt = None if ended.erasure is None else receipt_of(session, user, ended.erasure.id, at)
    follow_up_later(here, tasks)
    return Withdrawn(templates_deleted=ended.templates_deleted, erasure=receipt)


@router.post("/people/{person_id}/templates", response_model=TemplateView, status_code=201)
def enrol(
    here: Here, request: Request, user: Enroller, person_id: str, photo: Annotated[UploadFile, File()]
) -> Response:
    """Makes a face template of a photo.

    `consent_missing` without consent, `photo_refused` where the photo is no good.
    """
    if here.portrait_engine is None:
        raise ProblemError(503, "enrolment_unavailable", "This process has no face engine")
    content = photo.file.read(PHOTO_MAX_BYTES + 1)
    if len(content) > PHOTO_MAX_BYTES:
        raise ProblemError(413, "photo_too_large", "The photo is too large", maximum_bytes=PHOTO_MAX_BYTES)
    at = here.clock.now()
    trying = attempt(request, user, content, at)
    with here.database.read() as session:
        find_person(session, here.compound, person_id)
        known = trying.recall(session) if trying else None
        consent = consents.active(session, person_id, ConsentPurpose.FACE_ACCESS)
    if known is not None:
        return known
    if consent is None:
        # Fail secure: the engine checks it too, but must not even see the photo without.
        raise ConsentMissingError(person_id)
    # Embedding a face takes a second: the engine opens its own transaction when it is done.
    made = here.portrait_engine.enrol(person_id, content, as_actor(user))
    body: dict[str, Any] = {
        "template_id": made.template_id,
        "media_id": made.media_id,
        "quality": made.quality,
    }
    with here.database.write() as session:
        look = _change("template.enrolled", person_id, made.template_id)
        note_look(session, at, user, look)
        if trying:
            trying.remember(session, (201, body))
    return JSONResponse(body, 201)


def consents_of(session: Session, person_id: str) -> list[ConsentView]:
    """All consents of a person, the earliest first."""
    rows = session.scalars(select(Consent).where(Consent.person == person_id).order_by(Consent.given_at))
    return [ConsentView.model_validate(row) for row in rows]


def _change(action: str, person_id: str, detail: str) -> Look:
    return Look(action, Purpose.REGISTRY_MAINTENANCE, f"person:{person_id}", detail)
