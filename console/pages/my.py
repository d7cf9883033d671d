"""What is mine, at a glance and to read: whom I let in, what I reported, what is held, and who looked.

L-02, L-08. Everything goes through the functions of the API, so that it is audited and refused alike.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import Role, User
from console.api import own, reviews
from console.context import Rooms, rooms
from console.pages import my_visitors
from console.pages.holdings import Names, Section, sections
from console.pages.reporting import own_reports
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from registry.models import Zone
from registry.places.housing import addresses_of

router = APIRouter(prefix="/my")
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]
Resident = Annotated[User, may(Action.OWN_DATA)]

_LOOKS_SHOWN: Final = 200
# Of each matter so much stands on the first page; the way on leads to the rest.
_FIRST: Final = 3

_T = TypeVar("_T")


@router.get("")
def my(request: Request, user: Anybody) -> Response:
    """A resident's first page; who has none is led to the account."""
    if not allowed(user, Action.OWN_DATA):
        return RedirectResponse("/account", 303)
    view, here = frame(request), rooms(request)
    consents = _unless_nobody(lambda: own.own_consents(here, user).items)
    looks = _unless_nobody(lambda: own.own_looks(here, user).items) or []
    passes = my_visitors.open_passes(here, user) if consents is not None else []
    asked = [one for one in passes if my_visitors.standing(one, view.now) == "asked"]
    guests = [one for one in passes if one not in asked]
    pending = [one for one in own_reports(here, user, view.now) if not one.course.over]
    return render(
        view,
        "my.html",
        known=consents is not None,
        done=my_visitors.done_of(request),
        asked=asked,
        guests=guests[:_FIRST],
        more_guests=max(0, len(guests) - _FIRST),
        standing=my_visitors.standing,
        pending=pending[:_FIRST],
        ratings=len(reviews.own_ratings(here, user)),
        consents=[one for one in consents or [] if one.withdrawn_at is None],
        # What one did oneself is in the list of all.
        looks=[look for look in looks if look.role != Role.RESIDENT][:_FIRST],
    )


@router.get("/data")
def held(request: Request, user: Resident) -> Response:
    """Everything that is held, to read."""
    view, here = frame(request), rooms(request)
    shown: list[Section] | None = None
    withheld: list[str] = []
    if (document := _unless_nobody(lambda: own.data(here, user))) is not None:
        shown = sections(document, view, _names(here, document))
        withheld = document["withheld"]
    return render(view, "my_data.html", sections=shown, withheld=withheld)


@router.get("/data.json")
def download(request: Request, user: Resident) -> Response:
    """The same as a file."""
    document = own.data(rooms(request), user)
    name = f"my-data-{document['made_at'][:10]}.json"
    return Response(
        json.dumps(document, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/looks")
def looks(request: Request, user: Resident) -> Response:
    """Who looked at my data, newest first."""
    found = _unless_nobody(lambda: own.own_looks(rooms(request), user))
    items = found.items if found else []
    return render(
        frame(request), "my_looks.html", known=found is not None, looks=items[:_LOOKS_SHOWN], total=len(items)
    )


def _names(here: Rooms, document: dict[str, Any]) -> Names:
    """The words for ids of dwellings and zones in a document."""
    homes = [*document["residences"], document["household"] or {}]
    dwellings = {home["dwelling"] for home in homes if home.get("dwelling")}
    with here.database.read() as session:
        zones = session.execute(select(Zone.id, Zone.name).where(Zone.compound == here.compound))
        return Names(addresses_of(session, here.compound, dwellings), {zone.id: zone.name for zone in zones})


def _unless_nobody(read: Callable[[], _T]) -> _T | None:
    """What is read, None where the account is tied to nobody, or to somebody who is erased."""
    try:
        return read()
    except ProblemError as error:
        if error.problem.status != 404:
            raise
        return None
