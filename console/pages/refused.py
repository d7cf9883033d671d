"""Messages that were refused: why, what may be done about them, and what became of it."""

import base64
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import defer

from bus import deadletters
from bus.deadletters import GIVEN_UP, REPLAYABLE, STORED, WHY_GIVEN_UP, DeadLetter
from console.accounts.models import User
from console.api import deadletters as letters_api
from console.api.deadletters import GivingUp, ReplayWanted, own
from console.api.paging import Paging, newest_first
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.answers import Said, said
from console.pages.bytesshown import Shown, shown
from console.pages.moments import moment
from console.pages.places import names
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from devices.adapters import ADAPTERS
from devices.adapters.account import account
from devices.adapters.contract import Incoming

router = APIRouter(prefix="/console/refused")
Reader = Annotated[User, may(Action.EVENTS_READ)]
Mender = Annotated[User, may(Action.DEVICES_EDIT)]
Code = Annotated[str, Query(max_length=64)]
_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What the form above the list says, as it was typed. `state`: what is open, or all."""

    reason: str = ""
    device: str = ""
    since: str = ""
    until: str = ""
    state: str = "open"

    @property
    def query(self) -> str:
        """As the query of a link, without what is empty."""
        given = {name: value for name in self.__slots__ if (value := getattr(self, name))}
        return urlencode({name: value for name, value in given.items() if (name, value) != ("state", "open")})

    @property
    def narrows(self) -> bool:
        """Whether it says which letters: nothing is done to all of them by one press."""
        return any((self.reason, self.device, self.since, self.until))

    def conditions(self, view: Frame, compound: str) -> list[ColumnElement[bool]]:
        """Raises a 422 problem (`bad_moment`)."""
        return [
            own(compound),
            *deadletters.matching(
                self.device or None,
                self.reason or None,
                since=moment(view, self.since),
                until=moment(view, self.until),
            ),
            *([deadletters.is_open()] if self.state == "open" else []),
        ]

    def wanted(self, view: Frame) -> dict[str, Any]:
        """For the API's bodies."""
        return {
            "device": self.device or None,
            "reason": self.reason or None,
            "since": moment(view, self.since),
            "until": moment(view, self.until),
        }


