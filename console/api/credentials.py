"""Credentials of people: given out, suspended, lost, renewed, ended."""

import datetime as dt
import enum
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Made, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.subjects import find_person
from console.permissions import Action, may
from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.days import local_date
from registry.models import Credential, CredentialKind, CredentialStatus
from registry.people import leavers
from registry.rows import find

router = APIRouter(tags=["credentials"])
Editor = Annotated[User, may(Action.CREDENTIALS_EDIT)]

_SHOWN: Final = 4


class CredentialView(BaseModel):
    """A credential; of its number the end only, of a PIN nothing."""

    id: str
    version: int
    kind: CredentialKind
    status: CredentialStatus
    ref_end: str | None
    zones: list[str]
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    external_id: str | None


class CredentialGiven(BaseModel):
    """What is given out; without `zones` it opens wherever its person may enter."""

    kind: CredentialKind
    ref: Annotated[str | None, Field(max_length=256)] = None
    zones: Annotated[list[Text], Field(max_length=200)] = []
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    external_id: Text | None = None


class CredentialNarrowed(BaseModel):
    version: Version
    zones: Annotated[list[Text], Field(max_length=200)]


class CredentialStep(enum.StrEnum):
    """What happens to a credential."""

    SUSPEND = "suspend"
    RESUME = "resume"
    LOSE = "lose"
    END = "end"
    RENEW = "renew"


class Stepping(BaseModel):
    """`ends_at` is for a renewal, null for good. The guard's call may take the place of the last one."""

    version: Version
    ends_at: AwareDatetime | None = None
    replace_with_guard_call: bool = False


class ReviewView(BaseModel):
    """A credential whose right came from a residence that is over, with its last day."""

    credential: str
    person: str
    kind: CredentialKind
    ended_on: dt.date


class Revocation(BaseModel):
    credentials: Annotated[list[Text], Field(min_length=1, max_length=500)]


class Revoked(BaseModel):
    """Which were suspended; the others were no longer to be reviewed."""

    suspended: list[str]


@router.get("/people/{person_id}/credentials")
def credentials(here: Here, user: Editor, person_id: str, purpose: Purpose) -> Page[CredentialView]:
    """All credentials that a person has or had."""
    with here.database.write() as session:
        person = find_person(session, here.compound, person_id)
        rows = issuing.credentials_of(session, person)
        look = Look("credentials.viewed", purpose, f"person:{person.id}", f"count={len(rows)}")
        note_look(session, here.clock.now(), user, look)
        return Page(items=[_view(row) for row in rows], next_cursor=None)


@router.post("/people/{person_id}/credentials", response_model=Made, status_code=201)
def issue(here: Here, request: Request, user: Editor, person_id: str, given: CredentialGiven) -> Response:
    """Gives a credential out. `credential_in_use` where the number opens for somebody already."""

    def work(session: Session, at: dt.datetime) -> Answer:
        person = find_person(session, here.compound, person_id)
        new = NewCredential(
            given.kind, given.ref, tuple(given.zones), given.starts_at, given.ends_at, given.external_id
        )
        row = issuing.issue(session, person, new, at=at)
        noted(session, at, user, "credential.issued", f"person:{person.id}", f"{given.kind} {row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/credentials/to-review")
def to_review(here: Here, user: Editor, purpose: Purpose) -> Page[ReviewView]:
    """Credentials of people who have moved out: no date closes a door, the property office does."""
    with here.database.write() as session:
        at = here.clock.now()
        found = leavers.credentials_to_review(session, here.compound, local_date(session, here.compound, at))
        for person in sorted({one.person for one in found}):
            note_look(session, at, user, Look("credentials.viewed", purpose, f"person:{person}"))
        items = [
            ReviewView(
                credential=one.id, person=one.person, kind=CredentialKind(one.kind), ended_on=one.ended_on
            )
            for one in found
        ]
        return Page(items=items, next_cursor=None)


@router.post("/credentials/revocations", response_model=Revoked, status_code=201)
def revoke(here: Here, request: Request, user: Editor, given: Revocation) -> Response:
    """Suspends those of the credentials that are to be reviewed still."""

    def work(session: Session, at: dt.datetime) -> Answer:
        on = local_date(session, here.compound, at)
        done = leavers.revoke(session, here.compound, given.credentials, on=on, at=at)
        for credential in done:
            row = session.get_one(Credential, credential)
            detail = f"{leavers.END_OF_RESIDENCE} {credential}"
            noted(session, at, user, "credential.suspend", f"person:{row.person}", detail)
        return 201, {"suspended": list(done)}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/credentials/{credential_id}")
def narrow(here: Here, user: Editor, credential_id: str, given: CredentialNarrowed) -> Made:
    """Limits a credential to zones; none is wherever its person may enter."""
    with here.database.write() as session:
        row = find(session, Credential, here.compound, credential_id, "credential")
        issuing.limit_to(session, row, given.version, given.zones)
        noted(session, here.clock.now(), user, "credential.narrowed", f"person:{row.person}", row.id)
        return Made.of_row(row)


@router.post("/credentials/{credential_id}/{step}")
def take(here: Here, user: Editor, credential_id: str, step: CredentialStep, given: Stepping) -> Made:
    """A step. `last_non_face_credential` where nothing but a face would be left."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Credential, here.compound, credential_id, "credential")
        _STEPS[step](session, row, given, at)
        noted(session, at, user, f"credential.{step}", f"person:{row.person}", row.id)
        return Made.of_row(row)


_STEPS: Final[dict[CredentialStep, Callable[[Session, Credential, Stepping, dt.datetime], None]]] = {
    CredentialStep.SUSPEND: lambda session, row, given, at: issuing.suspend(
        session, row, given.version, at=at, replace_with_guard_call=given.replace_with_guard_call
    ),
    CredentialStep.RESUME: lambda session, row, given, at: issuing.resume(session, row, given.version, at=at),
    CredentialStep.LOSE: lambda session, row, given, at: issuing.lose(session, row, given.version, at=at),
    CredentialStep.END: lambda session, row, given, at: issuing.end(
        session, row, given.version, at=at, replace_with_guard_call=given.replace_with_guard_call
    ),
    CredentialStep.RENEW: lambda session, row, given, at: issuing.renew(
        session,
        row,
        given.version,
        given.ends_at,
        at=at,
        replace_with_guard_call=given.replace_with_guard_call,
    ),
}


def _view(row: Credential) -> CredentialView:
    ref = row.ref
    return CredentialView(
        id=row.id,
        version=row.version,
        kind=CredentialKind(row.kind),
        status=CredentialStatus(row.status),
        ref_end=None if ref is None else ref[-_SHOWN:],
        zones=row.zones,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        external_id=row.external_id,
    )
