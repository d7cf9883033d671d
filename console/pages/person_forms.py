"""What may be changed of a person: name and phone, homes, keys, consents, the photo, absences, erasure.

Every change goes through the function of the API that programs use, so that it is checked, refused
and audited alike.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, BackgroundTasks, File, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import absences, consents, credentials, dwellings, erasures, people, residences
from console.api.absences import AbsenceDeclared
from console.api.consents import ConsentGiven
from console.api.credentials import CredentialGiven, CredentialStep, Stepping
from console.api.erasures import ErasureOrdered
from console.api.paging import Paging
from console.api.people import PersonChanged, PersonGiven
from console.api.residences import Move, ResidenceChanged, ResidenceGiven, Verified
from console.context import Rooms, rooms
from console.pages import person
from console.pages.forms import Filled, Typed, body, refusal
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from privacy.models import ErasureKind
from registry.errors import MissingError
from registry.models import ConsentPurpose, ResidenceKind

router = APIRouter(prefix="/registry/people")
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]
Verifier = Annotated[User, may(Action.RESIDENCES_VERIFY)]
Keys = Annotated[User, may(Action.CREDENTIALS_EDIT)]
Recorder = Annotated[User, may(Action.CONSENTS_RECORD)]
Enroller = Annotated[User, may(Action.FACES_ENROL)]
Carer = Annotated[User, may(Action.CARE_AWAY)]
Eraser = Annotated[User, may(Action.ERASE, proven=True)]

_HUKOU: Final = {"yes": True, "no": False}
# What the API says of a photo, in the words that photos have here.
_PHOTO: Final = {"enrolment_unavailable": "no_engine", "photo_too_large": "too_large"}


@router.get("/new/form")
def new(request: Request, _: Editor, address: str = "") -> Response:
    """The form for somebody whom the registry does not know yet."""
    return _new_page(request, {"address": address})


@router.post("/new/form")
def register(request: Request, user: Editor, form: Filled) -> Response:
    """Registers a person, and where they live if an address was given."""
    here = rooms(request)
    made: dict[str, Any] = {}

    def act() -> None:
        # The address is read first: a person without the home that was meant is half a registration.
        home = dwelling_at(here, user, form("address")) if form("address") else None
        given = _given(
            name=form("name"),
            phone=form.text("phone"),
            id_number=form.text("id_number"),
            born_on=form.day("born_on"),
            under_14=form("under_14") == "true",
            guardian=form.text("guardian"),
            external_id=form.text("external_id"),
        )
        made.update(answer_of(people.register(here, request, user, body(PersonGiven, **given))))
        if home is not None:
            where = body(
                ResidenceGiven, dwelling=home, kind=form("kind"), since=form.day("since") or _today(request)
            )
            residences.add(here, request, user, made["id"], where)

    outcome = refusal(act, "new", form)
    if made:
        # Registered is registered; what was wrong with the home is put right on the person's own page.
        return person.back(made["id"], "home_missing" if outcome.refused else "registered")
    return _new_page(request, {name: form(name) for name in form.fields}, outcome.refused, outcome.status)


@router.post("/{person_id}/edit")
def edit(request: Request, user: Editor, person_id: str, form: Filled) -> Response:
    """Corrects name, phone, guardian and registration; a phone that is left empty stays."""

    def act() -> None:
        fields: dict[str, Any] = {"version": form.number("version"), "name": form("name")}
        if form("phone") or form("no_phone"):
            fields["phone"] = form.text("phone")
        if "guardian" in form.fields:
            fields["guardian"] = form.text("guardian")
        if "hukou" in form.fields:
            fields["hukou_registered_here"] = _HUKOU.get(form("hukou"))
        if form("born_on"):
            fields["born_on"] = form.day("born_on")
        people.edit(rooms(request), user, person_id, body(PersonChanged, **fields))

    return _done(request, user, person_id, "edit", "edited", act, form)


@router.post("/{person_id}/residences")
def move_in(request: Request, user: Editor, person_id: str, form: Filled) -> Response:
    """Adds a home by its address in any spelling; or moves there from everywhere else."""
    here = rooms(request)

    def act() -> None:
        home = dwelling_at(here, user, form("address"))
        since = form.needed_day("since")
        if form("moves") == "true":
            given = body(Move, on=since, dwelling=home, kind=form("kind"))
            residences.move(here, request, user, person_id, given)
        else:
            where = body(
                ResidenceGiven, dwelling=home, kind=form("kind"), since=since, until=form.day("until")
            )
            residences.add(here, request, user, person_id, where)

    return _done(request, user, person_id, "move_in", "moved_in", act, form)


@router.post("/{person_id}/move-out")
def move_out(request: Request, user: Editor, person_id: str, form: Filled) -> Response:
    """Ends all homes on a day."""

    def act() -> None:
        residences.move(rooms(request), request, user, person_id, body(Move, on=form.needed_day("last_day")))

    return _done(request, user, person_id, "move_out", "moved_out", act, form)


@router.post("/{person_id}/residences/{residence_id}")
def change_home(request: Request, user: Editor, person_id: str, residence_id: str, form: Filled) -> Response:
    """Another kind or other days of a home; without a last day it lasts."""

    def act() -> None:
        given = body(
            ResidenceChanged,
            version=form.number("version"),
            kind=form("kind"),
            since=form.needed_day("since"),
            until=form.day("until"),
        )
        residences.edit(rooms(request), user, residence_id, given)

    return _done(request, user, person_id, f"home-{residence_id}", "edited", act, form)


@router.post("/{person_id}/residences/{residence_id}/verified")
def verify(request: Request, user: Verifier, person_id: str, residence_id: str, form: Filled) -> Response:
    """Somebody made sure of it today."""

    def act() -> None:
        residences.verify(rooms(request), user, residence_id, body(Verified, version=form.number("version")))

    return _done(request, user, person_id, f"home-{residence_id}", "verified", act, form)


@router.post("/{person_id}/credentials")
def issue(request: Request, user: Keys, person_id: str, form: Filled) -> Response:
    """Gives something out that opens."""

    def act() -> None:
        last = form.day("last_day")
        given = body(
            CredentialGiven,
            kind=form("kind"),
            ref=form.text("ref"),
            ends_at=None if last is None else _end_of(request, last),
        )
        credentials.issue(rooms(request), request, user, person_id, given)

    return _done(request, user, person_id, "issue", "issued", act, form)


@router.post("/{person_id}/credentials/{credential_id}/{step}")
def step(
    request: Request, user: Keys, person_id: str, credential_id: str, step: CredentialStep, form: Filled
) -> Response:
    """Suspends, resumes, reports lost, takes back. The guard's call takes the place of the last one."""

    def act() -> None:
        given = body(
            Stepping,
            version=form.number("version"),
            replace_with_guard_call=form("replace_with_guard_call") == "true",
        )
        credentials.take(rooms(request), user, credential_id, step, given)

    return _done(request, user, person_id, f"key-{credential_id}", f"key_{step}", act, form)


