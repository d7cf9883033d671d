"""A vehicle: whose it is, who may drive it; registered, handed on, taken out."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import vehicles
from console.api.edits import Ended
from console.api.vehicles import DriverGiven, VehicleChanged, VehicleGiven
from console.context import rooms
from console.pages import looking
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.person_forms import answer_of
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.days import local_date
from registry.models import VehicleKind

router = APIRouter(prefix="/registry/vehicles")
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]

# The form's own path stands before a vehicle's id, which would swallow it.


@router.get("/new")
def new(request: Request, _: Editor, owner: str = "", household: str = "") -> Response:
    """The form, for the person or the household from whose page it was asked for."""
    return _new_page(request, {"owner": owner[:64], "household": household[:64]}, Outcome())


@router.post("/new")
def register(request: Request, user: Editor, form: Filled) -> Response:
    """Registers a vehicle."""
    made: dict[str, Any] = {}

    def act() -> None:
        given = body(VehicleGiven, **_fields(form))
        made.update(answer_of(vehicles.register(rooms(request), request, user, given)))

    outcome = refusal(act, "new", form)
    if outcome.refused:
        return _new_page(request, {name: form(name) for name in form.fields}, outcome)
    return RedirectResponse(f"/registry/vehicles/{made['id']}?done=registered", 303)


@router.get("/{vehicle_id}")
def vehicle(request: Request, user: Finder, vehicle_id: str) -> Response:
    """One vehicle with everybody's leave to drive it."""
    return _page(request, user, vehicle_id)


@router.post("/{vehicle_id}/edit")
def edit(request: Request, user: Editor, vehicle_id: str, form: Filled) -> Response:
    """Says anew what it is and whose: also how it is handed on."""

    def act() -> None:
        given = body(VehicleChanged, version=form.number("version"), **_fields(form))
        vehicles.edit(rooms(request), user, vehicle_id, given)

    return _done(request, user, vehicle_id, "edit", act, form)


@router.post("/{vehicle_id}/drivers")
def authorise(request: Request, user: Editor, vehicle_id: str, form: Filled) -> Response:
    """Gives somebody leave to drive."""

    def act() -> None:
        given = body(
            DriverGiven, person=form("person"), since=form.needed_day("since"), until=form.day("until")
        )
        vehicles.authorise(rooms(request), request, user, vehicle_id, given)

    return _done(request, user, vehicle_id, "driver", act, form)


@router.post("/{vehicle_id}/drivers/{driver_id}/end")
def end_leave(request: Request, user: Editor, vehicle_id: str, driver_id: str) -> Response:
    """Today is the last day."""
    here = rooms(request)
    with here.database.read() as session:
        today = local_date(session, here.compound, here.clock.now())
    given = Ended(last_day=today)
    return _done(
        request,
        user,
        vehicle_id,
        "end",
        lambda: vehicles.end_leave(here, user, driver_id, given),
        Typed(),
    )


@router.post("/{vehicle_id}/removed")
def remove(request: Request, user: Editor, vehicle_id: str, form: Filled) -> Response:
    """Takes it out of the registry: from now on the gate does not know it."""
    outcome = refusal(
        lambda: vehicles.remove(rooms(request), user, vehicle_id, form.number("version")), "remove", form
    )
    if outcome.refused:
        return _page(request, user, vehicle_id, outcome)
    return RedirectResponse("/registry?done=vehicle_removed", 303)


def _fields(form: Typed) -> dict[str, Any]:
    return {
        "plate": form("plate"),
        "kind": form("kind", VehicleKind.RESIDENT),
        "owner": form.text("owner"),
        "household": form.text("household"),
        "organisation": form.text("organisation"),
    }


def _new_page(request: Request, fields: dict[str, str], outcome: Outcome) -> Response:
    return render(
        frame(request),
        "vehicle_new.html",
        status=outcome.status,
        fields=fields,
        outcome=outcome,
        kinds=list(VehicleKind),
    )


def _done(
    request: Request, user: User, vehicle_id: str, form: str, act: Callable[[], object], typed: Typed
) -> Response:
    outcome = refusal(act, form, typed)
    if outcome.refused:
        return _page(request, user, vehicle_id, outcome)
    return RedirectResponse(f"/registry/vehicles/{vehicle_id}?done=edited", 303)


def _page(request: Request, user: User, vehicle_id: str, outcome: Outcome | None = None) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    found = vehicles.vehicle(here, user, vehicle_id, purpose)
    with here.database.read() as session:
        today = local_date(session, here.compound, view.now)
    return render(
        view,
        "vehicle.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(f"/registry/vehicles/{vehicle_id}"),
        vehicle=found,
        kinds=list(VehicleKind),
        today=today,
    )
