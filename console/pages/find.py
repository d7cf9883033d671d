"""One box for who lives where: a name, a phone, a plate, a number, an address in any spelling.

From a person to dwellings (以人找房) and from a dwelling to people (以房管人). What is looked
for travels in a body, since addresses of pages end up in logs; a purpose is required.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from console.accounts.models import User
from console.api import dwellings, finding
from console.api.dwellings import DwellingView
from console.api.finding import FoundView, HomeView, OccupantView
from console.api.paging import Paging
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages import buildings, gate, looking
from console.pages.answers import said
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.security import ForbiddenError
from registry.meanings import Meaning, meanings

router = APIRouter()
Anybody = Annotated[User, may(Action.OWN_ACCOUNT)]
Finder = Annotated[User, may(Action.PEOPLE_FIND)]

# Of so few people it is shown since when and how they live where; of more only where.
_IN_DETAIL: Final = 5
# What is wrong with a number is told; that something is no address only where nothing else fits.
_NUMBERS: Final = frozenset({Meaning.ID_NUMBER, Meaning.PHONE})


@dataclass(frozen=True, slots=True)
class Someone:
    """Somebody who was found; `homes` is None where only the addresses are known."""

    person: FoundView
    homes: Sequence[HomeView] | None


@dataclass(frozen=True, slots=True)
class Result:
    """People, or a dwelling with its people, or the code of why there is neither."""

    people: Sequence[Someone] = ()
    dwelling: DwellingView | None = None
    occupants: Sequence[OccupantView] = ()
    refused: str | None = None
    status: int = 200


@router.get("/registry")
def registry(request: Request, user: Anybody) -> Response:
    """The box; a guard, who may not look at people, gets the gate's questions."""
    if allowed(user, Action.PEOPLE_FIND):
        return _page(request, user, "", looking.purpose_of(request), None)
    if allowed(user, Action.ENTRY_CHECK):
        return gate.page(request, user)
    raise ForbiddenError


@router.post("/registry")
def find(
    request: Request,
    user: Finder,
    asked: Annotated[str, Form(max_length=200)] = "",
    purpose: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Looks for what was written, in each sense that it may have, until something is found."""
    if purpose not in list(Purpose):
        return _page(request, user, asked, None, Result(refused="purpose_missing", status=422))
    wanted = Purpose(purpose)
    response = _page(request, user, asked, wanted, _look(rooms(request), user, asked.strip(), wanted))
    # Whoever follows what was found looks for the same reason.
    looking.remember(request, response, wanted)
    return response


def _look(here: Rooms, user: User, asked: str, purpose: Purpose) -> Result:
    readings = meanings(asked)
    nothing = Result(
        refused="nothing_found" if readings else "nothing_asked", status=404 if readings else 422
    )
    for meaning in readings:
        if meaning is Meaning.ADDRESS:
            place = said(lambda: dwellings.dwellings(here, user, Paging(None, 2), address=asked).items)
            if place.answer:
                return _dwelling(here, user, place.answer[0], purpose)
            if place.refused is not None and nothing.refused == "nothing_found":
                nothing = Result(refused=place.refused, status=place.status)
            continue
        given = {str(meaning): asked}
        people = said(lambda given=given: finding.search(here, user, purpose, **given).items)  # type: ignore[misc]
        if people.answer:
            return Result([_someone(here, user, one, purpose, len(people.answer)) for one in people.answer])
        if people.refused is not None and meaning in _NUMBERS:
            return Result(refused=people.refused, status=people.status)
    return nothing


def _dwelling(here: Rooms, user: User, dwelling: DwellingView, purpose: Purpose) -> Result:
    occupants = finding.people_of_dwelling(here, user, dwelling.id, purpose).items
    return Result(dwelling=dwelling, occupants=occupants)


def _someone(here: Rooms, user: User, found: FoundView, purpose: Purpose, of: int) -> Someone:
    homes = None
    if of <= _IN_DETAIL:
        homes = finding.dwellings_of_person(here, user, found.id, purpose).items
    return Someone(found, homes)


def _page(
    request: Request, user: User, asked: str, purpose: Purpose | None, result: Result | None
) -> Response:
    return render(
        frame(request),
        "find.html",
        status=result.status if result else 200,
        asked=asked,
        purpose=purpose,
        purposes=list(Purpose),
        result=result,
        houses=[] if result else buildings.houses(rooms(request), user),
        done=request.query_params.get("done", ""),
    )