@router.post("/{person_id}/consents")
def agree(request: Request, user: Recorder, person_id: str, form: Filled) -> Response:
    """Records a consent with the words that were agreed to."""

    def act() -> None:
        given = body(
            ConsentGiven,
            purpose=form("consent"),
            wording=form("wording"),
            channel=form("channel"),
            given_by=form("given_by"),
        )
        consents.give(rooms(request), request, user, person_id, given)

    return _done(request, user, person_id, "agree", "agreed", act, form)


@router.post("/{person_id}/consents/{purpose}/withdrawn")
def withdraw(
    request: Request, user: Recorder, tasks: BackgroundTasks, person_id: str, purpose: ConsentPurpose
) -> Response:
    """Takes a consent back; what stood on it goes at once."""
    consents.withdraw(rooms(request), user, tasks, person_id, purpose)
    return person.back(person_id, "withdrawn")


@router.post("/{person_id}/photo")
def photo(
    request: Request,
    user: Enroller,
    person_id: str,
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Enrols a photo: refused without consent, and where the photo is no good."""

    def act() -> None:
        if photo is None or not photo.filename:
            raise ProblemError(422, "no_file", "No file was chosen")
        try:
            people.enrol(rooms(request), request, user, person_id, photo)
        except ProblemError as error:
            code = _PHOTO.get(error.problem.code)
            if code is None:
                raise
            raise ProblemError(422, code, "The photo was not taken in") from error

    return _done(request, user, person_id, "photo", "enrolled", act)


@router.post("/{person_id}/absences")
def away(request: Request, user: Carer, person_id: str, form: Filled) -> Response:
    """Notes until when somebody who is looked after is away."""

    def act() -> None:
        given = body(AbsenceDeclared, ends_at=_end_of(request, form.needed_day("last_day")))
        absences.declare(rooms(request), request, user, person_id, given)

    return _done(request, user, person_id, "away", "away", act, form)


@router.post("/{person_id}/absences/{absence_id}/end")
def returned(request: Request, user: Carer, person_id: str, absence_id: str) -> Response:
    """They are back."""
    return _done(
        request,
        user,
        person_id,
        "away",
        "returned",
        lambda: absences.end(rooms(request), user, person_id, absence_id),
    )


@router.post("/{person_id}/erasure")
def erase(request: Request, user: Eraser, tasks: BackgroundTasks, person_id: str, form: Filled) -> Response:
    """Erases the face, or everything; the receipt says which places have still to forget."""
    made: dict[str, Any] = {}

    def act() -> None:
        if form("sure") != "true":
            raise ProblemError(422, "not_sure", "Erasing has to be confirmed")
        ordered = body(ErasureOrdered, kind=form("kind", ErasureKind.PERSON))
        made.update(answer_of(erasures.order(rooms(request), request, user, tasks, person_id, ordered)))

    outcome = refusal(act, "erase", form)
    if outcome.refused:
        return person.page(request, user, person_id, outcome)
    return RedirectResponse(f"/erasures/{made['id']}", 303)


def dwelling_at(here: Rooms, user: User, address: str) -> str:
    """The dwelling that an address in any spelling means. Raises `dwelling_not_found` and what is unclear."""
    found = dwellings.dwellings(here, user, Paging(None, 2), address=address).items
    if not found:
        raise MissingError("dwelling")
    return found[0].id


def answer_of(response: Response) -> dict[str, Any]:
    """What the API answered, which the page was not shown."""
    content: dict[str, Any] = json.loads(bytes(response.body))
    return content


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _end_of(request: Request, day: dt.date) -> dt.datetime:
    """The last moment of a day of the compound: a card ends with its day."""
    return dt.datetime.combine(day, dt.time.max, frame(request).zone).astimezone(dt.UTC)


def _today(request: Request) -> dt.date:
    view = frame(request)
    return view.now.astimezone(view.zone).date()


def _new_page(
    request: Request, fields: dict[str, str], refused: str | None = None, status: int = 200
) -> Response:
    return render(
        frame(request),
        "person_new.html",
        status=status if refused else 200,
        fields=fields,
        refused=refused,
        kinds=list(ResidenceKind),
        today=_today(request),
    )


def _done(
    request: Request,
    user: User,
    person_id: str,
    form: str,
    done: str,
    act: Callable[[], object],
    typed: Typed | None = None,
) -> Response:
    outcome = refusal(act, form, typed)
    if outcome.refused:
        return person.page(request, user, person_id, outcome)
    return person.back(person_id, done)