@router.get("")
def listed(
    request: Request,
    user: Reader,
    reason: Code = "",
    device: Code = "",
    since: Code = "",
    until: Code = "",
    state: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    done: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """What is still to be done, newest first; with `state=all` what was settled, too."""
    del user
    asked = Filter(reason, device.strip(), since, until, state)
    return _list(request, asked, cursor=cursor, done=done)


async def _filter(request: Request, _: Mender) -> Filter:
    form = await request.form(max_files=0, max_fields=12)
    given = {name: str(form.get(name, "")).strip()[:64] for name in Filter.__slots__}
    return Filter(**given | {"state": "all" if given["state"] == "all" else "open"})


Chosen = Annotated[Filter, Depends(_filter)]


@router.post("/replay")
def replay(request: Request, user: Mender, asked: Chosen) -> Response:
    """Has all that fits the filter read again, as history."""

    def act() -> int:
        wanted = ReplayWanted(**asked.wanted(frame(request)))
        return letters_api.replay_many(rooms(request), user, wanted).asked

    return _done(request, asked, said(act))


@router.post("/giving-up")
def give_up(request: Request, user: Mender, asked: Chosen, why: Annotated[str, Form()] = "") -> Response:
    """Says of all that fits the filter that nothing will come of it."""

    def act() -> int:
        wanted = GivingUp.model_validate(asked.wanted(frame(request)) | {"why": _why(why)})
        return letters_api.give_up(rooms(request), user, wanted).given_up

    return _done(request, asked, said(act))


@router.get("/{letter_id}")
def one(
    request: Request,
    user: Reader,
    letter_id: str,
    raw: Annotated[str, Query(pattern="^(|text|hex)$")] = "",
) -> Response:
    """One refused message. Its bytes may hold a face: they are shown to administrators who ask, audited."""
    return _one(request, user, letter_id, raw=raw)


@router.post("/{letter_id}/replay")
def replay_one(request: Request, user: Mender, letter_id: str) -> Response:
    """Has one read again."""
    made = said(lambda: letters_api.replay_one(rooms(request), user, letter_id))
    if made.answer is None:
        return _one(request, user, letter_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/refused/{letter_id}", 303)


@router.post("/{letter_id}/giving-up")
def give_up_one(request: Request, user: Mender, letter_id: str, why: Annotated[str, Form()] = "") -> Response:
    """Nothing will come of one."""

    def act() -> object:
        wanted = GivingUp.model_validate({"ids": [letter_id], "why": _why(why)})
        return letters_api.give_up(rooms(request), user, wanted)

    made = said(act)
    if made.answer is None:
        return _one(request, user, letter_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/refused/{letter_id}", 303)


def _why(code: str) -> str:
    if code not in WHY_GIVEN_UP:
        raise ProblemError(422, "reason_required", "Choose why")
    return code


def _done(request: Request, asked: Filter, made: Said[int]) -> Response:
    if made.answer is None:
        return _list(request, asked, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/refused?{asked.query}&done={made.answer}".replace("?&", "?"), 303)


def _list(
    request: Request,
    asked: Filter,
    *,
    cursor: str | None = None,
    done: int | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    which = said(lambda: asked.conditions(view, here.compound))
    if which.answer is None:
        refused, status, asked = which.refused, which.status, Filter()
    conditions = which.answer or asked.conditions(view, here.compound)
    with here.database.read() as session:
        query = select(DeadLetter).options(defer(DeadLetter.raw)).where(*conditions)
        order = (DeadLetter.received_at, DeadLetter.id)
        letters, older = newest_first(session, query, order, Paging(cursor, _SHOWN), lambda row: row)
        counts = session.execute(
            select(DeadLetter.reason, func.count()).where(own(here.compound)).group_by(DeadLetter.reason)
        ).all()
        waiting = session.scalar(
            select(func.count()).where(own(here.compound), DeadLetter.replay_asked_at.is_not(None))
        )
        return render(
            view,
            "refused.html",
            status=status,
            letters=letters,
            older=older,
            newest=cursor is None,
            counts=sorted(((code, count) for code, count in counts), key=lambda pair: -pair[1]),
            total=sum(count for _, count in counts),
            waiting=waiting or 0,
            asked=asked,
            known=names(session, here.compound),
            whys=WHY_GIVEN_UP,
            done=done,
            refused=refused,
            outcome=lambda letter: _outcome(view, letter),
        )


def _one(
    request: Request,
    user: User,
    letter_id: str,
    *,
    raw: str = "",
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        letter = session.scalars(
            select(DeadLetter).options(defer(DeadLetter.raw)).where(DeadLetter.id == letter_id)
        ).first()
        if letter is None or letter.compound not in {here.compound, None}:
            raise not_found("dead_letter")
        device_name = names(session, here.compound).device(letter.device_id or "")
        session.expunge(letter)
    content, told = _content(here, user, letter, raw) if raw else (None, None)
    return render(
        view,
        "refused_one.html",
        status=status,
        letter=letter,
        device_name=device_name,
        outcome=_outcome(view, letter),
        content=content,
        told=told,
        raw=raw,
        is_open=not (letter.outcome or "").startswith((STORED, "known", "nothing", GIVEN_UP)),
        replayable=letter.source in REPLAYABLE and letter.size > 0 and letter.outcome != STORED,
        whys=WHY_GIVEN_UP,
        refused=refused,
    )


def _content(
    here: Rooms, user: User, letter: DeadLetter, how: str
) -> tuple[Shown | None, dict[str, Any] | None]:
    """The bytes for the page, and what today's adapter makes of them. The look is audited."""
    full = letters_api.dead_letter(here, user, letter.id, Purpose.REGISTRY_MAINTENANCE)
    if full.raw_base64 is None:
        return None, None
    body = base64.b64decode(full.raw_base64)
    adapter = ADAPTERS.get(letter.adapter or "")
    content_type = letter.context.get("content_type")
    told = account(adapter, Incoming(letter.topic, body, content_type)) if adapter else None
    return shown(body, as_hex=how == "hex"), told


def _outcome(view: Frame, letter: DeadLetter) -> str:
    code = letter.outcome or ""
    if code.startswith(GIVEN_UP):
        return view.t("refused_list.gave_up", why=view.t.code("given_up", code.removeprefix(GIVEN_UP)))
    group = "replay" if code in {"stored", "known", "nothing"} else "deadletter"
    return view.t.code(group, code)
