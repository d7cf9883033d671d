"""A person of the registry, for who edits it: consent, and enrolling a photo.

There is no list: whoever looks has a reference (`console.pages.find` leads here) and a
purpose, and the look is in the audit log.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api.people import PersonView, enrol, look_up_person
from console.api.purposes import Purpose
from console.context import ConsentMissingError, PhotoRefusedError, rooms
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from registry.models import ConsentPurpose

router = APIRouter(prefix="/console/people")
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]

_REFUSALS = {"enrolment_unavailable": "no_engine", "photo_too_large": "too_large"}


@router.get("")
def find(
    request: Request, user: Editor, person: str = "", purpose: str = Purpose.REGISTRY_MAINTENANCE
) -> Response:
    """The form, and the person where a reference and a purpose were given."""
    return _page(request, user, person.strip(), purpose)


@router.post("/photo")
def photo(
    request: Request,
    user: Editor,
    person: Annotated[str, Form()],
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Enrols a photo: refused without consent, and where the photo is no good."""
    refused: str | None = None
    if photo is None or not photo.filename:
        refused = "no_file"
    else:
        try:
            enrol(rooms(request), request, user, person, photo)
        except ConsentMissingError:
            refused = "consent_missing"
        except PhotoRefusedError as error:
            refused = error.code
        except ProblemError as error:
            if error.problem.code not in _REFUSALS:
                raise
            refused = _REFUSALS[error.problem.code]
    if refused:
        return _page(request, user, person, Purpose.REGISTRY_MAINTENANCE, refused=refused, status=422)
    return RedirectResponse(f"/console/people?person={quote(person)}&enrolled=1", 303)


def _page(
    request: Request,
    user: Editor,
    person: str,
    purpose: str,
    *,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    found: PersonView | None = None
    missing = False
    if person and purpose in list(Purpose):
        try:
            found = look_up_person(rooms(request), user, person, Purpose(purpose))
        except ProblemError as error:
            if error.problem.status != 404:
                raise
            missing, status = True, 404
    agreed = found is not None and any(
        c.purpose == ConsentPurpose.FACE_ACCESS and c.withdrawn_at is None for c in found.consents
    )
    return render(
        frame(request),
        "people.html",
        status=status,
        asked=person,
        purpose=purpose,
        purposes=list(Purpose),
        person=found,
        missing=missing,
        agreed=agreed,
        refused=refused,
        enrolled=request.query_params.get("enrolled") == "1" and refused is None,
    )
