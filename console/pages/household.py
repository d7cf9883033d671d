"""A household: who keeps house together, under whose head, where; people join and leave."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import households
from console.api.households import HouseholdChanged, Joining
from console.api.people import look_up_person
from console.context import rooms
from console.pages import looking, registry_reads
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.person_forms import dwelling_at
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from registry.places.housing import addresses_of

router = APIRouter(prefix="/registry/households/{household_id}")
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]


@router.get("")
def household(request: Request, user: Finder, household_id: str) -> Response:
    """Its members; the look is noted for each of them."""
    return _page(request, user, household_id)


@router.post("/head")
def head(request: Request, user: Editor, household_id: str, form: Filled) -> Response:
    """Another member becomes head."""

    def act() -> None:
        given = body(HouseholdChanged, version=form.number("version"), head=form("head"))
        households.edit(rooms(request), user, household_id, given)

    return _done(request, user, household_id, "head", act, form)


@router.post("/home")
def settle(request: Request, user: Editor, household_id: str, form: Filled) -> Response:
    """Lives elsewhere from now on; an empty address is nobody knows where."""

    def act() -> None:
        here = rooms(request)
        home = dwelling_at(here, user, form("address")) if form("address") else None
        given = body(HouseholdChanged, version=form.number("version"), dwelling=home)
        households.edit(here, user, household_id, given)

    return _done(request, user, household_id, "home", act, form)


@router.post("/members")
def join(request: Request, user: Editor, household_id: str, form: Filled) -> Response:
    """Takes somebody in by their reference."""
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)

    def act() -> None:
        here = rooms(request)
        if not form("person"):
            raise ProblemError(422, "form_incomplete", "Nobody was named")
        found = look_up_person(here, user, form("person"), purpose)
        given = body(Joining, person=found.id, version=found.version)
        households.join(here, request, user, household_id, given)

    return _done(request, user, household_id, "join", act, form)


@router.post("/members/{person_id}/left")
def leave(request: Request, user: Editor, household_id: str, person_id: str, form: Filled) -> Response:
    """Takes somebody out; where they live is said on their own page."""
    return _done(
        request,
        user,
        household_id,
        "leave",
        lambda: households.leave(rooms(request), user, household_id, person_id, form.number("version")),
        form,
    )


def _done(
    request: Request, user: User, household_id: str, form: str, act: Callable[[], object], typed: Typed
) -> Response:
    outcome = refusal(act, form, typed)
    if outcome.refused:
        return _page(request, user, household_id, outcome)
    return RedirectResponse(f"/registry/households/{household_id}?done=edited", 303)


def _page(request: Request, user: User, household_id: str, outcome: Outcome | None = None) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    found = households.household(here, user, household_id, purpose)
    people = [one.id for one in found.members]
    with here.database.read() as session:
        homes = addresses_of(session, here.compound, [found.dwelling] if found.dwelling else [])
        cars = registry_reads.cars_of(session, here.compound, people, [household_id])
        keys = registry_reads.keys_of(session, people) if view.may(Action.CREDENTIALS_EDIT) else None
        passes = registry_reads.passes_to(session, people, [household_id], view.now)
    return render(
        view,
        "household.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(f"/registry/households/{household_id}"),
        household=found,
        address=homes.get(found.dwelling or ""),
        cars=cars,
        keys=keys,
        passes=passes,
    )
