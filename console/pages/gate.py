"""The gate's questions: does somebody belong to a door, whose car is it, does a pass let in.

The answers are yes or no, a reason and a building; never who lives there.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select

from console.accounts.models import User
from console.api import entry, pass_gate
from console.api.entry import BelongsView, PlateForGuard
from console.api.pass_gate import PassesFound, PassShown, PassSought, PassUsed
from console.api.pass_views import PassAnswer, PassAtGate
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.answers import Said, said
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from registry.models import Ring, Zone
from storage import new_id

router = APIRouter(prefix="/registry/gate")
Checker = Annotated[User, may(Action.ENTRY_CHECK)]
Guard = Annotated[User, may(Action.PASSES_USE)]
Typed = Annotated[str, Form(max_length=200)]
Id = Annotated[str, Form(max_length=64)]

_TAIL_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the forms again after the answer."""

    question: str = ""
    purpose: str = Purpose.MONITORING
    address: str = ""
    name: str = ""
    tail: str = ""
    plate: str = ""
    shown: str = ""
    zone: str = ""


@router.get("")
def gate(request: Request, user: Checker) -> Response:
    """The three questions."""
    return page(request, user)


@router.post("/belongs")
def belongs(
    request: Request,
    user: Checker,
    purpose: Typed = "",
    address: Typed = "",
    name: Typed = "",
    tail: Typed = "",
) -> Response:
    """Does somebody of this name or phone live at this address?"""
    asked = Asked("belongs", purpose, address.strip(), name.strip(), tail.strip())
    answer: Said[BelongsView] = Said(None, "purpose_missing", 422)
    if not asked.address:
        answer = Said(None, "address_empty", 422)
    elif purpose in list(Purpose):
        answer = said(
            lambda: entry.belongs_at(
                rooms(request), user, Purpose(purpose), asked.address, asked.name or None, asked.tail or None
            )
        )
    return page(request, user, asked, belongs=answer)


@router.post("/plate")
def plate(request: Request, user: Checker, purpose: Typed = "", plate: Typed = "") -> Response:
    """Is this car known?"""
    asked = Asked("plate", purpose, plate=plate.strip())
    answer: Said[PlateForGuard] = Said(None, "purpose_missing", 422)
    if purpose in list(Purpose):
        answer = said(lambda: entry.by_plate(rooms(request), user, Purpose(purpose), asked.plate))
    return page(request, user, asked, plate=answer)


@router.post("/pass")
def shown_pass(request: Request, user: Guard, shown: Typed = "", zone: Id = "") -> Response:
    """Which pass does a QR, or a phone ending in four digits, stand for; may it pass here?"""
    asked = Asked("pass", shown=shown.strip(), zone=zone)
    if not asked.shown:
        return page(request, user, asked, found=Said(None, "nothing_asked", 422))
    is_tail = len(asked.shown) == _TAIL_DIGITS
    sought = PassSought(
        token=None if is_tail else asked.shown, tail=asked.shown if is_tail else None, zone=zone or None
    )
    return page(request, user, asked, found=said(lambda: pass_gate.search(rooms(request), user, sought)))


@router.post("/passes/{pass_id}")
def one_pass(request: Request, user: Guard, pass_id: str, zone: Id = "", use_id: Id = "") -> Response:
    """Checks one pass of several, or, with the id of a use, lets in and counts."""
    here = rooms(request)
    if not zone:
        return page(request, user, Asked("pass"), found=Said(None, "zone_not_found", 404))

    def ask() -> PassesFound:
        answer: PassAnswer
        if use_id:
            answer = pass_gate.use(here, user, pass_id, PassUsed(zone=zone, use_id=use_id))
        else:
            answer = pass_gate.check(here, user, pass_id, PassShown(zone=zone))
        return PassesFound(matches=[], visitor_pass=answer)

    return page(request, user, Asked("pass", zone=zone), found=said(ask), used=bool(use_id))


def page(
    request: Request,
    user: User,
    asked: Asked | None = None,
    *,
    belongs: Said[BelongsView] | None = None,
    plate: Said[PlateForGuard] | None = None,
    found: Said[PassesFound] | None = None,
    used: bool = False,
) -> Response:
    """The page with at most one question answered."""
    answer: Said[BelongsView] | Said[PlateForGuard] | Said[PassesFound] | None = belongs or plate or found
    visitor_pass: PassAtGate | None = found.answer.visitor_pass if found and found.answer else None
    may_use = allowed(user, Action.PASSES_USE)
    return render(
        frame(request),
        "gate.html",
        status=answer.status if answer else 200,
        asked=asked or Asked(),
        purposes=list(Purpose),
        belongs=belongs,
        plate=plate,
        found=found,
        visitor_pass=visitor_pass,
        allowed=visitor_pass.allowed if isinstance(visitor_pass, PassAnswer) else None,
        reason=visitor_pass.reason if isinstance(visitor_pass, PassAnswer) else None,
        used=used,
        may_use=may_use,
        zones=_zones(rooms(request)) if may_use else [],
        # Pressed twice it is one use.
        use_id=new_id(),
    )


def _from_outside(zone: Zone) -> tuple[int, str]:
    return Ring(zone.ring).depth, zone.name


def _zones(here: Rooms) -> list[tuple[str, str]]:
    """Where a guard may stand: the entrances first."""
    with here.database.read() as session:
        zones = session.scalars(select(Zone).where(Zone.compound == here.compound)).all()
        return [(zone.id, zone.name) for zone in sorted(zones, key=_from_outside)]
