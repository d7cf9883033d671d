"""The deployment's settings: what holds, where it comes from, what it trades, and changing one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api.purposes import Look, Purpose, note_look
from console.context import rooms
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import not_found
from console.security import ForbiddenError
from console.settingsbook import Group, Setting, SettingRefusedError, SettingsBook, Source

router = APIRouter(prefix="/console/settings")
Editor = Annotated[User, may(Action.SETTINGS_EDIT)]
Changer = Annotated[User, may(Action.SETTINGS_EDIT, proven=True)]


@router.get("")
def page(
    request: Request,
    user: Editor,
    q: Annotated[str, Query(max_length=64)] = "",
    changed: Annotated[str, Query(max_length=64)] = "",
    own: bool = False,
) -> Response:
    """All settings by group, or those that speak of `q`; `own`: only what is not as it comes."""
    _whole(user)
    return _page(request, q.strip(), changed=changed, own=own)


@router.post("/{name}")
def change(
    request: Request,
    user: Changer,
    name: str,
    value: Annotated[str, Form(max_length=500)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Writes one value into the file, or takes it out; it holds from the next start."""
    _whole(user)
    here, book = rooms(request), _book(request)
    before = next((one for one in book.settings() if one.name == name), None)
    if before is None:
        raise not_found("setting")
    try:
        book.write(name, None if back or not value.strip() else value)
    except SettingRefusedError as refused:
        return _page(request, "", refused=refused, at=name, typed=value, status=422)
    with here.database.write() as session:
        # Which setting and that it is another one; the values stand in the file.
        detail = "back to the default" if back or not value.strip() else "written to the file"
        look = Look("setting.changed", Purpose.REGISTRY_MAINTENANCE, f"setting:{name}", detail)
        note_look(session, here.clock.now(), user, look)
    return RedirectResponse(f"/console/settings?changed={name}#set-{name}", 303)


def _whole(user: User) -> None:
    if user.compounds is not None:
        # They are the deployment's: who looks after one compound may not move all of them.
        raise ForbiddenError


def _book(request: Request) -> SettingsBook:
    book = rooms(request).settings
    if book is None:
        raise not_found("settings")
    return book


def _page(
    request: Request,
    wanted: str,
    *,
    changed: str = "",
    own: bool = False,
    refused: SettingRefusedError | None = None,
    at: str = "",
    typed: str = "",
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    book = here.settings
    every = book.settings() if book is not None else ()
    words = wanted.casefold().split()
    shown = [
        one
        for one in every
        if all(word in _said(one, view) for word in words)
        and not (own and one.source is Source.DEFAULT and one.written is None)
    ]
    groups = [(group, of) for group in Group if (of := _of(shown, group))]
    return render(
        view,
        "settings.html",
        status=status,
        groups=groups,
        count=len(shown),
        total=len(every),
        own_count=sum(one.source is not Source.DEFAULT for one in every),
        pending=[one for one in every if one.written is not None],
        findings=book.findings(here.compound, view.lang) if book is not None else (),
        file=book.file if book is not None else "",
        writable=book is not None and book.writable,
        wanted=wanted,
        own=own,
        changed=changed,
        refused=refused,
        at=at,
        typed=typed,
    )


def _said(one: Setting, view: Frame) -> str:
    """What a search looks through: the name, and the words of the reader's language and of the file's."""
    words = view.t.code("setting", one.name), view.t.code("setting_about", one.name)
    return " ".join((one.name, *words, one.title, one.description)).casefold()


def _of(settings: Sequence[Setting], group: Group) -> list[Setting]:
    return [one for one in settings if one.group is group]
