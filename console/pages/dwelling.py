"""A dwelling and who lives in it (以房管人): verified at the door, handed over, described.

At the door it is a phone: whoever stands there sees names and one large button each.
"""

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import dwellings, finding, residences, situations, turnovers
from console.api.dwellings import DwellingChanged
from console.api.finding import OccupantView
from console.api.residences import Verified
from console.api.situations import NoteGiven
from console.api.turnovers import TurnoverGiven
from console.context import rooms
from console.pages import looking, registry_reads
from console.pages.forms import Filled, Outcome, Typed, body, refusal
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from registry.days import local_date
from registry.models import DwellingState, NoteKind, PlaceKind, ResidenceKind
from registry.people.turnover import COMES_AS

router = APIRouter(prefix="/registry/dwellings/{dwelling_id}")
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Verifier = Annotated[User, may(Action.RESIDENCES_VERIFY)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]
Noter = Annotated[User, may(Action.NOTES_EDIT)]
Placer = Annotated[User, may(Action.PLACES_EDIT)]

SEEN: Final = ("nobody_opened", "others_live_here", "moved_out", "left_empty")
"""What somebody may find at a door who comes to verify: about the dwelling, never about a person."""

_NOTE_HOLDS: Final = dt.timedelta(days=90)
_FOLLOWS: Final = (ResidenceKind.TENANT, ResidenceKind.OWNER_OCCUPIER)


@router.get("")
def dwelling(request: Request, user: Finder, dwelling_id: str) -> Response:
    """Who lives here, since when, and who has made sure of it."""
    return _page(request, user, dwelling_id)


@router.post("/verified")
def verify(request: Request, user: Verifier, dwelling_id: str, form: Filled) -> Response:
    """Somebody stood at the door: one residence, or all of them, are as registered."""

    def act() -> None:
        for one in form.all("residence"):
            residence, _, version = one.partition(":")
            residences.verify(rooms(request), user, residence, body(Verified, version=version))

    return _after(request, user, dwelling_id, "verified", refusal(act, "verify", form))


@router.post("/notes")
def note(request: Request, user: Noter, dwelling_id: str, form: Filled) -> Response:
    """It is not as registered: what was found, for the office to put right."""
    view = frame(request)

    def act() -> None:
        seen = form("seen")
        if seen not in SEEN and not form("text"):
            raise ProblemError(422, "form_incomplete", "Nothing was said")
        words = [view.t.code("seen", seen) if seen in SEEN else "", form("text")]
        given = body(
            NoteGiven,
            place_kind=PlaceKind.DWELLING,
            place=dwelling_id,
            kind=NoteKind.OTHER,
            text=" ".join(word for word in words if word),
            starts_at=view.now,
            ends_at=view.now + _NOTE_HOLDS,
        )
        situations.add(rooms(request), request, user, given)

    return _after(request, user, dwelling_id, "noted", refusal(act, "note", form))


@router.post("/turnover")
def turn_over(request: Request, user: Editor, dwelling_id: str, form: Filled) -> Response:
    """Another owner or tenant: some leave, somebody comes, in one form."""

    def act() -> None:
        leaving = [one.partition(":")[::2] for one in form.all("leaving")]
        coming = []
        if form("name") or form("person"):
            coming.append(
                {
                    "person": form.text("person"),
                    "name": form.text("name"),
                    "phone": form.text("phone"),
                    "kind": form("kind"),
                    "since": form.needed_day("since"),
                    "until": form.day("until"),
                }
            )
        given = body(
            TurnoverGiven,
            version=form.number("version"),
            last_day=form.day("last_day"),
            leaving=[{"residence": residence, "version": version} for residence, version in leaving],
            coming=coming,
        )
        turnovers.turn_over(rooms(request), request, user, dwelling_id, given)

    return _after(request, user, dwelling_id, "turned_over", refusal(act, "turnover", form))


@router.post("/state")
def use(request: Request, user: Placer, dwelling_id: str, form: Filled) -> Response:
    """What the dwelling is used for."""

    def act() -> None:
        given = body(DwellingChanged, version=form.number("version"), state=form("state"))
        dwellings.edit(rooms(request), user, dwelling_id, given)

    return _after(request, user, dwelling_id, "edited", refusal(act, "state", form))


def _after(request: Request, user: User, dwelling_id: str, done: str, outcome: Outcome) -> Response:
    if outcome.refused:
        return _page(request, user, dwelling_id, outcome)
    return RedirectResponse(f"/registry/dwellings/{dwelling_id}?done={done}", 303)


def _page(request: Request, user: User, dwelling_id: str, outcome: Outcome | None = None) -> Response:
    purpose = looking.purpose_of(request)
    if purpose is None:
        return looking.ask(request)
    here, view = rooms(request), frame(request)
    home = dwellings.dwelling(here, user, dwelling_id)
    occupants = finding.people_of_dwelling(here, user, dwelling_id, purpose).items
    notes = situations.notes(here, user, place=dwelling_id).items
    people = sorted({one.person for one in occupants})
    with here.database.read() as session:
        today = local_date(session, here.compound, view.now)
        versions = registry_reads.versions_of(session, dwelling_id)
        households = registry_reads.households_in(session, dwelling_id)
        names = [one.id for one in households]
        cars = registry_reads.cars_of(session, here.compound, people, names)
        keys = registry_reads.keys_of(session, people) if view.may(Action.CREDENTIALS_EDIT) else None
        passes = registry_reads.passes_to(session, people, names, view.now)
        authors = registry_reads.user_names(session, {one.author for one in notes})
    return render(
        view,
        "dwelling.html",
        status=outcome.status if outcome else 200,
        outcome=outcome or Outcome(typed=Typed()),
        done=request.query_params.get("done", ""),
        purpose=purpose,
        change=looking.change_at(f"/registry/dwellings/{dwelling_id}"),
        home=home,
        occupants=occupants,
        versions=versions,
        verifiable=_verifiable(occupants, versions, today),
        households=households,
        cars=cars,
        keys=keys,
        passes=passes,
        notes=notes,
        authors=authors,
        today=today,
        seen=SEEN,
        states=list(DwellingState),
        kinds=COMES_AS,
        follows=_next_kind(occupants),
    )


def _verifiable(occupants: list[OccupantView], versions: dict[str, int], today: dt.date) -> dict[str, str]:
    """Of whom somebody can make sure today: residence → what the form names."""
    return {
        one.residence: f"{one.residence}:{versions[one.residence]}"
        for one in occupants
        if one.residence in versions and one.verified_on != today
    }


def _next_kind(occupants: list[OccupantView]) -> ResidenceKind:
    """As what the next one probably comes: as the last one was here."""
    kinds = [one.kind for one in occupants]
    return next((kind for kind in _FOLLOWS if kind in kinds), ResidenceKind.TENANT)
