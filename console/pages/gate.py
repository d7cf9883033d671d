"""The guard's page: who is expected here, whose car is it, does a pass let in, does somebody belong, open.

The answers are yes or no, a reason and a building; never who lives there.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api import commands, entry, pass_gate
from console.api.commands import CommandAsked, CommandView
from console.api.entry import BelongsView, PlateForGuard
from console.api.gate_list import own_gates
from console.api.pass_gate import PassesFound, PassShown, PassSought, PassUsed
from console.api.pass_views import PassAnswer, PassAtGate
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.answers import Said, said
from console.pages.pressing import phone_page
from console.pages.view import frame
from console.permissions import Action, allowed, may
from console.texts import Texts
from devices.adapters import ADAPTERS
from devices.commands.desk import key_of
from devices.commands.models import DeviceCommand
from devices.models import Device
from registry.errors import RefusedError
from registry.models import PassKind, Ring, Zone
from storage import new_id

router = APIRouter(prefix="/registry/gate")
Checker = Annotated[User, may(Action.ENTRY_CHECK)]
Guard = Annotated[User, may(Action.PASSES_USE)]
Opener = Annotated[User, may(Action.GATES_COMMAND)]
Typed = Annotated[str, Form(max_length=200)]
Id = Annotated[str, Form(max_length=64)]

_TAIL_DIGITS: Final = 4
OPENINGS: Final = (
    *("plate_misread", "credential_trouble", "visitor_checked", "delivery", "emergency", "other"),
)
_LIST_WORDS: Final = (
    *("list_at", "list_until", "list_offline", "list_none", "list_missing", "list_nothing", "no_plate"),
    *("until_time", "from_time", "state_valid", "state_later", "state_used_up", "admit", "admitted"),
    *("near_list", "near_yes", "near_no", "scan_none", "scan_denied"),
)


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
    # What was read or typed of a plate that the guard then said is this one.
    read: str = ""
    device: str = ""
    reason: str = ""
    words: str = ""


@router.get("")
def gate(request: Request, user: Checker, opened: Annotated[str, Query(max_length=32)] = "") -> Response:
    """The questions, and what came of an opening by hand."""
    return page(request, user, opened=opened)


@router.get("/offline")
def offline(request: Request) -> Response:
    """The empty shell that a guard's phone opens without a network: for everybody, with nothing in it."""
    return phone_page(frame(request), "gate_offline.html", bare=True, list_words=list_words)


@router.post("/open")
def open_by_hand(
    request: Request,
    user: Opener,
    device: Id = "",
    reason: Id = "",
    words: Typed = "",
    key: Id = "",
    zone: Id = "",
) -> Response:
    """Opens once, with a reason. The same form sent twice is one command, and nothing repeats it."""
    here = rooms(request)
    asked = Asked("open", zone=zone, device=device, reason=reason, words=words.strip())
    if reason not in OPENINGS or (reason == "other" and not asked.words) or not key:
        return page(request, user, asked, refused=Said(None, "open_reason", 422))
    why = f"{reason}: {asked.words}" if asked.words else reason

    def take() -> str:
        with here.database.write() as session:
            if device not in {one for one, _ in _openers(session, here.compound, _own(session, here, user))}:
                raise RefusedError("other_gate")
            command = CommandAsked(device=device, kind="open", reason=why[:200])
            at = here.clock.now()
            return commands.take(session, here.compound, user, command, key_of(user.id, key), at).id

    made = said(take)
    if made.answer is None:
        return page(request, user, asked, refused=Said(None, made.refused, made.status))
    return RedirectResponse(f"/registry/gate?opened={made.answer}#open-title", 303)


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
def plate(
    request: Request, user: Checker, purpose: Typed = "", plate: Typed = "", read: Typed = ""
) -> Response:
    """Is this car known? `read` is what a guard has just said to be this plate."""
    asked = Asked("plate", purpose, plate=plate.strip(), read=read.strip())
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
    opened: str = "",
    refused: Said[str] | None = None,
) -> Response:
    """The page with at most one question answered."""
    here, view = rooms(request), frame(request)
    answer: Said[BelongsView] | Said[PlateForGuard] | Said[PassesFound] | Said[str] | None = (
        belongs or plate or found or refused
    )
    visitor_pass: PassAtGate | None = found.answer.visitor_pass if found and found.answer else None
    may_use = allowed(user, Action.PASSES_USE)
    may_open = allowed(user, Action.GATES_COMMAND)
    with here.database.read() as session:
        gates = _own(session, here, user) if may_use else []
        openers = _openers(session, here.compound, gates) if may_open else []
        row = session.get(DeviceCommand, opened) if opened and may_open else None
        known = row is not None and row.compound == here.compound
        command = CommandView.model_validate(row) if known else None
        zones = _zones(session, here.compound) if may_use else []
    return phone_page(
        view,
        "gate.html",
        status=answer.status if answer else 200,
        asked=asked or Asked(),
        purposes=list(Purpose),
        belongs=belongs,
        plate=plate,
        found=found,
        refused=refused.refused if refused else None,
        visitor_pass=visitor_pass,
        allowed=visitor_pass.allowed if isinstance(visitor_pass, PassAnswer) else None,
        reason=visitor_pass.reason if isinstance(visitor_pass, PassAnswer) else None,
        used=used,
        may_use=may_use,
        may_open=may_open,
        gates=gates,
        openers=openers,
        openings=OPENINGS,
        command=command,
        list_words=list_words,
        # One's own gate stands first: it is where the visitor is.
        zones=sorted(zones, key=lambda zone: zone not in gates),
        # Pressed twice it is one use.
        use_id=new_id(),
    )


def list_words(t: Texts) -> dict[str, str]:
    """The texts of `console/static/gatelist.js`."""
    return {name: t(f"gate.{name}") for name in _LIST_WORDS} | {
        f"kind_{kind}": t.code("pass_kind", kind) for kind in PassKind
    }


def _own(session: Session, here: Rooms, user: User) -> list[tuple[str, str]]:
    gates, _ = own_gates(session, here.compound, user, here.clock.now())
    return gates


def _openers(session: Session, compound: str, gates: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What opens at the gates by command, as (id, name)."""
    rows = session.execute(
        select(Device.id, Device.name, Device.adapter)
        .where(Device.compound == compound, Device.zone.in_([zone for zone, _ in gates]))
        .order_by(Device.name)
    )
    adapters = {name for name, one in ADAPTERS.items() if "open" in one.commands}
    return [(row.id, row.name) for row in rows if row.adapter in adapters]


def _from_outside(zone: Zone) -> tuple[int, str]:
    return Ring(zone.ring).depth, zone.name


def _zones(session: Session, compound: str) -> list[tuple[str, str]]:
    """Where a guard may stand: the entrances first."""
    zones = session.scalars(select(Zone).where(Zone.compound == compound)).all()
    return [(zone.id, zone.name) for zone in sorted(zones, key=_from_outside)]
